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
    /// `bounds` are those of the method's buckets, in nanoseconds; a latency objective is among them.
    pub(crate) fn new(objectives: Objectives, faults: FaultCodes, bounds: &[u64]) -> Self {
        let nanos = objectives.latency.map_or(0, |latency| latency.nanos);
        Self { objectives, faults, fast_buckets: bounds.partition_point(|bound| *bound <= nanos) }
    }

    /// One for each objective. A latency is judged by the nanosecond, since the buckets are counted so
    /// and the objective is the bound of one.
    pub(crate) fn judge(&self, counts: &Counts) -> Vec<SloCounts> {
        let Objectives { availability, latency } = self.objectives;
        let events = counts.finished();
        let availability = availability.map(|objective| {
            let faults = (0..=16).filter(|code| self.faults.include(Code::from(*code)));
            let of_code = |code: i32| counts.of_code(Code::from(code) as usize).iter().sum::<u64>();
            SloCounts { slo: Slo::Availability, objective, events, bad: faults.map(of_code).sum() }
        });
        let latency = latency.map(|Latency { ratio, .. }| {
            let slow = counts.per_bucket().iter().skip(self.fast_buckets).sum();
            SloCounts { slo: Slo::Latency, objective: ratio, events, bad: slow }
        });
        availability.into_iter().chain(latency).collect()
    }
}
