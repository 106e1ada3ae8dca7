//! Prometheus's text format, written from the series themselves.

pub(super) mod writer;

use prometheus::{Registry, TextEncoder};

use self::writer::{Format, Samples, Writer};
use super::gathered::Gathered;

/// The `Content-Type` of [`GrpcMetrics::encode`](crate::GrpcMetrics::encode)'s text.
pub const TEXT_CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Everything in the registry, as `TextEncoder` writes it, byte for byte.
pub(crate) fn encode(registry: &Registry) -> prometheus::Result<String> {
    let gathered = Gathered::of(registry);
    let mut writer = Writer::new(Format::Prometheus);
    for (family, all_ours) in gathered.families() {
        let name = family.name();
        let Some(ours) = all_ours.first() else {
            TextEncoder::new().encode_utf8(std::slice::from_ref(family), writer.text())?;
            continue;
        };
        writer.head(name, ours.family.ty().as_str(), ours.family.help());
        for ours in &all_ours {
            writer.ours(name, Samples::All, ours);
        }
    }
    Ok(writer.into_text())
}
