//! Waiting for what is bound to happen.

use std::fmt::Debug;
use std::panic::Location;
use std::thread;
use std::time::{Duration, Instant};

use tokio::time::sleep;

/// Bounds a test that has failed, and no other.
const LIMIT: Duration = Duration::from_secs(300);
const PAUSE: Duration = Duration::from_millis(2);

/// Waits until `state` is what it should be. A wait in vain is told with the line that waits.
#[track_caller]
pub fn until<T: Debug>(
    mut state: impl FnMut() -> T,
    is_due: impl Fn(&T) -> bool,
) -> impl Future<Output = T> {
    let limit = Limit::start();
    async move {
        loop {
            let now = state();
            if is_due(&now) {
                return now;
            }
            limit.check(&now);
            sleep(PAUSE).await;
        }
    }
}

/// Waits until the two are equal.
#[track_caller]
pub fn until_eq<T: Debug + PartialEq>(
    state: impl FnMut() -> T,
    expected: T,
) -> impl Future<Output = ()> {
    let equal = until(state, move |now| *now == expected);
    async {
        equal.await;
    }
}

/// The same, for a thread.
#[track_caller]
pub fn block_until<T: Debug>(mut state: impl FnMut() -> T, is_due: impl Fn(&T) -> bool) -> T {
    let limit = Limit::start();
    loop {
        let now = state();
        if is_due(&now) {
            return now;
        }
        limit.check(&now);
        thread::sleep(PAUSE);
    }
}

struct Limit {
    start: Instant,
    waits: &'static Location<'static>,
}

impl Limit {
    #[track_caller]
    fn start() -> Self {
        Self { start: Instant::now(), waits: Location::caller() }
    }

    fn check(&self, now: &impl Debug) {
        assert!(
            self.start.elapsed() < LIMIT,
            "{}: waited in vain; at the end: {now:?}",
            self.waits
        );
    }
}
