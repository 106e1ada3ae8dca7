//! Evaluation of a method's objectives.

use crate::catalog::{Latency, Objectives};
use crate::counters::Counts;
use crate::grpc::CodeSet;

/// The kind of an objective, which is the `slo` label.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Slo {
    /// RPCs must not end with a [fault code](crate::GrpcMetricsBuilder::fault_codes).
    Availability,
    /// RPCs must take no longer than the objective's latency, however they end.
    Latency,
}

impl Slo {
    /// Returns the value of the `slo` label.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Availability => "availability",
            Self::Latency => "latency",
        }
    }
}

/// The counts of one objective of a method since the program started.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct SloCounts {
    /// The kind of the objective.
    pub slo: Slo,
    /// The objective as a ratio, such as 0.999.
    pub objective: f64,
    /// The RPCs that ended.
    pub events: u64,
    /// Of these, the RPCs that missed the objective.
    pub bad: u64,
}

/// Compares a method's counts with its objectives.
#[derive(Clone, Copy, Debug)]
pub(super) struct SloEvaluator {
    objectives: Objectives,
    faults: CodeSet,
    /// The number of buckets whose RPCs met the latency objective.
    fast_buckets: usize,
}

impl SloEvaluator {
    /// `bounds` are the method's bucket bounds in nanoseconds. A latency objective is one of them, unless the method is
    /// in a library that was loaded after the instance was built. Such an objective can't be evaluated exactly, so it
    /// is dropped.
    pub(super) fn new(mut objectives: Objectives, faults: CodeSet, bounds: &[u64]) -> Self {
        let latency = objectives.latency.map(|latency| bounds.binary_search(&latency.nanos));
        let fast_buckets = if let Some(Ok(bucket)) = latency {
            bucket + 1
        } else {
            objectives.latency = None;
            0
        };
        Self { objectives, faults, fast_buckets }
    }

    /// Returns the counts of each objective. Latency is exact to the nanosecond, because the objective is a bucket
    /// bound and bounds are compared in nanoseconds.
    pub(super) fn evaluate(&self, counts: &Counts) -> Vec<SloCounts> {
        let Objectives { availability, latency } = self.objectives;
        if self.objectives == Objectives::NONE {
            return Vec::new();
        }
        let events = counts.finished();
        let availability = availability.map(|objective| {
            let bad = self.faults.iter().map(|code| counts.with_code(code as usize)).sum();
            SloCounts { slo: Slo::Availability, objective, events, bad }
        });
        let latency = latency.map(|Latency { ratio, .. }| {
            let slow = counts.per_bucket().iter().skip(self.fast_buckets).sum();
            SloCounts { slo: Slo::Latency, objective: ratio, events, bad: slow }
        });
        availability.into_iter().chain(latency).collect()
    }
}

#[cfg(all(test, not(cells_model)))]
mod tests {
    use std::sync::Arc;

    use tonic::Code;

    use super::*;
    use crate::counters::{Buckets, Clock, LabelValue, MethodCounters};
    use crate::grpc::MethodKind;

    const OBJECTIVE: u64 = 60_000_000;

    /// Returns how many of three RPCs are bad, which take a nanosecond less than the objective, as long, and a
    /// nanosecond more.
    fn slow_of_three(bounds: &[u64]) -> Option<u64> {
        let no_faults = CodeSet::from_iter([]);
        let counters = MethodCounters::new(
            MethodKind::Unary,
            false,
            no_faults,
            Buckets::classic(Arc::from(bounds)),
            Clock::new(),
            None,
        );
        for nanos in [OBJECTIVE - 1, OBJECTIVE, OBJECTIVE + 1] {
            counters.start();
            counters.end(Code::Ok, nanos, LabelValue::NONE);
        }
        let latency = Some(Latency { nanos: OBJECTIVE, ratio: 0.95 });
        let objectives = Objectives { availability: None, latency };
        let evaluator = SloEvaluator::new(objectives, no_faults, bounds);
        evaluator.evaluate(&counters.read().counts).first().map(|slo| slo.bad)
    }

    #[test]
    fn h4_latency_is_evaluated_by_the_nanosecond() {
        for bounds in [
            &[OBJECTIVE][..],
            &[OBJECTIVE / 2, OBJECTIVE],
            &[OBJECTIVE, OBJECTIVE * 2],
            &[1, OBJECTIVE - 1, OBJECTIVE, OBJECTIVE + 1],
        ] {
            assert_eq!(slow_of_three(bounds), Some(1), "{bounds:?}");
        }
    }

    #[test]
    fn h4_latency_is_not_evaluated_by_another_bound() {
        assert_eq!(slow_of_three(&[OBJECTIVE / 2, OBJECTIVE * 2]), None);
    }
}
