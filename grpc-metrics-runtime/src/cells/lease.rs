//! Which cells the current thread may write: those under the index it has leased.

#[cfg(not(cells_model))]
use std::cell::Cell;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::PoisonError;

use super::sync::{Mutex, shared};

/// Indices given back, and the first one never given out.
struct Pool {
    returned: BinaryHeap<Reverse<usize>>,
    next: usize,
}

shared! {
    static POOL: Mutex<Pool> = Mutex::new(Pool { returned: BinaryHeap::new(), next: 0 });
}

/// A thread's right to be the only writer of all cells under one index.
///
/// The pool's mutex hands over more than the index: what the previous holder wrote happens before
/// the next holder's first read, so a leased counter may be read and written with relaxed ordering.
struct Lease(usize);

impl Lease {
    fn take() -> Self {
        let mut pool = POOL.lock().unwrap_or_else(PoisonError::into_inner);
        // The smallest first, so that cells in use stay dense while threads come and go.
        let index = if let Some(Reverse(index)) = pool.returned.pop() {
            index
        } else {
            pool.next += 1;
            pool.next - 1
        };
        Self(index)
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        #[cfg(not(cells_model))]
        INDEX.set(NONE);
        POOL.lock().unwrap_or_else(PoisonError::into_inner).returned.push(Reverse(self.0));
    }
}

/// The index of a thread that holds no lease: past every table's end.
pub(super) const NONE: usize = usize::MAX;

#[cfg(not(cells_model))]
thread_local! {
    /// What `LEASE` says. Without a destructor, reading it is one load.
    static INDEX: Cell<usize> = const { Cell::new(NONE) };
    static LEASE: Lease = {
        let lease = Lease::take();
        INDEX.set(lease.0);
        lease
    };
}

/// The current thread's index; [`NONE`] before [`take`] and after the lease was given back.
#[cfg(not(cells_model))]
#[inline]
pub(super) fn current() -> usize {
    INDEX.get()
}

/// The current thread's index, which it leases now if it holds none; `None` while the thread's locals are
/// being torn down, when the lease may have gone to another thread already.
#[cfg(not(cells_model))]
pub(super) fn take() -> Option<usize> {
    LEASE.try_with(|lease| lease.0).ok()
}

#[cfg(cells_model)]
pub(super) use for_the_model::{current, during, take};

/// loom tears a thread's locals down when its statics, and so the pool, are gone. In the model a thread
/// takes and returns its lease where it says so.
#[cfg(cells_model)]
mod for_the_model {
    use std::cell::{Cell, RefCell};
    use std::collections::BTreeSet;

    use super::Lease;

    loom::thread_local! {
        static INDEX: Cell<Option<usize>> = Cell::new(None);
    }

    pub(crate) fn current() -> usize {
        take().unwrap_or(super::NONE)
    }

    pub(crate) fn take() -> Option<usize> {
        INDEX.with(Cell::get)
    }

    /// Runs the life of a thread that counts.
    pub(crate) fn during(life: impl FnOnce()) {
        // All threads of a model are run by one of the system's.
        std::thread_local! {
            static HELD: RefCell<BTreeSet<usize>> = const { RefCell::new(BTreeSet::new()) };
        }

        let lease = Lease::take();
        let sole = HELD.with_borrow_mut(|held| held.insert(lease.0));
        assert!(sole, "two threads hold the lease {}", lease.0);
        INDEX.with(|index| index.set(Some(lease.0)));
        life();
        INDEX.with(|index| index.set(None));
        HELD.with_borrow_mut(|held| held.remove(&lease.0));
    }
}

#[cfg(all(test, not(cells_model)))]
mod tests {
    use std::collections::BTreeSet;
    use std::thread;

    use super::take;

    /// Other tests' threads hold leases too, but not as many as there are threads here.
    #[test]
    fn threads_one_after_another_take_over_each_other_s_cells() {
        let lease = || thread::spawn(take).join().expect("it takes a lease");
        let leases: BTreeSet<_> = (0..200).map(|_| lease()).collect();
        assert!(leases.len() < 100, "{leases:?}");
    }
}
