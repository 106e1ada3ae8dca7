//! Validated settings.

use std::collections::BTreeMap;

use http::HeaderName;

use super::naming::NamingSettings;
use crate::counters::Clock;
use crate::grpc::{CodeLabel, CodeSet, FAULT_CODES};

/// The default bucket bounds in seconds: 0.5 ms to 10 s.
pub const DEFAULT_BUCKETS: &[f64] =
    &[0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// Settings that the builder has validated.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) prefix: String,
    pub(crate) const_labels: BTreeMap<String, String>,
    /// In seconds, ascending and finite.
    pub(crate) buckets: Vec<f64>,
    /// Whether histograms have native buckets, too.
    pub(crate) native_histograms: bool,
    pub(crate) code_label: CodeLabel,
    /// Without `Ok`.
    pub(crate) fault_codes: CodeSet,
    pub(crate) naming: NamingSettings,
    pub(crate) label: Option<LabelSettings>,
    /// Replaces the machine's clock in tests.
    pub(crate) clock: Option<Clock>,
}

/// The label of the program's choice on the server's requests.
#[derive(Clone, Debug)]
pub(crate) struct LabelSettings {
    pub(crate) name: String,
    /// The metadata that has its value.
    pub(crate) key: HeaderName,
    /// The number of values with series of their own.
    pub(crate) most: usize,
    /// Whether the duration's histogram has it, too.
    pub(crate) on_durations: bool,
}

impl Settings {
    /// Returns the prefix of the client's metrics: `grpc_client` for `grpc_server`.
    pub(crate) fn client_prefix(&self) -> String {
        match self.prefix.strip_suffix("server") {
            Some(rest) if rest.is_empty() || rest.ends_with('_') => format!("{rest}client"),
            _ => format!("{}_client", self.prefix),
        }
    }

    /// Adds bounds in nanoseconds, without duplicates.
    #[allow(clippy::cast_precision_loss)] // exact for every latency that the attribute accepts
    pub(crate) fn with_bounds(mut self, nanos: impl Iterator<Item = u64>) -> Self {
        self.buckets.extend(nanos.map(|nanos| nanos as f64 / 1e9));
        self.buckets.sort_by(f64::total_cmp);
        self.buckets.dedup_by_key(|bound| to_nanos(*bound));
        self
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            prefix: "grpc_server".to_owned(),
            const_labels: BTreeMap::new(),
            buckets: DEFAULT_BUCKETS.to_vec(),
            native_histograms: false,
            code_label: CodeLabel::default(),
            fault_codes: FAULT_CODES.into_iter().collect(),
            naming: NamingSettings::default(),
            label: None,
            clock: None,
        }
    }
}

/// Converts seconds to nanoseconds, rounded to the nearest, so that 0.005, which has no exact `f64`, is 5 ms. Negative
/// values become 0.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // saturates
pub(crate) fn to_nanos(seconds: f64) -> u64 {
    (seconds * 1e9).round() as u64
}

#[cfg(all(test, not(cells_model)))]
mod tests {
    use super::*;

    /// The attribute accepts at most 600 hours.
    #[test]
    fn h4_a_latency_is_a_bound_to_the_nanosecond() {
        let longest = 600 * 3_600_000_000_000;
        for nanos in [1, 60_000_001, 999_999_999, longest / 7, longest - 1, longest] {
            let settings = Settings::default().with_bounds([nanos].into_iter());
            let bounds: Vec<_> = settings.buckets.iter().map(|bound| to_nanos(*bound)).collect();
            assert!(bounds.contains(&nanos), "{nanos}: {bounds:?}");
        }
    }
}
