//! A loom model of the cells, which tries the orders that the memory model allows, up to a bound. `docs/design.md` says
//! what it replaces, and why that is enough.
//!
//! `RUSTFLAGS="--cfg cells_model" cargo test -p grpc-metrics-runtime --release --lib model`

use std::sync::Arc;

use loom::thread::{self, JoinHandle};

use super::buckets::Buckets;
use super::labelled::LabelledCells;
use super::lease;
use super::method::{Counts, MethodCells};

/// Returns cells in which two leases have counted an RPC. All memory is allocated, so only the counters' own orderings
/// publish later counts.
fn cells() -> Arc<MethodCells> {
    // No bounds: one bucket, the fewest counters.
    let cells = MethodCells::new(Buckets::classic(Arc::from([])));
    let count = || {
        cells.start();
        cells.finish(0, 7);
    };
    lease::during(|| {
        count();
        lease::during(count);
    });
    Arc::new(cells)
}

const BEFORE: u64 = 2;

pub(crate) fn model(test: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    // Three preemptions. More find nothing more and take hours.
    builder.preemption_bound = Some(3);
    builder.check(test);
}

/// Spawns a thread that starts and finishes this many RPCs.
fn counting(cells: &Arc<MethodCells>, rpcs: usize) -> JoinHandle<()> {
    let cells = cells.clone();
    thread::spawn(move || {
        lease::during(|| {
            for _ in 0..rpcs {
                cells.start();
                cells.finish(0, 7);
            }
        });
    })
}

fn assert_consistent(counts: &Counts) {
    assert!(counts.started >= counts.finished(), "in flight is not negative");
    assert!(counts.sum_nanos() >= 7 * counts.finished(), "the sum covers the count");
}

#[test]
fn a_scrape_during_an_rpc_sees_no_finish_without_its_start() {
    model(|| {
        let cells = cells();
        let counting = counting(&cells, 2);
        assert_consistent(&cells.read());
        counting.join().unwrap();
        let counts = cells.read();
        assert_eq!((counts.started, counts.finished()), (BEFORE + 2, BEFORE + 2));
    });
}

#[test]
fn an_rpc_that_moves_to_another_thread_is_not_finished_before_it_started() {
    model(|| {
        let cells = cells();
        let moving = {
            let cells = cells.clone();
            thread::spawn(move || {
                lease::during(|| {
                    cells.start();
                    let cells = cells.clone();
                    // Synchronises the two threads, as does whatever moves an RPC.
                    let there = thread::spawn(move || lease::during(|| cells.finish(0, 7)));
                    there.join().unwrap();
                });
            })
        };
        assert_consistent(&cells.read());
        moving.join().unwrap();
        let counts = cells.read();
        assert_eq!((counts.started, counts.finished()), (BEFORE + 1, BEFORE + 1));
    });
}

#[test]
fn a_returned_lease_continues_from_its_counts() {
    model(|| {
        let cells = cells();
        // Whether the second thread gets the first one's lease depends on the order.
        let threads = [counting(&cells, 1), counting(&cells, 1)];
        for thread in threads {
            thread.join().unwrap();
        }
        let counts = cells.read();
        assert_eq!((counts.started, counts.finished()), (BEFORE + 2, BEFORE + 2));
    });
}

#[test]
fn a_code_that_was_not_seen_before_is_counted_like_the_others() {
    model(|| {
        let cells = cells();
        let failing = {
            let cells = cells.clone();
            thread::spawn(move || {
                lease::during(|| {
                    for _ in 0..2 {
                        cells.start();
                        cells.finish(1, 7);
                    }
                });
            })
        };
        assert_consistent(&cells.read());
        failing.join().unwrap();
        let counts = cells.read();
        assert_eq!((counts.started, counts.finished()), (BEFORE + 2, BEFORE + 2));
        assert_eq!((counts.with_code(0), counts.with_code(1)), (BEFORE, 2));
    });
}

#[test]
fn n1_a_native_bucket_that_was_not_hit_before_is_counted_like_the_others() {
    model(|| {
        let cells = MethodCells::new(Buckets::with_native(Arc::from([]), 1));
        // Allocates the row, but for the line of 7,000.
        lease::during(|| {
            cells.start();
            cells.finish(0, 7);
        });
        let cells = Arc::new(cells);
        let counting = {
            let cells = cells.clone();
            thread::spawn(move || {
                lease::during(|| {
                    for _ in 0..2 {
                        cells.start();
                        cells.finish(0, 7_000);
                    }
                });
            })
        };
        assert_consistent(&cells.read());
        counting.join().unwrap();
        let counts = cells.read();
        assert_eq!((counts.started, counts.finished()), (3, 3));
        assert_eq!(counts.sum_nanos(), 14_007);
    });
}

#[test]
fn a_guard_without_a_lease_is_counted_too() {
    model(|| {
        let cells = cells();
        let threads = [(); 2].map(|()| {
            let cells = cells.clone();
            thread::spawn(move || {
                cells.start();
                cells.finish(0, 7);
            })
        });
        assert_consistent(&cells.read());
        for thread in threads {
            thread.join().unwrap();
        }
        let counts = cells.read();
        assert_eq!((counts.started, counts.finished()), (BEFORE + 2, BEFORE + 2));
    });
}

#[test]
fn m4_a_scrape_sees_no_finish_of_a_value_without_its_start_and_adds_up_all_values() {
    model(|| {
        let cells = Arc::new(LabelledCells::new(Buckets::classic(Arc::from([])), 3));
        let rpc = |cells: &LabelledCells, value| {
            cells.start();
            cells.finish(0, 7, value);
        };
        // Allocates the memory of values 0 and 1.
        lease::during(|| (0..2).for_each(|value| rpc(&cells, value)));
        let counting = {
            let cells = cells.clone();
            thread::spawn(move || {
                lease::during(|| [1, 2].into_iter().for_each(|value| rpc(&cells, value)))
            })
        };
        let finished = |cells: &LabelledCells| {
            let counts = cells.read();
            assert_consistent(&counts.all);
            let by_value =
                counts.by_value.iter().map(|(value, counts)| (*value, counts.finished()));
            let by_value: Vec<_> = by_value.collect();
            let sum: u64 = by_value.iter().map(|(_, finished)| finished).sum();
            assert_eq!(sum, counts.all.finished());
            by_value
        };
        finished(&cells);
        counting.join().unwrap();
        assert_eq!(finished(&cells), [(0, 1), (1, 2), (2, 1)]);
        assert_eq!(cells.read().all.started, BEFORE + 2);
    });
}
