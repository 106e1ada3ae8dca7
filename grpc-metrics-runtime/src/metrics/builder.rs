//! The builder, and the validation of settings.

use std::collections::BTreeMap;

use prometheus::Registry;
use tonic::Code;

use super::{Error, GrpcMetrics, warnings};
use crate::catalog;
use crate::counters::Clock;
use crate::grpc::CodeLabel;
use crate::instance::{Settings, to_nanos};

/// The labels of the metrics, and `le`.
const RESERVED_LABELS: [&str; 10] = [
    "service",
    "method",
    "code",
    "error",
    "type",
    "slo",
    "target",
    "caller_service",
    "caller_method",
    "le",
];

/// A builder for a [`GrpcMetrics`]; see [`GrpcMetrics::builder`].
#[derive(Clone, Debug)]
#[must_use = "does nothing until `build` is called"]
pub struct GrpcMetricsBuilder {
    prefix: String,
    const_labels: Vec<(String, String)>,
    buckets: Vec<f64>,
    code_label: CodeLabel,
    fault_codes: Vec<Code>,
    registry: Option<Registry>,
    clock: Option<Clock>,
    allow_duplicate_services: bool,
}

impl Default for GrpcMetricsBuilder {
    fn default() -> Self {
        let Settings { prefix, buckets, code_label, fault_codes, .. } = Settings::default();
        let fault_codes = fault_codes.iter().collect();
        Self {
            prefix,
            const_labels: Vec::new(),
            buckets,
            code_label,
            fault_codes,
            registry: None,
            clock: None,
            allow_duplicate_services: false,
        }
    }
}

impl GrpcMetrics {
    /// Returns a builder with the default settings.
    ///
    /// ```
    /// # fn main() -> Result<(), grpc_metrics_runtime::Error> {
    /// use grpc_metrics_runtime::{GrpcMetrics, prometheus::Registry};
    ///
    /// let registry = Registry::new();
    /// GrpcMetrics::builder()
    ///     .prefix("shop_grpc")
    ///     .const_label("region", "eu")
    ///     .buckets([0.01, 0.1, 1.0])
    ///     .registry(&registry)
    ///     .build()?
    ///     .install()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn builder() -> GrpcMetricsBuilder {
        GrpcMetricsBuilder::default()
    }
}

impl GrpcMetricsBuilder {
    /// Sets the prefix of the metrics' names. Default: `grpc_server`.
    ///
    /// The prefix of client metrics has `client` in place of a `server` at its end, or else `_client` behind it: for
    /// `shop`, it is `shop_client`.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// Adds a constant label to every series.
    pub fn const_label(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.const_labels.push((name.into(), value.into()));
        self
    }

    /// Sets the upper bounds of the duration's buckets in seconds, ascending. Default:
    /// [`DEFAULT_BUCKETS`](crate::DEFAULT_BUCKETS).
    ///
    /// The unbounded bucket is added; you may also give it as `f64::INFINITY`. The latencies of the program's `slo(…)`
    /// are added, too.
    pub fn buckets(mut self, bounds: impl IntoIterator<Item = f64>) -> Self {
        self.buckets = bounds.into_iter().collect();
        self
    }

    /// Sets the spelling of the `code` label. Default: [`CodeLabel::Number`].
    pub fn code_label(mut self, spelling: CodeLabel) -> Self {
        self.code_label = spelling;
        self
    }

    /// Sets the codes that mean a fault of the server. Default: 2, 4, 12, 13, 14 and 15.
    ///
    /// They are bad events for the availability of `slo(…)`, and their series start at 0. The series of the default
    /// codes start at 0 in any case.
    pub fn fault_codes(mut self, codes: impl IntoIterator<Item = Code>) -> Self {
        self.fault_codes = codes.into_iter().collect();
        self
    }

    /// Sets the registry. Default: [`prometheus::default_registry`].
    pub fn registry(mut self, registry: &Registry) -> Self {
        self.registry = Some(registry.clone());
        self
    }

    /// Reads the time from this clock, which may be a `quanta::Clock::mock`. For tests of this crate; not part of the
    /// public API.
    #[doc(hidden)]
    pub fn clock(mut self, clock: quanta::Clock) -> Self {
        self.clock = Some(Clock::from_quanta(clock));
        self
    }

