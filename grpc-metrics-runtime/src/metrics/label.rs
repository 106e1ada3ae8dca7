//! The label of the program's choice: its builder, and the validation of its settings.

use std::collections::{BTreeMap, BTreeSet};

use http::HeaderName;

use super::naming::invalid_label_reason;
use super::{Error, GrpcMetricsBuilder};
use crate::counters::MOST_VALUES;
use crate::instance::LabelSettings;

/// Where a label's value comes from; see [`metadata`] and [`GrpcMetricsBuilder::label`].
#[derive(Clone, Debug)]
pub struct LabelSource {
    key: String,
}

/// Takes a label's value from the request's metadata with this key; see [`GrpcMetricsBuilder::label`].
///
/// Of several entries with the key, the first one counts. Binary metadata, whose key ends in `-bin`, can't be a label.
pub fn metadata(key: impl Into<String>) -> LabelSource {
    LabelSource { key: key.into() }
}

/// A builder for a label of requests; see [`GrpcMetricsBuilder::label`].
#[derive(Clone, Debug)]
#[must_use = "the label is not set until `at_most` is called"]
pub struct LabelBuilder {
    builder: GrpcMetricsBuilder,
    label: UncheckedLabel,
}

/// A label as the program gives it.
#[derive(Clone, Debug)]
pub(super) struct UncheckedLabel {
    name: String,
    source: LabelSource,
    most: usize,
    on_durations: bool,
}

impl GrpcMetricsBuilder {
    /// Adds a label of your own to `grpc_server_requests_total`, whose value comes from the request, such as the name of
    /// the client. One label at most.
    ///
    /// ```
    /// use grpc_metrics_runtime::{GrpcMetrics, metadata, prometheus::Registry};
    ///
    /// # fn main() -> Result<(), grpc_metrics_runtime::Error> {
    /// let metrics = GrpcMetrics::builder()
    ///     .label("client", metadata("x-client-name"))
    ///     .at_most(20)
    ///     .registry(&Registry::new())
    ///     .build()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// Clients choose the values, so their number is bounded. The first values that an instance sees, as many as
    /// [`at_most`](LabelBuilder::at_most) says, have series of their own for as long as the program runs. Later ones are
    /// `other`, and so are values that are longer than 128 bytes or not visible ASCII. A client that sends `other` shares
    /// those series. Requests without a value have an empty one, which to Prometheus is the same as no label. A value's
    /// series of a method exist once an RPC with it has ended.
    ///
    /// The values are not authenticated: any client can send any value, and take the places of others. They are shown to
    /// everyone who can read the metrics, so don't use metadata that is secret.
    ///
    /// The label is neither on objectives, nor on the metrics of clients, nor on other metrics of the server, except on
    /// [durations](LabelBuilder::on_durations).
    ///
    /// With a [server layer](crate::server_layer), the layer's headers count, else those that the handler gets. A
    /// [`RequestGuard`](crate::RequestGuard) has the value of its builder's
    /// [`request`](crate::RequestGuardBuilder::request) or [`metadata`](crate::RequestGuardBuilder::metadata).
    ///
    /// [`MethodSnapshot::requests_by_label`](crate::MethodSnapshot::requests_by_label) returns the counts as data.
    pub fn label(self, name: impl Into<String>, source: LabelSource) -> LabelBuilder {
        let label = UncheckedLabel { name: name.into(), source, most: 0, on_durations: false };
        LabelBuilder { builder: self, label }
    }
}

impl LabelBuilder {
    /// Adds the label to the histogram of durations, too. Each value then has a histogram for each method.
    pub fn on_durations(mut self) -> Self {
        self.label.on_durations = true;
        self
    }

    /// Sets how many values have series of their own: 1 to 1,000.
    ///
    /// For each method, the number of series of `grpc_server_requests_total` is multiplied by up to `n + 2`, with
    /// `other` and no value.
    pub fn at_most(mut self, n: usize) -> GrpcMetricsBuilder {
        self.label.most = n;
        self.builder.labels.push(self.label);
        self.builder
    }
}

/// Validates the labels that the program gives. `taken` are the labels of the metrics.
pub(super) fn check(
    labels: Vec<UncheckedLabel>,
    const_labels: &BTreeMap<String, String>,
    taken: &BTreeSet<&str>,
) -> Result<Option<LabelSettings>, Error> {
    let mut labels = labels.into_iter();
    let Some(label) = labels.next() else { return Ok(None) };
    if let Some(UncheckedLabel { name, .. }) = labels.next() {
        let reason = format!("is a second label, after {:?}; use one", label.name);
        return Err(Error::InvalidRequestLabel { name, reason });
    }
    let UncheckedLabel { name, source: LabelSource { key }, most, on_durations } = label;
    let reason = if let Some(reason) = invalid_label_reason(&name, taken) {
        reason.to_owned()
    } else if const_labels.contains_key(&name) {
        "is a constant label, too".to_owned()
    } else if !(1..=MOST_VALUES).contains(&most) {
        format!("has at most {most} values; give 1 to {MOST_VALUES}")
    } else {
        match HeaderName::from_bytes(key.as_bytes()) {
            Err(_) => format!("has the metadata key {key:?}, which is not valid"),
            Ok(key) if key.as_str().ends_with("-bin") => {
                format!("has the metadata key {:?}, which is of binary metadata", key.as_str())
            }
            Ok(key) => return Ok(Some(LabelSettings { name, key, most, on_durations })),
        }
    };
    Err(Error::InvalidRequestLabel { name, reason })
}
