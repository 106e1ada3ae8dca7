//! The builder, and the validation of settings.

use prometheus::Registry;
use tonic::Code;

use super::label::{self, UncheckedLabel};
use super::naming::{NamingChoice, invalid_label_reason};
use super::{Error, GrpcMetrics, warnings};
use crate::catalog;
use crate::counters::Clock;
use crate::export::Schema;
use crate::grpc::CodeLabel;
use crate::instance::Settings;

/// A builder for a [`GrpcMetrics`]; see [`GrpcMetrics::builder`].
#[derive(Clone, Debug, Default)]
#[must_use = "does nothing until `build` is called"]
pub struct GrpcMetricsBuilder {
    pub(super) naming: NamingChoice,
    const_labels: Vec<(String, String)>,
    fault_codes: Option<Vec<Code>>,
    pub(super) labels: Vec<UncheckedLabel>,
    registry: Option<Registry>,
    clock: Option<Clock>,
    with_native: bool,
    allow_duplicate_services: bool,
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
    /// Sets the prefix of the metrics' names. Default: `grpc_server`, or that of the [naming](Self::naming).
    ///
    /// The prefix of client metrics has `client` in place of a `server` at its end, or else `_client` behind it: for
    /// `shop`, it is `shop_client`.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.naming.prefix = Some(prefix.into());
        self
    }

    /// Adds a constant label to every series.
    pub fn const_label(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.const_labels.push((name.into(), value.into()));
        self
    }

    /// Sets the upper bounds of the duration's buckets in seconds, ascending. Default:
    /// [`DEFAULT_BUCKETS`](crate::DEFAULT_BUCKETS), or those of the [naming](Self::naming).
    ///
    /// The unbounded bucket is added; you may also give it as `f64::INFINITY`. The latencies of the program's `slo(…)`
    /// are added, too.
    pub fn buckets(mut self, bounds: impl IntoIterator<Item = f64>) -> Self {
        self.naming.buckets = Some(bounds.into_iter().collect());
        self
    }

    /// Sets the spelling of the `code` label. Default: [`CodeLabel::Number`], or that of the [naming](Self::naming).
    pub fn code_label(mut self, spelling: CodeLabel) -> Self {
        self.naming.code_label = Some(spelling);
        self
    }

    /// Sets the codes that mean a fault of the server. Default: 2, 4, 12, 13, 14 and 15.
    ///
    /// They are bad events for the availability of `slo(…)`, and their series start at 0. The series of the default
    /// codes start at 0 in any case.
    pub fn fault_codes(mut self, codes: impl IntoIterator<Item = Code>) -> Self {
        self.fault_codes = Some(codes.into_iter().collect());
        self
    }

    /// Gives every histogram native buckets beside its [classic](Self::buckets) ones. They are 9 % wide, whether a method
    /// takes microseconds or minutes.
    ///
    /// Prometheus gets them in the format [`protobuf`](crate::protobuf), for which it asks if it stores native histograms.
    /// Other scrapers get the classic ones, with the same counts.
    #[cfg(feature = "native-histograms")]
    pub fn native_histograms(mut self) -> Self {
        self.with_native = true;
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
        let mut settings = self.naming.check()?;
        if let Some(faults) = self.fault_codes {
            if faults.contains(&Code::Ok) {
                return Err(Error::OkIsNoFault);
            }
            settings.fault_codes = faults.into_iter().collect();
        }
        // They have the names of labels by now.
        let schema = Schema::new(&settings);
        let names = schema.label_names();
        for (name, value) in self.const_labels {
            if let Some(reason) = invalid_label_reason(&name, &names) {
                return Err(Error::InvalidLabel { name, reason });
            }
            if settings.const_labels.insert(name.clone(), value).is_some() {
                return Err(Error::InvalidLabel { name, reason: "is given twice" });
            }
        }
        let label = label::check(self.labels, &settings.const_labels, &names)?;
        let native_histograms = self.with_native;
        Ok(Settings { label, native_histograms, clock: self.clock, ..settings })
    }
}
