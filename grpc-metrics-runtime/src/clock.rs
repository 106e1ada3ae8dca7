//! The clock that durations are read from.
//!
//! The processor's time-stamp counter where it can be trusted (invariant, in step across cores), the
//! operating system's monotonic clock elsewhere. Reading it costs about half of what
//! `std::time::Instant::now` costs.

use std::sync::OnceLock;

use quanta::Clock;

static CLOCK: OnceLock<Clock> = OnceLock::new();

fn clock() -> &'static Clock {
    CLOCK.get_or_init(Clock::new)
}

/// Finds out how fast the counter ticks, which takes some milliseconds. A [`GrpcMetrics`] does it when
/// it is built, so that no RPC has to.
///
/// [`GrpcMetrics`]: crate::GrpcMetrics
pub(crate) fn calibrate() {
    clock();
}

/// A reading of the clock, in ticks of its own.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Instant(u64);

impl Instant {
    /// Before any reading.
    pub(crate) const NEVER: Self = Self(0);

    #[inline]
    pub(crate) fn now() -> Self {
        Self(clock().raw())
    }

    /// Nanoseconds since this reading; 0 should the counters of two cores disagree.
    #[inline]
    pub(crate) fn elapsed_nanos(self) -> u64 {
        let clock = clock();
        clock.delta_as_nanos(self.0, clock.raw())
    }
}
