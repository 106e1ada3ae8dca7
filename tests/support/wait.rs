//! Waiting for what is bound to happen.

use std::fmt::Debug;
use std::thread;
use std::time::{Duration, Instant};

use tokio::time::sleep;

/// Bounds a test that has failed, and no other.
const LIMIT: Duration = Duration::from_secs(120);
const PAUSE: Duration = Duration::from_millis(2);

/// Waits until `state` is what it should be.
pub async fn until<T: Debug>(mut state: impl FnMut() -> T, is_due: impl Fn(&T) -> bool) -> T {
    let start = Instant::now();
    loop {
        let now = state();
        if is_due(&now) {
            return now;
        }
        assert!(start.elapsed() < LIMIT, "waited in vain; at the end: {now:?}");
        sleep(PAUSE).await;
    }
}

/// Waits until the two are equal.
pub async fn until_eq<T: Debug + PartialEq>(state: impl FnMut() -> T, expected: T) {
    until(state, |now| *now == expected).await;
}

/// The same, for a thread.
pub fn block_until<T: Debug>(mut state: impl FnMut() -> T, is_due: impl Fn(&T) -> bool) -> T {
    let start = Instant::now();
    loop {
        let now = state();
        if is_due(&now) {
            return now;
        }
        assert!(start.elapsed() < LIMIT, "waited in vain; at the end: {now:?}");
        thread::sleep(PAUSE);
    }
}
