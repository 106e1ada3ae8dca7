//! The shard of one thread: its counters of one method.

use std::sync::atomic::Ordering;

use super::arena::Counters;
use super::buckets::{Buckets, CLASSIC};
use super::native::NativeCounts;
use super::sync::{AtomicU64, OnceLock};

/// The counters of one code, or of a line of its native buckets: the sum of their durations in nanoseconds, then one
/// counter per bucket.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row<'a> {
    counters: &'a Counters,
    /// The index of the row's first counter.
    first: usize,
}

impl<'a> Row<'a> {
    /// Returns the number of counters in a row.
    fn len(buckets: &Buckets, line: u32) -> usize {
        1 + buckets.in_line(line)
    }

    #[inline]
    fn sum_nanos(self) -> &'a AtomicU64 {
        self.counters.get(self.first)
    }

    #[inline]
    fn bucket(self, bucket: usize) -> &'a AtomicU64 {
        self.counters.get(self.first + 1 + bucket)
    }

    #[inline]
    pub(super) fn finish<M: WriteMode>(self, bucket: usize, nanos: u64) {
        // Relaxed: published by the release below, so that a scrape's sum covers its count.
        M::add(self.sum_nanos(), nanos, Ordering::Relaxed);
        // Release: publishes the start, see `MethodCells`.
        M::add(self.bucket(bucket), 1, Ordering::Release);
    }

    /// Adds the row with this key to one of classic buckets, and to the counts of native buckets, if there are any.
    pub(super) fn add_to(
        self,
        key: RowKey,
        buckets: &Buckets,
        row: &mut [u64],
        native: Option<&mut NativeCounts>,
    ) {
        let Some((sum, classic)) = row.split_first_mut() else { return };
        // Acquire, for all buckets: pairs with the release in `finish`.
        let read = |at| self.bucket(at).load(Ordering::Acquire);
        if let Some((both, native)) = buckets.native().zip(native) {
            for at in 0..buckets.in_line(key.line) {
                let finished = read(at);
                if let Some((bucket, index)) = both.of(key.line, at).filter(|_| finished > 0) {
                    classic[bucket] += finished;
                    native.add(index, finished);
                }
            }
        } else {
            for (at, finished) in classic.iter_mut().enumerate() {
                *finished += read(at);
            }
        }
        // Relaxed: ordered after the buckets by their acquire.
        *sum = sum.wrapping_add(self.sum_nanos().load(Ordering::Relaxed));
    }
}

/// How a counter is incremented.
pub(super) trait WriteMode {
    fn add(counter: &AtomicU64, n: u64, ordering: Ordering);
}

/// The only writer of the counter. A load and a store cost no more than on a plain integer, and no increment is lost,
/// because no other thread stores between the two.
pub(super) struct SingleWriter;

impl WriteMode for SingleWriter {
    #[cfg(not(cells_model))]
    #[inline]
    fn add(counter: &AtomicU64, n: u64, ordering: Ordering) {
        // Relaxed: the last store was by this thread or by the previous holder of the lease.
        counter.store(counter.load(Ordering::Relaxed).wrapping_add(n), ordering);
    }

    // With a load by the writer, loom misses orders of the readers. For a single writer, which the model asserts, an
    // atomic addition is equivalent.
    #[cfg(cells_model)]
    fn add(counter: &AtomicU64, n: u64, ordering: Ordering) {
        counter.fetch_add(n, ordering);
    }
}

/// One of many writers of the counter.
pub(super) struct MultiWriter;

impl WriteMode for MultiWriter {
    fn add(counter: &AtomicU64, n: u64, ordering: Ordering) {
        counter.fetch_add(n, ordering);
    }
}

/// The key of a row: its code, and its line or [`CLASSIC`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RowKey {
    code: u32,
    line: u32,
}

impl RowKey {
    #[inline]
    #[allow(clippy::cast_possible_truncation)] // there are 17 codes
    pub(super) fn new(code: usize, line: u32) -> Self {
        Self { code: code as u32, line }
    }

