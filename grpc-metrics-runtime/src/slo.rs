//! What a service promises, and how well it keeps it.

use tonic::Code;

use crate::cells::Counts;

/// What is promised of a method; written as `slo(…)` on the attribute or the method.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Objectives {
    /// The share of RPCs that do not fail by the server's fault.
    pub(crate) availability: Option<f64>,
    pub(crate) latency: Option<Latency>,
}

/// The share of RPCs that take no longer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Latency {
    pub(crate) nanos: u64,
    pub(crate) ratio: f64,
}

impl Objectives {
    /// What holds where impls share their labels: the stricter of both.
    pub(crate) fn and(self, other: Self) -> Self {
        let stricter = |a: Option<f64>, b: Option<f64>| a.into_iter().chain(b).reduce(f64::max);
        let latencies = self.latency.into_iter().chain(other.latency);
        let latency = latencies
            .reduce(|a, b| Latency { nanos: a.nanos.min(b.nanos), ratio: a.ratio.max(b.ratio) });
        Self { availability: stricter(self.availability, other.availability), latency }
    }

    /// Of a method of which nothing is promised.
    pub(crate) const NONE: Self = Self { availability: None, latency: None };
}

/// What an objective is about: the `slo` label.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Slo {
    /// RPCs that do not fail by the server's fault.
    Availability,
    /// RPCs that take no longer than the objective says, however they end.
    Latency,
}

impl Slo {
    /// As a label's value.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Availability => "availability",
            Self::Latency => "latency",
        }
    }
}

/// How well a method has kept one of its objectives since the program started.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct SloCounts {
    /// What the objective is about.
    pub slo: Slo,
    /// The share of RPCs that is promised to be good: 0.999.
    pub objective: f64,
    /// RPCs that ended.
    pub events: u64,
    /// Those of them that were not good.
    pub bad: u64,
}

/// The codes that mean a fault of the server.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FaultCodes(u32);

impl FaultCodes {
    /// `Ok` is never among them.
    pub(crate) fn new(codes: &[Code]) -> Self {
        Self(codes.iter().fold(0, |set, code| set | 1 << *code as u32))
    }

    pub(crate) fn include(self, code: Code) -> bool {
        self.0 & 1 << code as u32 != 0
    }
}

/// Judges a method's counts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Judge {
    objectives: Objectives,
    faults: FaultCodes,
    /// Buckets of RPCs that were fast enough.
    fast_buckets: usize,
}

impl Judge {
    /// `bounds` are those of the method's buckets, in nanoseconds. A latency objective is among them, but for
    /// a method of a library that was loaded after the instance was built: its latency can't be told
    /// exactly, and so is not told.
    pub(crate) fn new(mut objectives: Objectives, faults: FaultCodes, bounds: &[u64]) -> Self {
        let latency = objectives.latency.map(|latency| bounds.binary_search(&latency.nanos));
        let fast_buckets = if let Some(Ok(bucket)) = latency {
            bucket + 1
        } else {
            objectives.latency = None;
            0
        };
        Self { objectives, faults, fast_buckets }
    }

    /// Whether the code means a fault of the server.
    #[cfg(feature = "tracing")]
    pub(crate) fn is_fault(&self, code: Code) -> bool {
        self.faults.include(code)
    }

    /// One for each objective. A latency is judged by the nanosecond, since the buckets are counted so
    /// and the objective is the bound of one.
    pub(crate) fn judge(&self, counts: &Counts) -> Vec<SloCounts> {
        let Objectives { availability, latency } = self.objectives;
        let events = counts.finished();
        let availability = availability.map(|objective| {
            let faults = (0..=16).filter(|code| self.faults.include(Code::from(*code)));
            let bad = faults.map(|code| counts.of_code(Code::from(code) as usize)).sum();
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

    use super::*;
    use crate::cells::MethodCells;

    const OBJECTIVE: u64 = 60_000_000;

    /// How many of three RPCs are bad that take a nanosecond less, as long, and a nanosecond more.
    fn slow_of_three(bounds: &[u64]) -> Option<u64> {
        let cells = MethodCells::new(Arc::from(bounds));
        for nanos in [OBJECTIVE - 1, OBJECTIVE, OBJECTIVE + 1] {
            cells.start();
            cells.finish(Code::Ok as usize, nanos);
        }
        let latency = Some(Latency { nanos: OBJECTIVE, ratio: 0.95 });
        let objectives = Objectives { availability: None, latency };
        let judged = Judge::new(objectives, FaultCodes::new(&[]), bounds).judge(&cells.read());
        judged.first().map(|slo| slo.bad)
    }

    #[test]
    fn h4_latency_is_judged_by_the_nanosecond() {
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
    fn h4_latency_is_not_judged_by_another_bound() {
        assert_eq!(slow_of_three(&[OBJECTIVE / 2, OBJECTIVE * 2]), None);
    }

    #[test]
    fn h1_where_labels_are_shared_the_stricter_objective_holds() {
        let latency = |nanos, ratio| Some(Latency { nanos, ratio });
        let a = Objectives { availability: Some(0.9), latency: latency(5, 0.9) };
        let b = Objectives { availability: Some(0.99), latency: latency(7, 0.95) };
        let both = Objectives { availability: Some(0.99), latency: latency(5, 0.95) };
        assert_eq!((a.and(b), b.and(a)), (both, both));
        assert_eq!((a.and(Objectives::NONE), Objectives::NONE.and(a)), (a, a));
    }
}
