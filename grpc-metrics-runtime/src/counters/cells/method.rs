//! The sharded counters of a method, and how a scrape reads them.

use super::arena::Counters;
use super::buckets::{Buckets, Slot};
use super::lease;
use super::native::{NativeCounts, NativeRows};
use super::per_lease::PerLease;
use super::sync::OnceLock;
use super::thread::{MultiWriter, RowKey, SingleWriter, ThreadCells};

/// The counters of one method.
///
/// # One shard per thread
///
/// If many threads add to one counter, each addition transfers a cache line. So every thread leases an index for its
/// lifetime, and writes only the shard under that index: a relaxed load and a store, on a line that no other thread
/// writes. A scrape sums the shards. When a thread ends, its index returns to the pool and its counts stay; a later
/// thread continues from them. So memory is bounded by the maximum number of simultaneous threads.
///
/// The index belongs to the thread, not to the method. So a thread leases once and returns nothing per method.
///
/// # Guarantees of a scrape
///
/// - *Requests and histogram agree.* An RPC that ends increments one counter, that of its code and bucket. Requests by
///   code and the histogram are both sums of these, from the same reads.
/// - *In flight is never negative.* It is started − finished, and [`read`](Self::read) reads finished RPCs first. An
///   RPC may start on one thread and finish on another. Its start happens before its finish (whatever moves it
///   synchronises the two), the finish is a release, and the scrape's read of it is an acquire. So if the scrape sees
///   the finish, it sees the start. In the opposite order, an RPC that ran between the two reads would only be counted
///   as finished.
/// - *Threads that begin during a scrape* are seen or not. If the first pass sees one, so does the second, because
///   shards are never removed.
/// - *Counters never decrease.* Each counter only grows, and later scrapes see later values (the registry's lock, or
///   the caller's order, is between them).
///
/// An RPC may end after its thread has returned its lease: in the destructor of another thread-local. It is counted in
/// a shard that any thread may write, with atomic additions.
#[derive(Debug)]
pub(crate) struct MethodCells {
    leased: PerLease<ThreadCells>,
    /// Allocated on first use, which is rare.
    unleased: OnceLock<Box<ThreadCells>>,
    /// In nanoseconds.
    buckets: Buckets,
}

/// The counts of a method when it was read.
#[derive(Clone, Debug)]
pub(crate) struct Counts {
    pub(crate) started: u64,
    pub(crate) messages: u64,
    buckets: usize,
    /// The codes with a row in `finished`. A row may be all zeros.
    codes: Vec<usize>,
    /// One row per code: the sum of durations in nanoseconds, which wraps after 584 years, and the RPCs per bucket, not
    /// cumulative, the unbounded bucket last.
    finished: Vec<u64>,
    /// The same by native bucket, if there are any. Boxed, since most programs have none.
    native: Option<Box<NativeRows>>,
}

impl Counts {
    /// Returns the RPCs that ended with this code.
    pub(crate) fn with_code(&self, code: usize) -> u64 {
        self.row(code).map_or(0, |(_, buckets)| buckets.iter().sum())
    }

    /// Returns the RPCs that ended with this code: the sum of their durations in nanoseconds, and how many there are
    /// per bucket. `None` is none.
    pub(crate) fn row(&self, code: usize) -> Option<(u64, &[u64])> {
        let at = self.codes.iter().position(|known| *known == code)?;
        let (sum, buckets) = self.finished.chunks_exact(self.row_len()).nth(at)?.split_first()?;
        Some((*sum, buckets))
    }

    fn rows(&self) -> impl Iterator<Item = (u64, &[u64])> {
        let rows = self.finished.chunks_exact(self.row_len());
        rows.filter_map(|row| row.split_first().map(|(sum, buckets)| (*sum, buckets)))
    }

    fn row_len(&self) -> usize {
        1 + self.buckets
    }

    /// Returns the RPCs that ended, per bucket.
    pub(crate) fn per_bucket(&self) -> Vec<u64> {
        let mut sum = vec![0; self.buckets];
        for (_, buckets) in self.rows() {
            sum.iter_mut().zip(buckets).for_each(|(sum, count)| *sum += count);
        }
        sum
    }

    /// Returns the RPCs that ended.
    pub(crate) fn finished(&self) -> u64 {
        self.rows().flat_map(|(_, buckets)| buckets).sum()
    }

    /// Returns the sum of all durations in nanoseconds. Wraps after 584 years.
    pub(crate) fn sum_nanos(&self) -> u64 {
        self.rows().fold(0, |sum, (nanos, _)| sum.wrapping_add(nanos))
    }

    /// Returns the RPCs that ended, per native bucket: with this code, or all. `None` without such buckets.
    #[cfg(feature = "native-histograms")]
    pub(crate) fn native(&self, code: Option<usize>) -> Option<NativeCounts> {
        let rows = self.codes.iter().zip(&self.native.as_ref()?.0);
        let mut sum = NativeCounts::default();
        rows.filter(|(of, _)| code.is_none_or(|code| **of == code))
            .for_each(|(_, counts)| sum.add_all(counts));
        Some(sum)
    }

    /// Adds the counts of other RPCs of the method.
    pub(super) fn add(&mut self, other: &Self) {
        self.started += other.started;
        self.messages += other.messages;
        for (code, row) in other.codes.iter().zip(other.finished.chunks_exact(other.row_len())) {
            let at = self.row_of(*code);
            let sums = self.row_mut(at).iter_mut();
            sums.zip(row).for_each(|(sum, count)| *sum = sum.wrapping_add(*count));
        }
        for (code, counts) in
            other.codes.iter().zip(other.native.iter().flat_map(|native| &native.0))
        {
            let at = self.row_of(*code);
            if let Some(native) = &mut self.native {
                native.0[at].add_all(counts);
            }
        }
    }

