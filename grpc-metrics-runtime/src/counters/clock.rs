//! The clock that durations are read from.
//!
//! The processor's time-stamp counter where it can be trusted (invariant, in step across cores), the
//! operating system's monotonic clock elsewhere. Reading it costs about half of what
//! `std::time::Instant::now` costs.

/// Reads the time, in ticks of its own.
///
/// [`new`](Self::new) finds out how fast the counter ticks, which takes some milliseconds the first time. A
/// [`GrpcMetrics`](crate::GrpcMetrics) does it when it is built, so that no RPC has to.
#[derive(Clone, Debug)]
pub(crate) struct Clock(quanta::Clock);

/// A reading of the clock.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Instant(u64);

impl Instant {
    /// Before any reading.
    pub(crate) const NEVER: Self = Self(0);
}

impl Clock {
    pub(crate) fn new() -> Self {
        Self(quanta::Clock::new())
    }

    /// Another clock than the machine's, for a test that has to say what time it is.
    pub(crate) fn of(clock: quanta::Clock) -> Self {
        Self(clock)
    }

    #[inline]
    pub(crate) fn now(&self) -> Instant {
        Instant(self.0.raw())
    }

    /// Nanoseconds since this reading; 0 should the counters of two cores disagree.
    #[inline]
    pub(crate) fn nanos_since(&self, start: Instant) -> u64 {
        self.0.delta_as_nanos(start.0, self.0.raw())
    }
}
