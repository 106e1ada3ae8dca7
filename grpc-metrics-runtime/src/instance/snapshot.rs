//! What was counted, as plain data: read once, then only looked at.

use std::sync::Arc;

use tonic::Code;

use super::slo::SloCounts;
use crate::catalog::MethodKey;
#[cfg(feature = "opentelemetry")]
use crate::counters::Exemplar;
use crate::counters::{ErrorCount, Reading};
use crate::grpc::MethodKind;

/// The counts of all methods of a [`GrpcMetrics`](crate::GrpcMetrics), as one scrape sees them.
#[derive(Clone, Debug)]
pub struct Snapshot {
    pub(crate) bounds: Arc<[f64]>,
    pub(crate) methods: Vec<MethodSnapshot>,
}

impl Snapshot {
    /// All methods, by service and name.
    pub fn methods(&self) -> &[MethodSnapshot] {
        &self.methods
    }

    /// The upper bounds of the buckets of [`MethodSnapshot::durations`], in seconds, ascending: those that are
    /// set, and the latencies of the program's `slo(…)`. The unbounded bucket, the last, has none here.
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

    /// One method by its labels.
    pub fn method(&self, service: &str, method: &str) -> Option<&MethodSnapshot> {
        self.methods.iter().find(|of| of.key.service == service && of.key.method == method)
    }
}

/// The counts of one method.
#[derive(Clone, Debug)]
pub struct MethodSnapshot {
    pub(super) key: MethodKey,
    pub(super) kind: MethodKind,
    pub(super) bounds: Arc<[f64]>,
    pub(super) counts_messages: bool,
    pub(crate) reading: Reading,
    pub(super) slos: Vec<SloCounts>,
}

impl MethodSnapshot {
    /// The service label.
    pub fn service(&self) -> &'static str {
        self.key.service
    }

    /// The method label.
    pub fn method(&self) -> &'static str {
        self.key.method
    }

    /// The kind of the method.
    pub fn kind(&self) -> MethodKind {
        self.kind
    }

    /// Whether the messages of its response streams are counted.
    pub(crate) fn counts_messages(&self) -> bool {
        self.counts_messages
    }

    /// RPCs that ended with this code.
    pub fn requests(&self, code: Code) -> u64 {
        self.reading.counts.with_code(code as usize)
    }

    /// RPCs that ended with an error whose cause is known, by code and cause.
    pub fn errors(&self) -> &[ErrorCount] {
        &self.reading.errors
    }

    /// How well the method keeps its objectives, one after another.
    pub fn slos(&self) -> &[SloCounts] {
        &self.slos
    }

    /// RPCs that have started.
    pub fn started(&self) -> u64 {
        self.reading.counts.started
    }

    /// RPCs that have ended, however they did.
    pub fn finished(&self) -> u64 {
        self.reading.counts.finished()
    }

    /// RPCs that have started and not ended.
    pub fn in_flight(&self) -> u64 {
        self.reading.counts.started.saturating_sub(self.finished())
    }

    /// Messages sent by response streams.
    pub fn messages_sent(&self) -> u64 {
        self.reading.counts.messages
    }

    /// The durations of all RPCs that ended, added up, in seconds.
    #[allow(clippy::cast_precision_loss)] // 2^53 ns are 104 days of RPCs; past that the sum rounds
    pub fn duration_sum(&self) -> f64 {
        self.reading.counts.sum_nanos as f64 / 1e9
    }

    /// The newest sampled RPC of each bucket, the unbounded bucket last; empty if there never was one.
    #[cfg(feature = "opentelemetry")]
    pub fn exemplars(&self) -> &[Option<Exemplar>] {
        &self.reading.exemplars
    }

    /// How long RPCs took, from their start to their end.
    pub fn durations(&self) -> Durations {
        let counts = self.reading.counts.per_bucket();
        Durations { bounds: Arc::clone(&self.bounds), counts, sum: self.duration_sum() }
    }
}

/// The histogram of a method's durations. It counts RPCs that ended.
#[derive(Clone, Debug)]
pub struct Durations {
    bounds: Arc<[f64]>,
    counts: Vec<u64>,
    sum: f64,
}

impl Durations {
    /// The buckets, ascending: the upper bound in seconds, which is [`f64::INFINITY`] for the last one, and the RPCs that
    /// took no longer and were in no bucket before.
    pub fn buckets(&self) -> impl ExactSizeIterator<Item = (f64, u64)> {
        self.counts.iter().enumerate().map(|(i, count)| {
            let bound = self.bounds.get(i).copied().unwrap_or(f64::INFINITY);
            (bound, *count)
        })
    }

    /// RPCs in all buckets.
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// The durations of all RPCs, added up, in seconds.
    pub fn sum(&self) -> f64 {
        self.sum
    }
}
