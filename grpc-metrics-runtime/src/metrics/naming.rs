//! The builder's settings of names, and their validation.

use std::collections::BTreeSet;

use tonic::Code;

use super::{Error, GrpcMetricsBuilder};
use crate::export::{Schema, dialect, is_family, is_label};
use crate::grpc::{ALL_CODES, CodeLabel, CodeSet};
use crate::instance::{LabelForm, Naming, NamingSettings, Settings, to_nanos};

/// A naming, and what the program sets apart from it.
#[derive(Clone, Debug, Default)]
pub(super) struct NamingChoice {
    naming: Naming,
    pub(super) prefix: Option<String>,
    pub(super) buckets: Option<Vec<f64>>,
    pub(super) code_label: Option<CodeLabel>,
    labels: Vec<(String, String)>,
    metrics: Vec<(String, String)>,
    code_on_durations: Option<bool>,
    full_methods: Option<bool>,
    type_on_all: Option<bool>,
    codes_at_zero: Option<CodeSet>,
}

impl GrpcMetricsBuilder {
    /// Sets whose names the metrics have. Default: [`Naming::Default`].
    ///
    /// The rules, alerts and dashboard of [`GrpcMetrics::monitoring`](crate::GrpcMetrics::monitoring) follow. What a
    /// naming sets can also be set by the builder's other methods, before or after this one.
    ///
    /// ```
    /// use grpc_metrics_runtime::{GrpcMetrics, Naming, prometheus::Registry};
    ///
    /// # fn main() -> Result<(), grpc_metrics_runtime::Error> {
    /// # let registry = Registry::new();
    /// let metrics = GrpcMetrics::builder()
    ///     .naming(Naming::GoGrpcPrometheus)
    /// #   .registry(&registry)
    ///     .build()?;
    /// assert!(metrics.encode().is_ok());
    /// # Ok(())
    /// # }
    /// ```
    pub fn naming(mut self, naming: Naming) -> Self {
        self.naming.naming = naming;
        self
    }

    /// Sets the name of a label. `default` is its name in [`Naming::Default`]: `service`, `method`, `code`, `type`,
    /// `error`, `slo`, `target`, `caller_service` or `caller_method`. In [`Naming::OpenTelemetry`] there is no `target`.
    ///
    /// ```
    /// # use grpc_metrics_runtime::{GrpcMetrics, prometheus::Registry};
    /// # fn main() -> Result<(), grpc_metrics_runtime::Error> {
    /// # let registry = Registry::new();
    /// let builder = GrpcMetrics::builder().label_name("service", "grpc_service");
    /// # builder.registry(&registry).build()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn label_name(mut self, default: impl Into<String>, name: impl Into<String>) -> Self {
        self.naming.labels.push((default.into(), name.into()));
        self
    }

    /// Sets the name of a metric. Both names are without the prefix, and `default` is the one in [`Naming::Default`]:
    /// `metric_name("requests_total", "handled_total")`. If both sides have the metric, it applies to both.
    ///
    /// `requests_started_total`, the RPCs that have started, is only exposed if it is given a name, or by a naming
    /// that has it. `call_duration_seconds`, the durations of a client's calls beside those of its attempts, is only in
    /// [`Naming::GrpcA66`].
    ///
    /// In OpenMetrics, a counter whose name does not end in `_total` has the type `unknown`.
    pub fn metric_name(mut self, default: impl Into<String>, name: impl Into<String>) -> Self {
        self.naming.metrics.push((default.into(), name.into()));
        self
    }

    /// Sets whether the histograms of durations have the label of the code. Default: no, or that of the
    /// [naming](Self::naming). With it, there are as many more series as there are codes. Without it, requests are counted by
    /// code in `requests_total`, also in a naming that does not define that.
    pub fn code_on_durations(mut self, by_code: bool) -> Self {
        self.naming.code_on_durations = Some(by_code);
        self
    }

    /// Sets whether the label of the method has the service, too, as `pkg.Service/Method`. Default: no, or that of the
    /// [naming](Self::naming).
    pub fn full_method_names(mut self, full: bool) -> Self {
        self.naming.full_methods = Some(full);
        self
    }

    /// Sets whether all series have the label of the method's kind, as `method_info` has. Default: no, or that of the
    /// [naming](Self::naming).
    pub fn type_on_all(mut self, on_all: bool) -> Self {
        self.naming.type_on_all = Some(on_all);
        self
    }

    /// Sets codes whose series start at 0, in addition to OK and the [fault codes](Self::fault_codes). Default: none,
    /// or those of the [naming](Self::naming).
    pub fn codes_at_zero(mut self, codes: impl IntoIterator<Item = Code>) -> Self {
        self.naming.codes_at_zero = Some(codes.into_iter().collect());
        self
    }
}