    /// Returns the index of this code's row, which is appended if needed.
    fn row_of(&mut self, code: usize) -> usize {
        let len = self.row_len();
        self.codes.iter().position(|known| *known == code).unwrap_or_else(|| {
            self.codes.push(code);
            self.finished.resize(self.codes.len() * len, 0);
            if let Some(native) = &mut self.native {
                native.0.push(NativeCounts::default());
            }
            self.codes.len() - 1
        })
    }

    fn row_mut(&mut self, at: usize) -> &mut [u64] {
        let len = self.row_len();
        &mut self.finished[at * len..][..len]
    }
}

impl MethodCells {
    pub(crate) fn new(buckets: Buckets) -> Self {
        Self { leased: PerLease::default(), unleased: OnceLock::new(), buckets }
    }

    pub(super) fn buckets(&self) -> &Buckets {
        &self.buckets
    }

    #[inline]
    pub(crate) fn start(&self) {
        match self.cached() {
            Some(cells) => cells.start::<SingleWriter>(),
            None => self.start_slow(),
        }
    }

    /// `code` is a gRPC status code.
    #[inline]
    pub(crate) fn finish(&self, code: usize, nanos: u64) {
        let Slot { line, at } = self.buckets.slot(nanos);
        let key = RowKey::new(code, line);
        match self.cached().and_then(|cells| cells.row(key)) {
            Some(row) => row.finish::<SingleWriter>(at, nanos),
            None => self.finish_slow(key, at, nanos),
        }
    }

    #[inline]
    pub(crate) fn message(&self) {
        match self.cached() {
            Some(cells) => cells.message::<SingleWriter>(),
            None => self.message_slow(),
        }
    }

    #[inline(never)]
    fn start_slow(&self) {
        match self.leased() {
            Some(cells) => cells.start::<SingleWriter>(),
            None => self.unleased().start::<MultiWriter>(),
        }
    }

    #[inline(never)]
    fn finish_slow(&self, key: RowKey, at: usize, nanos: u64) {
        if let Some(cells) = self.leased() {
            let row = cells.row_or_insert(key, &self.buckets, lease::allocate);
            row.finish::<SingleWriter>(at, nanos);
        } else {
            let row = self.unleased().row_or_insert(key, &self.buckets, Counters::alone);
            row.finish::<MultiWriter>(at, nanos);
        }
    }

    #[inline(never)]
    fn message_slow(&self) {
        match self.leased() {
            Some(cells) => cells.message::<SingleWriter>(),
            None => self.unleased().message::<MultiWriter>(),
        }
    }

    /// Returns the sum over all shards. See the type's docs for its guarantees.
    pub(crate) fn read(&self) -> Counts {
        // The codes of the thread that has seen the most; mostly, there are no others.
        let codes = |cells: &ThreadCells| cells.rows().filter(|(key, _)| key.is_classic()).count();
        let codes = self.all().map(codes).max().unwrap_or(0);
        let mut counts = Counts {
            started: 0,
            messages: 0,
            buckets: self.buckets.count(),
            codes: Vec::with_capacity(codes),
            finished: Vec::with_capacity(codes * (1 + self.buckets.count())),
            native: self.buckets.has_native().then(Box::default),
        };
        for cells in self.all() {
            for (key, row) in cells.rows() {
                let at = counts.row_of(key.code());
                let len = counts.row_len();
                let Counts { finished, native, .. } = &mut counts;
                let native = native.as_mut().map(|native| &mut native.0[at]);
                row.add_to(key, &self.buckets, &mut finished[at * len..][..len], native);
            }
        }
        for cells in self.all() {
            counts.started += cells.started();
            counts.messages += cells.messages();
        }
        counts
    }

    /// Returns the current thread's shard, if an earlier RPC allocated it.
    #[inline]
    fn cached(&self) -> Option<&ThreadCells> {
        self.leased.get(lease::current())
    }

    /// Returns the current thread's shard, allocating it if needed. Returns `None` beyond a million threads, which
    /// share a shard.
    fn leased(&self) -> Option<&ThreadCells> {
        let new = || ThreadCells::new(&self.buckets, lease::allocate);
        self.leased.get_or_init(lease::take()?, new)
    }

    /// Returns the shard that any thread may write.
    fn unleased(&self) -> &ThreadCells {
        let new = || Box::new(ThreadCells::new(&self.buckets, Counters::alone));
        self.unleased.get_or_init(new)
    }

    fn all(&self) -> impl Iterator<Item = &ThreadCells> {
        self.leased.iter().chain(self.unleased.get().map(|cells| &**cells))
    }
}

#[cfg(all(test, not(cells_model)))]
mod tests {
    use std::sync::Arc;
    use std::thread;

    use super::*;

    /// What the loom model leaves out: the load and the store of a single writer, and the threads' real leases. Miri
    /// runs this in many orders, see `.ci/miri`.
    #[test]
    fn a5_a_scrape_beside_threads_sees_no_end_without_its_start() {
        const THREADS: u64 = 2;
        const RPCS: u64 = if cfg!(miri) { 3 } else { 10_000 };
        let cells = MethodCells::new(Buckets::classic(Arc::from([])));
        let count = || {
            for rpc in 0..RPCS {
                cells.start();
                cells.finish(usize::from(rpc % 2 == 1), 7);
            }
        };
        thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(count);
            }
            loop {
                let counts = cells.read();
                let finished = counts.finished();
                assert!(counts.started >= finished, "in flight is not negative");
                assert!(counts.sum_nanos() >= 7 * finished, "the sum covers the count");
                if finished == THREADS * RPCS {
                    break;
                }
                thread::yield_now();
            }
        });
        assert_eq!(cells.read().started, THREADS * RPCS);
    }
}