    /// Accepts impls that share a service label, and counts them as one service. Use it for a mock beside the real
    /// implementation, of which only one is served.
    pub fn allow_duplicate_services(mut self) -> Self {
        self.allow_duplicate_services = true;
        self
    }

    /// Validates the settings and registers the metrics.
    ///
    /// Gathers a registry set by [`registry`](Self::registry) once, to learn the labels that it adds to all series. If
    /// a collector in it uses [`GrpcMetrics::global`], that creates the process-wide instance, and a later
    /// [`install`](GrpcMetrics::install) fails. Register such a collector after `install`.
    ///
    /// # Errors
    ///
    /// Returns an [`Error`] for the first invalid setting, and registers nothing.
    pub fn build(self) -> Result<GrpcMetrics, Error> {
        let duplicates = catalog::duplicates();
        if !self.allow_duplicate_services && !duplicates.is_empty() {
            return Err(Error::DuplicateServices(duplicates));
        }
        let registry = self.registry.clone();
        let may_add_labels = registry.is_some(); // the default registry adds none
        let registry = registry.unwrap_or_else(|| prometheus::default_registry().clone());
        let settings = self.check()?;
        let metrics = GrpcMetrics::new(settings, registry);
        metrics.register()?;
        if may_add_labels {
            metrics.reject_duplicate_labels()?;
        }
        warnings::log_once();
        Ok(metrics)
    }

    fn check(self) -> Result<Settings, Error> {
        if !is_name(&self.prefix, |c| c == ':') {
            return Err(Error::InvalidPrefix { prefix: self.prefix });
        }
        if self.fault_codes.contains(&Code::Ok) {
            return Err(Error::OkIsNoFault);
        }
        let mut const_labels = BTreeMap::new();
        for (name, value) in self.const_labels {
            if let Some(reason) = invalid_label_reason(&name) {
                return Err(Error::InvalidLabel { name, reason });
            }
            if const_labels.insert(name.clone(), value).is_some() {
                return Err(Error::InvalidLabel { name, reason: "is given twice" });
            }
        }
        Ok(Settings {
            prefix: self.prefix,
            const_labels,
            buckets: check_buckets(self.buckets)?,
            code_label: self.code_label,
            fault_codes: self.fault_codes.into_iter().collect(),
            clock: self.clock,
        })
    }
}

/// Returns whether `name` consists of ASCII letters, digits except in front, `_`, and the characters that `also`
/// allows.
fn is_name(name: &str, also: fn(char) -> bool) -> bool {
    let legal = |c: char| c.is_ascii_alphanumeric() || c == '_' || also(c);
    !name.is_empty() && name.chars().all(legal) && !name.starts_with(|c: char| c.is_ascii_digit())
}

/// Returns why a label that is added to every series can't have this name, or `None` if it can.
pub(crate) fn invalid_label_reason(name: &str) -> Option<&'static str> {
    if !is_name(name, |_| false) {
        Some("is not a valid label name; use [a-zA-Z_][a-zA-Z0-9_]*")
    } else if name.starts_with("__") {
        Some("starts with __, which Prometheus reserves")
    } else if RESERVED_LABELS.contains(&name) {
        Some("is a label of the metrics themselves")
    } else {
        None
    }
}

fn check_buckets(mut bounds: Vec<f64>) -> Result<Vec<f64>, Error> {
    if bounds.last() == Some(&f64::INFINITY) {
        bounds.pop();
    }
    let reason = if bounds.is_empty() {
        "are empty; give at least one".to_owned()
    } else if let Some(bound) =
        bounds.iter().find(|bound| !bound.is_finite() || to_nanos(**bound) == 0)
    {
        format!("contain {bound:?}; give finite seconds, at least one nanosecond")
    } else if let Some((a, b)) =
        bounds.iter().zip(&bounds[1..]).find(|(a, b)| to_nanos(**a) >= to_nanos(**b))
    {
        format!("are not ascending by at least one nanosecond: {a:?} is before {b:?}")
    } else {
        return Ok(bounds);
    };
    Err(Error::InvalidBuckets { reason })
}
