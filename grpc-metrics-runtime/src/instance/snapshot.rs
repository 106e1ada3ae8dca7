//! The counts of an instance as plain data.

use std::sync::Arc;

use tonic::Code;

use super::slo::SloCounts;
use crate::catalog::{MethodKey, Side};
#[cfg(feature = "opentelemetry")]
use crate::counters::Exemplar;
use crate::counters::{Counts, EdgeCount, ErrorCount, LabelValue, Reading, SizeReading};
use crate::grpc::{ALL_CODES, MethodKind};

/// The counts of all methods of a [`GrpcMetrics`](crate::GrpcMetrics) at one point in time, as a scrape sees them.
#[derive(Clone, Debug)]
pub struct Snapshot {
    pub(crate) bounds: Arc<[f64]>,
    pub(crate) methods: Vec<MethodSnapshot>,
}

impl Snapshot {
    /// Returns all methods that the program serves, sorted by service and method.
    pub fn methods(&self) -> &[MethodSnapshot] {
        self.of_side(Side::Server)
    }

    /// Returns all methods that the program calls, sorted by service and method; first those without a target. See
    /// [`client_layer`](crate::client_layer).
    pub fn client_methods(&self) -> &[MethodSnapshot] {
        self.of_side(Side::Client)
    }

    pub(crate) fn of_side(&self, side: Side) -> &[MethodSnapshot] {
        let served = self.methods.partition_point(|method| method.key.side == Side::Server);
        let (served, called) = self.methods.split_at(served);
        match side {
            Side::Server => served,
            Side::Client => called,
        }
    }

    /// Returns the upper bounds of the buckets of [`MethodSnapshot::durations`] in seconds, ascending, without the
    /// unbounded bucket. They are the [configured](crate::GrpcMetricsBuilder::buckets) bounds and the latencies of the
    /// program's `slo(…)`.
    ///
    /// ```
    /// use grpc_metrics_runtime::{GrpcMetrics, prometheus::Registry};
    ///
    /// # fn main() -> Result<(), grpc_metrics_runtime::Error> {
    /// let builder = GrpcMetrics::builder().registry(&Registry::new());
    /// let metrics = builder.buckets([0.01, 0.1]).build()?;
    /// assert_eq!(metrics.snapshot().bounds(), [0.01, 0.1]);
    /// # Ok(())
    /// # }
    /// ```
    pub fn bounds(&self) -> &[f64] {
        &self.bounds
    }

    /// Returns the method with these labels that the program serves.
    pub fn method(&self, service: &str, method: &str) -> Option<&MethodSnapshot> {
        self.methods().iter().find(|found| found.is(service, method))
    }

    /// Returns the method with these labels that the program calls; with several targets, the first.
    pub fn client_method(&self, service: &str, method: &str) -> Option<&MethodSnapshot> {
        self.client_methods().iter().find(|found| found.is(service, method))
    }
}

/// The counts of one method.
#[derive(Clone, Debug)]
pub struct MethodSnapshot {
    pub(super) key: MethodKey,
    pub(super) kind: Option<MethodKind>,
    pub(super) bounds: Arc<[f64]>,
    /// Whether messages of response streams are counted.
    pub(super) counts_responses: bool,
    pub(crate) reading: Reading,
    pub(super) slos: Vec<SloCounts>,
}

impl MethodSnapshot {
    fn is(&self, service: &str, method: &str) -> bool {
        self.service() == service && self.method() == method
    }

