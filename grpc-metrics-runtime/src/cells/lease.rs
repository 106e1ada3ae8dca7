//! Which cells the current thread may write: those under the index it has leased.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::{Mutex, PoisonError};

/// Indices given back, and the first one never given out.
struct Pool {
    returned: BinaryHeap<Reverse<usize>>,
    next: usize,
}

static POOL: Mutex<Pool> = Mutex::new(Pool {
    returned: BinaryHeap::new(),
    next: 0,
});

/// A thread's right to be the only writer of all cells under one index.
///
/// The pool's mutex hands over more than the index: what the previous holder wrote happens before
/// the next holder's first read, so a leased counter may be read and written with relaxed ordering.
struct Lease(usize);

impl Lease {
    fn take() -> Self {
        let mut pool = POOL.lock().unwrap_or_else(PoisonError::into_inner);
        // The smallest first, so that cells in use stay dense while threads come and go.
        let index = match pool.returned.pop() {
            Some(Reverse(index)) => index,
            None => {
                pool.next += 1;
                pool.next - 1
            }
        };
        Self(index)
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        POOL.lock()
            .unwrap_or_else(PoisonError::into_inner)
            .returned
            .push(Reverse(self.0));
    }
}

thread_local! {
    static LEASE: Lease = Lease::take();
}

/// The current thread's index; `None` while the thread's locals are being torn down, when the lease
/// may have gone to another thread already.
#[inline]
pub(super) fn current() -> Option<usize> {
    LEASE.try_with(|lease| lease.0).ok()
}