    /// Returns whether the row has the classic buckets of its code.
    pub(super) fn is_classic(self) -> bool {
        self.line == CLASSIC
    }

    pub(super) fn code(self) -> usize {
        self.code as usize
    }
}

/// The row that is always allocated, because most RPCs end with its code. With native buckets, it is empty.
const FIRST: RowKey = RowKey { code: 0, line: CLASSIC };

/// The counters of one method under one lease.
#[derive(Debug)]
pub(super) struct ThreadCells {
    /// RPCs that started, messages, and the row [`FIRST`].
    counters: Counters,
    // Most methods see one or two more of the 17 codes, and their durations are in a few lines of native buckets. So
    // further rows are allocated on first use.
    others: Others,
}

const STARTED: usize = 0;
const MESSAGES: usize = 1;
const ROW: usize = 2;

/// Further rows: a list that only grows, in the order of first use.
type Others = OnceLock<Box<Other>>;

#[derive(Debug)]
struct Other {
    key: RowKey,
    row: Counters,
    next: Others,
}

impl Other {
    fn row(&self) -> Row<'_> {
        Row { counters: &self.row, first: 0 }
    }
}

impl ThreadCells {
    /// `allocate` returns that many counters, which only the shard's writer writes.
    pub(super) fn new(buckets: &Buckets, allocate: impl FnOnce(usize) -> Counters) -> Self {
        let counters = allocate(ROW + Row::len(buckets, FIRST.line));
        Self { counters, others: OnceLock::new() }
    }

    #[inline]
    pub(super) fn start<M: WriteMode>(&self) {
        // Relaxed: the release in `finish` publishes it, see `MethodCells`.
        M::add(self.counters.get(STARTED), 1, Ordering::Relaxed);
    }

    #[inline]
    pub(super) fn message<M: WriteMode>(&self) {
        // Relaxed: no other counter is compared with this one.
        M::add(self.counters.get(MESSAGES), 1, Ordering::Relaxed);
    }

    /// Returns the row, if it is allocated.
    #[inline]
    pub(super) fn row(&self, key: RowKey) -> Option<Row<'_>> {
        if key == FIRST { Some(self.first_row()) } else { self.other_row(key) }
    }

    /// Returns the row, allocating it if needed. `allocate` is as in [`new`](Self::new).
    pub(super) fn row_or_insert(
        &self,
        key: RowKey,
        buckets: &Buckets,
        allocate: impl Fn(usize) -> Counters,
    ) -> Row<'_> {
        if key == FIRST {
            return self.first_row();
        }
        let mut others = &self.others;
        loop {
            let other = others.get_or_init(|| {
                let row = allocate(Row::len(buckets, key.line));
                Box::new(Other { key, row, next: OnceLock::new() })
            });
            if other.key == key {
                return other.row();
            }
            others = &other.next;
        }
    }

    #[inline]
    fn first_row(&self) -> Row<'_> {
        Row { counters: &self.counters, first: ROW }
    }

    #[inline]
    fn other_row(&self, key: RowKey) -> Option<Row<'_>> {
        let mut others = &self.others;
        loop {
            let other = others.get()?;
            if other.key == key {
                return Some(other.row());
            }
            others = &other.next;
        }
    }

    fn others(&self) -> impl Iterator<Item = &Other> {
        let first = self.others.get();
        std::iter::successors(first, |other| other.next.get()).map(|other| &**other)
    }

    /// Returns the allocated rows with their keys.
    pub(super) fn rows(&self) -> impl Iterator<Item = (RowKey, Row<'_>)> {
        let others = self.others().map(|other| (other.key, other.row()));
        [(FIRST, self.first_row())].into_iter().chain(others)
    }

    pub(super) fn started(&self) -> u64 {
        // Relaxed: ordered after the buckets by their acquire.
        self.counters.get(STARTED).load(Ordering::Relaxed)
    }

    pub(super) fn messages(&self) -> u64 {
        // Relaxed: no other counter is compared with this one.
        self.counters.get(MESSAGES).load(Ordering::Relaxed)
    }
}