    /// Returns the service label.
    pub fn service(&self) -> &'static str {
        self.key.service
    }

    /// Returns the method label.
    pub fn method(&self) -> &'static str {
        self.key.method
    }

    /// Returns the name of the upstream that is called, if the program has given one.
    pub fn target(&self) -> Option<&'static str> {
        self.key.target()
    }

    /// Returns the kind of the method; `Unary` if it is not known, as of methods that only a layer has seen.
    pub fn kind(&self) -> MethodKind {
        self.kind.unwrap_or(MethodKind::Unary)
    }

    pub(crate) fn known_kind(&self) -> Option<MethodKind> {
        self.kind
    }

    /// Returns the numbers of calls that the program's handlers made to this method and that ended, by handler and
    /// code, sorted. Empty for methods that the program serves.
    pub fn edges(&self) -> &[EdgeCount] {
        &self.reading.edges
    }

    /// Returns whether messages that the program sends are counted.
    pub(crate) fn counts_messages_sent(&self) -> bool {
        match self.key.side {
            Side::Server => self.counts_responses,
            Side::Client => self.request_messages().is_some(),
        }
    }

    /// Returns the number of RPCs that ended with this code.
    pub fn requests(&self, code: Code) -> u64 {
        self.reading.counts.with_code(code as usize)
    }

    /// Returns the numbers of RPCs that ended, by the value of the program's [label](crate::GrpcMetricsBuilder::label) and
    /// code, sorted. Their sum is that of [`requests`](Self::requests). Empty if there is no label, and for methods that
    /// the program calls.
    pub fn requests_by_label(&self) -> impl Iterator<Item = (&str, Code, u64)> {
        self.by_value().flat_map(|(_, text, counts)| {
            let of_codes = ALL_CODES.map(|code| (text, code, counts.with_code(code as usize)));
            of_codes.into_iter().filter(|(.., count)| *count > 0)
        })
    }

    /// Returns the counts of each value that the method has seen, sorted by value.
    pub(crate) fn by_value(&self) -> impl Iterator<Item = (LabelValue, &str, &Counts)> {
        self.reading.by_value.iter().flat_map(|by_value| by_value.iter())
    }

    /// Returns the numbers of RPCs that ended with an error whose cause is known, sorted by code and cause.
    pub fn errors(&self) -> &[ErrorCount] {
        &self.reading.errors
    }

    /// Returns the counts of each objective.
    pub fn slos(&self) -> &[SloCounts] {
        &self.slos
    }

    /// Returns the number of RPCs that have started.
    pub fn started(&self) -> u64 {
        self.reading.counts.started
    }

    /// Returns the number of RPCs that have ended.
    pub fn finished(&self) -> u64 {
        self.reading.counts.finished()
    }

    /// Returns the number of RPCs that have started and not ended.
    pub fn in_flight(&self) -> u64 {
        self.reading.counts.started.saturating_sub(self.finished())
    }

    /// Returns the number of messages sent on response streams; of a method that the program calls, on request streams.
    pub fn messages_sent(&self) -> u64 {
        match self.key.side {
            Side::Server => self.reading.counts.messages,
            Side::Client => self.request_messages().unwrap_or(0),
        }
    }

    /// Returns the number of messages received on request streams, or `None` if no server layer counts them; of a method
    /// that the program calls, on response streams, or `None` if it has none.
    pub fn messages_received(&self) -> Option<u64> {
        match self.key.side {
            Side::Server => self.request_messages(),
            Side::Client => self.counts_responses.then_some(self.reading.counts.messages),
        }
    }

    fn request_messages(&self) -> Option<u64> {
        let sizes = self.reading.sizes.as_deref().map(SizeReading::messages_received);
        match self.key.side {
            Side::Server => sizes.filter(|_| self.kind().client_streams()),
            // A method of unknown kind may be a stream.
            Side::Client if self.kind.is_none_or(MethodKind::client_streams) => {
                Some(sizes.unwrap_or(0))
            }
            Side::Client => None,
        }
    }

    /// Returns the RPCs that ended, by code and duration in nanoseconds.
    pub(crate) fn counts(&self) -> &Counts {
        &self.reading.counts
    }

    /// Returns what a layer counts of the messages, if there is one.
    pub(crate) fn sizes(&self) -> Option<&SizeReading> {
        self.reading.sizes.as_deref()
    }

    /// The durations of all RPCs that ended, added up, in seconds.
    #[allow(clippy::cast_precision_loss)] // 2^53 ns are 104 days of RPCs; past that the sum rounds
    pub fn duration_sum(&self) -> f64 {
        self.reading.counts.sum_nanos() as f64 / 1e9
    }

    /// Returns the newest sampled RPC of each bucket, the unbounded bucket last. Empty if no RPC was sampled.
    #[cfg(feature = "opentelemetry")]
    pub fn exemplars(&self) -> &[Option<Exemplar>] {
        &self.reading.exemplars
    }

    /// Returns the histogram of durations.
    pub fn durations(&self) -> Durations {
        let counts = self.reading.counts.per_bucket();
        Durations { bounds: Arc::clone(&self.bounds), counts, sum: self.duration_sum() }
    }
}

/// A histogram of the durations of a method's RPCs, from start to end. It counts RPCs that have ended.
#[derive(Clone, Debug)]
pub struct Durations {
    bounds: Arc<[f64]>,
    counts: Vec<u64>,
    sum: f64,
}

impl Durations {
    /// Returns the buckets, ascending. Each is an upper bound in seconds and the number of RPCs in this bucket alone;
    /// the counts are not cumulative. The last bound is [`f64::INFINITY`].
    pub fn buckets(&self) -> impl ExactSizeIterator<Item = (f64, u64)> {
        self.counts.iter().enumerate().map(|(i, count)| {
            let bound = self.bounds.get(i).copied().unwrap_or(f64::INFINITY);
            (bound, *count)
        })
    }

    /// Returns the number of RPCs in all buckets.
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// Returns the sum of the durations in seconds.
    pub fn sum(&self) -> f64 {
        self.sum
    }
}
