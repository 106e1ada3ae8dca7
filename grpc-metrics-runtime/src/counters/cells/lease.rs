//! Which cells the current thread may write: those under the index it has leased.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::PoisonError;

use super::arena::{Arena, Counters};
use super::sync::{Mutex, shared};

/// Indices given back, each with its arena, and the first one never given out.
struct Pool {
    returned: BTreeMap<usize, Arena>,
    next: usize,
}

shared! {
    static POOL: Mutex<Pool> = Mutex::new(Pool { returned: BTreeMap::new(), next: 0 });
}

/// A thread's right to be the only writer of all cells under one index.
///
/// The pool's mutex hands over more than the index: what the previous holder wrote happens before
/// the next holder's first read, so a leased counter may be read and written with relaxed ordering.
struct Lease {
    index: usize,
    /// Where the counters of further cells come from.
    arena: Cell<Arena>,
}

impl Lease {
    fn take() -> Self {
        let mut pool = POOL.lock().unwrap_or_else(PoisonError::into_inner);
        // The smallest first, so that cells in use stay dense while threads come and go.
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

/// The index of a thread that holds no lease: past every table's end.
const NONE: usize = usize::MAX;

#[cfg(not(cells_model))]
thread_local! {
    /// What `LEASE` says. Without a destructor, reading it is one load.
    static INDEX: Cell<usize> = const { Cell::new(NONE) };
    static LEASE: Lease = {
        let lease = Lease::take();
        INDEX.set(lease.index);
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
    LEASE.try_with(|lease| lease.index).ok()
}

/// So many counters that only the current lease's holders write.
#[cfg(not(cells_model))]
pub(super) fn allocate(counters: usize) -> Counters {
    LEASE
        .try_with(|lease| lease.allocate(counters))
        // Of a thread that is losing its lease, and so of nobody else.
        .unwrap_or_else(|_| Counters::alone(counters))
}

#[cfg(cells_model)]
pub(super) use for_the_model::{allocate, current, during, take};

/// loom tears a thread's locals down when its statics, and so the pool, are gone. In the model a thread
/// takes and returns its lease where it says so.
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
        lease().expect("it was taken").allocate(counters)
    }

    /// Runs the life of a thread that counts.
    pub(crate) fn during(life: impl FnOnce()) {
        // All threads of a model are run by one of the system's.
        std::thread_local! {
            static HELD: RefCell<BTreeSet<usize>> = const { RefCell::new(BTreeSet::new()) };
        }

        let lease = Rc::new(Lease::take());
        let sole = HELD.with_borrow_mut(|held| held.insert(lease.index));
        assert!(sole, "two threads hold the lease {}", lease.index);
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

    /// Other tests' threads hold leases too, but not as many as there are threads here.
    #[test]
    fn threads_one_after_another_take_over_each_other_s_cells() {
        let lease = || thread::spawn(take).join().expect("it takes a lease");
        let leases: BTreeSet<_> = (0..200).map(|_| lease()).collect();
        assert!(leases.len() < 100, "{leases:?}");
    }
}
