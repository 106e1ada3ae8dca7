//! The sharded counters of a method, and how a scrape reads them.

use std::sync::Arc;

use super::arena::Counters;
use super::lease;
use super::per_lease::PerLease;
use super::sync::OnceLock;
use super::thread::{MultiWriter, SingleWriter, ThreadCells};

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
    /// Upper bounds of the buckets in nanoseconds, without the unbounded one.
    bounds: Arc<[u64]>,
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
}

impl Counts {
    /// Returns the RPCs that ended with this code.
    pub(crate) fn with_code(&self, code: usize) -> u64 {
        self.row(code).map_or(0, |(_, buckets)| buckets.iter().sum())
    }

    /// Returns the RPCs that ended with this code: the sum of their durations in nanoseconds, and how many there are
    /// per bucket. `None` is none.
    pub(crate) fn row(&self, code: usize) -> Option<(u64, &[u64])> {
        let row = self.codes.iter().position(|known| *known == code)?;
        self.rows().nth(row)
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

    /// Adds the counts of other RPCs of the method.
    pub(super) fn add(&mut self, other: &Self) {
        self.started += other.started;
        self.messages += other.messages;
        for (code, row) in other.codes.iter().zip(other.finished.chunks_exact(other.row_len())) {
            let sums = self.row_mut(*code).iter_mut();
            sums.zip(row).for_each(|(sum, count)| *sum = sum.wrapping_add(*count));
        }
    }

    /// Returns the row of this code, which is appended if needed.
    fn row_mut(&mut self, code: usize) -> &mut [u64] {
        let len = self.row_len();
        let row = self.codes.iter().position(|known| *known == code).unwrap_or_else(|| {
            self.codes.push(code);
            self.finished.resize(self.codes.len() * len, 0);
            self.codes.len() - 1
        });
        &mut self.finished[row * len..][..len]
    }
}

impl MethodCells {
    /// `bounds` are ascending, in nanoseconds.
    pub(crate) fn new(bounds: Arc<[u64]>) -> Self {
        Self { leased: PerLease::default(), unleased: OnceLock::new(), bounds }
    }

    pub(super) fn bounds(&self) -> Arc<[u64]> {
        Arc::clone(&self.bounds)
    }

    /// Returns the number of buckets.
    pub(crate) fn buckets(&self) -> usize {
        self.bounds.len() + 1
    }

    /// Returns the bucket of this duration.
    #[inline]
    pub(crate) fn bucket(&self, nanos: u64) -> usize {
        self.bounds.iter().take_while(|bound| nanos > **bound).count()
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
        let bucket = self.bucket(nanos);
        match self.cached().and_then(|cells| cells.row(code)) {
            Some(row) => row.finish::<SingleWriter>(bucket, nanos),
            None => self.finish_slow(code, bucket, nanos),
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
    fn finish_slow(&self, code: usize, bucket: usize, nanos: u64) {
        let buckets = self.buckets();
        if let Some(cells) = self.leased() {
            cells
                .row_or_insert(code, buckets, lease::allocate)
                .finish::<SingleWriter>(bucket, nanos);
        } else {
            let row = self.unleased().row_or_insert(code, buckets, Counters::alone);
            row.finish::<MultiWriter>(bucket, nanos);
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
        let mut counts = Counts {
            started: 0,
            messages: 0,
            buckets: self.buckets(),
            codes: Vec::new(),
            finished: Vec::new(),
        };
        for cells in self.all() {
            for (code, row) in cells.rows() {
                row.add_to(counts.row_mut(code));
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
        let new = || ThreadCells::new(self.buckets(), lease::allocate);
        self.leased.get_or_init(lease::take()?, new)
    }

    /// Returns the shard that any thread may write.
    fn unleased(&self) -> &ThreadCells {
        let new = || Box::new(ThreadCells::new(self.buckets(), Counters::alone));
        self.unleased.get_or_init(new)
    }

    fn all(&self) -> impl Iterator<Item = &ThreadCells> {
        self.leased.iter().chain(self.unleased.get().map(|cells| &**cells))
    }
}
