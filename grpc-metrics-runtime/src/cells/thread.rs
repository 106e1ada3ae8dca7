//! What one thread counts for one method.

use std::sync::atomic::Ordering;

use super::CODES;
use super::sync::{AtomicU64, OnceLock};

/// Counters per cache line pair. Processors fetch lines in pairs, so 128 bytes keep two threads apart.
const PER_LINE: usize = 16;

#[derive(Debug, Default)]
#[repr(align(128))]
struct Line([AtomicU64; PER_LINE]);

/// The sum of the durations of one outcome, in nanoseconds, followed by one counter per bucket. One line holds
/// all of the default buckets.
#[derive(Debug)]
pub(super) struct Row(Box<[Line]>);

impl Row {
    fn new(buckets: usize) -> Self {
        Self((0..(1 + buckets).div_ceil(PER_LINE)).map(|_| Line::default()).collect())
    }

    #[inline]
    fn counter(&self, i: usize) -> &AtomicU64 {
        &self.0[i / PER_LINE].0[i % PER_LINE]
    }

    #[inline]
    fn sum_nanos(&self) -> &AtomicU64 {
        self.counter(0)
    }

    #[inline]
    fn bucket(&self, bucket: usize) -> &AtomicU64 {
        self.counter(1 + bucket)
    }

    #[inline]
    pub(super) fn finish<W: Writer>(&self, bucket: usize, nanos: u64) {
        // Relaxed: published by the release below, so that a scrape's sum covers what it counts.
        W::add(self.sum_nanos(), nanos, Ordering::Relaxed);
        // Release: see `MethodCells` for what it publishes.
        W::add(self.bucket(bucket), 1, Ordering::Release);
    }
}

/// How a counter is raised.
pub(super) trait Writer {
    fn add(counter: &AtomicU64, n: u64, ordering: Ordering);
}

/// The only writer of the counter: a load and a store, which cost no more than they do on a plain
/// integer. No increment is lost, since nobody else stores between the two.
pub(super) struct Sole;

impl Writer for Sole {
    #[cfg(not(cells_model))]
    #[inline]
    fn add(counter: &AtomicU64, n: u64, ordering: Ordering) {
        // Relaxed: reads back what this thread, or the holder of the lease before it, stored.
        counter.store(counter.load(Ordering::Relaxed).wrapping_add(n), ordering);
    }

    // A writer's own load makes loom lose sight of the readers. For a sole writer, which the model
    // asserts, this is the same.
    #[cfg(cells_model)]
    fn add(counter: &AtomicU64, n: u64, ordering: Ordering) {
        counter.fetch_add(n, ordering);
    }
}

/// One of many writers of the counter.
pub(super) struct Shared;

impl Writer for Shared {
    fn add(counter: &AtomicU64, n: u64, ordering: Ordering) {
        counter.fetch_add(n, ordering);
    }
}

/// The counters of one method under one lease.
///
/// Aligned like [`Line`]: two threads never write into the same pair of cache lines.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(super) struct ThreadCells {
    started: AtomicU64,
    messages: AtomicU64,
    // Most methods see two or three of the 17 codes, so the rows come as codes are seen.
    rows: [OnceLock<Row>; CODES],
}

impl ThreadCells {
    #[inline]
    pub(super) fn start<W: Writer>(&self) {
        // Relaxed: the release in `finish` publishes it, see `MethodCells`.
        W::add(&self.started, 1, Ordering::Relaxed);
    }

    /// Where RPCs are counted that end with this code, once there was one.
    #[inline]
    pub(super) fn row(&self, code: usize) -> Option<&Row> {
        self.rows[code].get()
    }

    /// The same, from the first one on.
    pub(super) fn row_of(&self, code: usize, buckets: usize) -> &Row {
        self.rows[code].get_or_init(|| Row::new(buckets))
    }

    #[inline]
    pub(super) fn message<W: Writer>(&self) {
        // Relaxed: no other counter is compared with this one.
        W::add(&self.messages, 1, Ordering::Relaxed);
    }

    pub(super) fn started(&self) -> u64 {
        // Relaxed: ordered behind the reads of the buckets by their acquire.
        self.started.load(Ordering::Relaxed)
    }

    pub(super) fn messages(&self) -> u64 {
        // Relaxed: no other counter is compared with this one.
        self.messages.load(Ordering::Relaxed)
    }

    /// Adds what has finished to `finished`, one row of buckets per code, and gives the durations' sum in
    /// nanoseconds.
    pub(super) fn add_finished_to(&self, finished: &mut [u64], buckets: usize) -> u64 {
        let mut sum = 0_u64;
        for (row, finished) in self.rows.iter().zip(finished.chunks_exact_mut(buckets)) {
            let Some(row) = row.get() else { continue };
            for (i, finished) in finished.iter_mut().enumerate() {
                // Acquire: pairs with the release in `finish`.
                *finished += row.bucket(i).load(Ordering::Acquire);
            }
            // Relaxed: ordered behind the buckets by their acquire.
            sum = sum.wrapping_add(row.sum_nanos().load(Ordering::Relaxed));
        }
        sum
    }
}
