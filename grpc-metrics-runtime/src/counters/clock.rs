//! The clock for durations.
//!
//! It reads the processor's time-stamp counter if that is reliable (invariant, synchronised across cores), else the
//! operating system's monotonic clock. A read costs about half as much as `std::time::Instant::now`.

/// A clock that counts ticks.
///
/// The first [`new`](Self::new) calibrates the tick rate, which takes some milliseconds. A
/// [`GrpcMetrics`](crate::GrpcMetrics) calls it when it is built, so that no RPC has to.
#[derive(Clone, Debug)]
pub(crate) struct Clock(quanta::Clock);

/// A reading of the clock.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Instant(u64);

impl Instant {
    /// An instant before any reading.
    pub(crate) const NEVER: Self = Self(0);
}

impl Clock {
    pub(crate) fn new() -> Self {
        Self(quanta::Clock::new())
    }

    /// Another clock than the machine's, for a test that has to say what time it is.
    pub(crate) fn from_quanta(clock: quanta::Clock) -> Self {
        Self(clock)
    }

    #[inline]
    pub(crate) fn now(&self) -> Instant {
        Instant(self.0.raw())
    }

    /// Returns the nanoseconds since `start`, or 0 if the counters of two cores disagree.
    #[inline]
    pub(crate) fn nanos_since(&self, start: Instant) -> u64 {
        self.0.delta_as_nanos(start.0, self.0.raw())
    }
}
