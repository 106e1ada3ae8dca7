//! Prometheus's text format.

pub(super) mod numbers;
pub(super) mod writer;

use prometheus::{Registry, TextEncoder};

use self::numbers::Format;
use self::writer::{Samples, Writer};
use super::gathered::Gathered;

/// The `Content-Type` of the text that [`encode_registry`] and [`GrpcMetrics::encode`](crate::GrpcMetrics::encode)
/// return.
pub const TEXT_CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Encodes all metrics in the registry in Prometheus's text format, version 0.0.4. Send the text as
/// [`TEXT_CONTENT_TYPE`].
///
/// The text is the same as `TextEncoder`'s, byte for byte. If a [`GrpcMetrics`](crate::GrpcMetrics) with many methods
/// is registered, this function is several times faster.
///
/// While it runs, a collector that gathers another registry gets this crate's families of that registry without their
/// values. The collector may return them, or compute something from them and drop them. It must not do both, nor keep
/// them for a later scrape.
///
/// # Errors
///
/// Returns the error of `TextEncoder` if another collector returns an invalid family.
///
/// # Panics
///
/// Panics if another collector panics or returns a family of type `UNTYPED`, like `TextEncoder`.
pub fn encode_registry(registry: &Registry) -> prometheus::Result<String> {
    let gathered = Gathered::from_registry(registry);
    let mut writer = Writer::new(Format::Prometheus);
    for (family, own_families) in gathered.families() {
        let name = family.name();
        let Some(own) = own_families.first() else {
            TextEncoder::new().encode_utf8(std::slice::from_ref(family), writer.text())?;
            continue;
        };
        writer.head(name, own.family.ty().as_str(), own.family.help());
        writer.own_families(name, Samples::All, &own_families);
    }
    Ok(writer.into_text())
}
