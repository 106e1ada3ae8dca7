//! The lease of the current thread: the index of the shard that it may write.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::PoisonError;

use super::arena::{Arena, Counters};
use super::sync::{Mutex, shared};

/// The returned indices with their arenas, and the next unused index.
struct Pool {
    returned: BTreeMap<usize, Arena>,
    next: usize,
}

shared! {
    static POOL: Mutex<Pool> = Mutex::new(Pool { returned: BTreeMap::new(), next: 0 });
}

/// The right of a thread to be the only writer of one shard, in every method.
///
/// The pool's mutex also orders memory: the previous holder's writes happen before the next holder's first read, so
/// relaxed ordering is enough for a leased counter.
struct Lease {
    index: usize,
    /// The arena for new counters.
    arena: Cell<Arena>,
}

impl Lease {
    fn take() -> Self {
        let mut pool = POOL.lock().unwrap_or_else(PoisonError::into_inner);
        // The smallest first, which keeps the tables dense while threads come and go.
        let (index, arena) = pool.returned.pop_first().unwrap_or_else(|| {
            pool.next += 1;
            (pool.next - 1, Arena::default())
        });
        Self { index, arena: Cell::new(arena) }
    }

    fn allocate(&self, counters: usize) -> Counters {
        let mut arena = self.arena.take();
        let given = arena.allocate(counters);
        self.arena.set(arena);
        given
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        #[cfg(not(cells_model))]
        INDEX.set(NONE);
        let mut pool = POOL.lock().unwrap_or_else(PoisonError::into_inner);
        pool.returned.insert(self.index, self.arena.take());
    }
}

/// The index of a thread without a lease, beyond the end of every table.
const NONE: usize = usize::MAX;

#[cfg(not(cells_model))]
thread_local! {
    /// A copy of the index in `LEASE`. It has no destructor, so a read is one load.
    static INDEX: Cell<usize> = const { Cell::new(NONE) };
    static LEASE: Lease = {
        let lease = Lease::take();
        INDEX.set(lease.index);
        lease
    };
}

/// Returns the current thread's index, or [`NONE`] before [`take`] and after the lease was returned.
#[cfg(not(cells_model))]
#[inline]
pub(super) fn current() -> usize {
    INDEX.get()
}

/// Returns the current thread's index, leasing one if needed. Returns `None` while the thread's locals are being
/// destroyed, because another thread may hold the lease already.
#[cfg(not(cells_model))]
pub(super) fn take() -> Option<usize> {
    LEASE.try_with(|lease| lease.index).ok()
}

/// Allocates counters that only the holders of the current lease write.
#[cfg(not(cells_model))]
pub(super) fn allocate(counters: usize) -> Counters {
    LEASE
        .try_with(|lease| lease.allocate(counters))
        // The thread has lost its lease, so the arena may be another thread's.
        .unwrap_or_else(|_| Counters::alone(counters))
}

#[cfg(cells_model)]
pub(super) use for_the_model::{allocate, current, during, take};

/// Leases in the model. loom destroys a thread's locals after its statics, and the pool is one of these. So a thread of
/// the model takes and returns its lease explicitly.
#[cfg(cells_model)]
mod for_the_model {
    use std::cell::RefCell;
    use std::collections::BTreeSet;
    use std::rc::Rc;

    use super::{Counters, Lease};

    loom::thread_local! {
        static LEASE: RefCell<Option<Rc<Lease>>> = RefCell::new(None);
    }

    fn lease() -> Option<Rc<Lease>> {
        LEASE.with(|lease| lease.borrow().clone())
    }

    pub(crate) fn current() -> usize {
        take().unwrap_or(super::NONE)
    }

    pub(crate) fn take() -> Option<usize> {
        lease().map(|lease| lease.index)
    }

    pub(crate) fn allocate(counters: usize) -> Counters {
        lease().expect("the thread has a lease").allocate(counters)
    }

    /// Runs `life` with a lease.
    pub(crate) fn during(life: impl FnOnce()) {
        // loom runs all threads of a model on one OS thread.
        std::thread_local! {
            static HELD: RefCell<BTreeSet<usize>> = const { RefCell::new(BTreeSet::new()) };
        }

        let lease = Rc::new(Lease::take());
        let is_unique = HELD.with_borrow_mut(|held| held.insert(lease.index));
        assert!(is_unique, "two threads hold the lease {}", lease.index);
        let outer = LEASE.with(|current| current.replace(Some(lease.clone())));
        life();
        LEASE.with(|current| current.replace(outer));
        HELD.with_borrow_mut(|held| held.remove(&lease.index));
    }
}

#[cfg(all(test, not(cells_model)))]
mod tests {
    use std::collections::BTreeSet;
    use std::thread;

    use super::take;

    /// Other tests' threads also hold leases, but fewer than this test spawns threads.
    #[test]
    fn a_new_thread_reuses_the_lease_of_one_that_has_ended() {
        let lease = || thread::spawn(take).join().expect("the thread takes a lease");
        let leases: BTreeSet<_> = (0..200).map(|_| lease()).collect();
        assert!(leases.len() < 100, "{leases:?}");
    }
}
