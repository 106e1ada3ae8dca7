//! Settings, and the checks that stand between them and a registry.

use std::collections::BTreeMap;

use prometheus::Registry;
use tonic::Code;

use super::{Error, GrpcMetrics, warnings};
use crate::catalog;
use crate::counters::Clock;
use crate::grpc::CodeLabel;
use crate::instance::{Settings, to_nanos};

/// Labels that the metrics have themselves, or that Prometheus gives a meaning.
const RESERVED_LABELS: [&str; 7] = ["service", "method", "code", "error", "type", "slo", "le"];

/// Builds a [`GrpcMetrics`]; see [`GrpcMetrics::builder`].
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
    /// Settings, beginning with the defaults.
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
    /// What the metrics' names start with, instead of `grpc_server`.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// Adds a label that every series has.
    pub fn const_label(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.const_labels.push((name.into(), value.into()));
        self
    }

    /// The upper bounds of the duration's buckets in seconds, ascending, instead of
    /// [`DEFAULT_BUCKETS`](crate::DEFAULT_BUCKETS). The unbounded one is added, or may be given as
    /// `f64::INFINITY`; the latencies of the program's `slo(…)` are added too.
    pub fn buckets(mut self, bounds: impl IntoIterator<Item = f64>) -> Self {
        self.buckets = bounds.into_iter().collect();
        self
    }

    /// How the `code` label is spelled: as a number by default.
    pub fn code_label(mut self, spelling: CodeLabel) -> Self {
        self.code_label = spelling;
        self
    }

    /// The codes that mean a fault of the server, instead of 2, 4, 12, 13, 14 and 15: those that the
    /// availability of `slo(…)` counts as bad, and that have their series from the first scrape on.
    pub fn fault_codes(mut self, codes: impl IntoIterator<Item = Code>) -> Self {
        self.fault_codes = codes.into_iter().collect();
        self
    }

    /// Where the metrics are registered, instead of [`prometheus::default_registry`].
    pub fn registry(mut self, registry: &Registry) -> Self {
        self.registry = Some(registry.clone());
        self
    }

    /// For tests of this crate: reads the time from this clock, which may be a `quanta::Clock::mock`. No part of the
    /// public interface.
    #[doc(hidden)]
    pub fn clock(mut self, clock: quanta::Clock) -> Self {
        self.clock = Some(Clock::of(clock));
        self
    }

    /// Accepts impls with the same service label, and counts them as one service: a stand-in beside
    /// the real implementation, of which only one is served.
    pub fn allow_duplicate_services(mut self) -> Self {
        self.allow_duplicate_services = true;
        self
    }

    /// Checks the settings and registers the metrics. A registry given by [`registry`](Self::registry) is scraped
    /// once, since that alone shows the labels that it adds to all series. A collector in it that uses
    /// [`global`](GrpcMetrics::global) makes the process-wide instance then, and [`install`](GrpcMetrics::install)
    /// comes too late; register such a one after it.
    ///
    /// # Errors
    ///
    /// A variant of [`Error`] for the first setting found wrong; nothing is registered then.
    pub fn build(self) -> Result<GrpcMetrics, Error> {
        let duplicates = catalog::duplicates();
        if !self.allow_duplicate_services && !duplicates.is_empty() {
            return Err(Error::DuplicateServices(duplicates));
        }
        let registry = self.registry.clone();
        let may_add_labels = registry.is_some(); // the default one does not
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
            if let Some(reason) = why_illegal_label(&name) {
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

/// Whether `name` is made of ASCII letters, digits not in front, `_`, and what `also` allows.
fn is_name(name: &str, also: fn(char) -> bool) -> bool {
    let legal = |c: char| c.is_ascii_alphanumeric() || c == '_' || also(c);
    !name.is_empty() && name.chars().all(legal) && !name.starts_with(|c: char| c.is_ascii_digit())
}

/// What is wrong with the name of a label that every series is to have.
pub(crate) fn why_illegal_label(name: &str) -> Option<&'static str> {
    if !is_name(name, |_| false) {
        Some("is no legal label name: [a-zA-Z_][a-zA-Z0-9_]*")
    } else if name.starts_with("__") {
        Some("starts with __, which Prometheus keeps for itself")
    } else if RESERVED_LABELS.contains(&name) {
        Some("is a label that the metrics have themselves")
    } else {
        None
    }
}

fn check_buckets(mut bounds: Vec<f64>) -> Result<Vec<f64>, Error> {
    if bounds.last() == Some(&f64::INFINITY) {
        bounds.pop();
    }
    let reason = if bounds.is_empty() {
        "are empty; give one at least".to_owned()
    } else if let Some(bound) =
        bounds.iter().find(|bound| !bound.is_finite() || to_nanos(**bound) == 0)
    {
        format!("hold {bound:?}; give seconds, a nanosecond at least")
    } else if let Some((a, b)) =
        bounds.iter().zip(&bounds[1..]).find(|(a, b)| to_nanos(**a) >= to_nanos(**b))
    {
        format!("are not ascending by a nanosecond at least: {a:?} stands before {b:?}")
    } else {
        return Ok(bounds);
    };
    Err(Error::InvalidBuckets { reason })
}