impl NamingChoice {
    /// Returns the settings, with the naming's own where the program sets none.
    pub(super) fn check(self) -> Result<Settings, Error> {
        let dialect = dialect(self.naming);
        let prefix = self.prefix.unwrap_or_else(|| dialect.prefix.to_owned());
        if !is_name(&prefix, |c| c == ':') {
            return Err(Error::InvalidPrefix { prefix });
        }
        check_labels(&self.labels)?;
        check_metrics(&self.metrics)?;
        let buckets = match self.buckets {
            Some(bounds) => check_buckets(bounds)?,
            None => dialect.buckets.to_vec(),
        };
        let all = || dialect.all_codes_at_zero.then(|| CodeSet::from_iter(ALL_CODES));
        let form = dialect.form;
        let naming = NamingSettings {
            naming: self.naming,
            labels: self.labels,
            metrics: self.metrics,
            form: LabelForm {
                code_on_durations: self.code_on_durations.unwrap_or(form.code_on_durations),
                full_methods: self.full_methods.unwrap_or(form.full_methods),
                type_on_all: self.type_on_all.unwrap_or(form.type_on_all),
            },
            codes_at_zero: self.codes_at_zero.or_else(all),
            all_messages: dialect.all_messages,
            bytes_of_calls: dialect.bytes_of_calls(),
        };
        let code_label = self.code_label.unwrap_or(dialect.code_label);
        let settings = Settings { prefix, buckets, code_label, naming, ..Settings::default() };
        let schema = Schema::new(&settings);
        if let Some(name) = schema.unknown_label() {
            let reason = "is no label of this naming";
            return Err(Error::InvalidLabel { name: name.to_owned(), reason });
        }
        if let Some(name) = schema.unknown_family() {
            let reason = "is no metric of this naming";
            return Err(Error::InvalidMetricName { name: name.to_owned(), reason });
        }
        if let Some(name) = schema.duplicate_label() {
            let reason = "is the name of two labels of a metric";
            return Err(Error::InvalidLabel { name: name.to_owned(), reason });
        }
        if let Some(name) = schema.duplicate_family() {
            let reason = "is the name of two metrics";
            return Err(Error::InvalidMetricName { name, reason });
        }
        Ok(settings)
    }
}

fn check_labels(labels: &[(String, String)]) -> Result<(), Error> {
    let mut seen = BTreeSet::new();
    for (default, name) in labels {
        let reason = if !is_label(default) {
            Some("is no label of the default naming")
        } else if !seen.insert(default) {
            Some("is given a name twice")
        } else {
            None
        };
        if let Some(reason) = reason {
            return Err(Error::InvalidLabel { name: default.clone(), reason });
        }
        if let Some(reason) = invalid_label_reason(name, &BTreeSet::new()) {
            return Err(Error::InvalidLabel { name: name.clone(), reason });
        }
    }
    Ok(())
}

fn check_metrics(metrics: &[(String, String)]) -> Result<(), Error> {
    let mut seen = BTreeSet::new();
    for (default, name) in metrics {
        let invalid =
            |name: &String, reason| Err(Error::InvalidMetricName { name: name.clone(), reason });
        if !is_family(default) {
            return invalid(default, "is no metric of the default naming, without its prefix");
        }
        if !seen.insert(default) {
            return invalid(default, "is given a name twice");
        }
        // It follows the prefix, so it may begin with a digit.
        if !is_name(&format!("_{name}"), |c| c == ':') || name.is_empty() {
            return invalid(name, "is not valid in a metric's name; use [a-zA-Z0-9_:]+");
        }
    }
    Ok(())
}

/// Returns whether `name` consists of ASCII letters, digits except in front, `_`, and the characters that `also`
/// allows.
fn is_name(name: &str, also: fn(char) -> bool) -> bool {
    let legal = |c: char| c.is_ascii_alphanumeric() || c == '_' || also(c);
    !name.is_empty() && name.chars().all(legal) && !name.starts_with(|c: char| c.is_ascii_digit())
}

/// Returns why a label that is added to every series can't have this name, or `None` if it can.
/// `taken` are the labels of the metrics.
pub(crate) fn invalid_label_reason(name: &str, taken: &BTreeSet<&str>) -> Option<&'static str> {
    if !is_name(name, |_| false) {
        Some("is not a valid label name; use [a-zA-Z_][a-zA-Z0-9_]*")
    } else if name.starts_with("__") {
        Some("starts with __, which Prometheus reserves")
    } else if name == "le" || taken.contains(name) {
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
