//! What all threads count for one method, and how a scrape reads it.

use std::sync::Arc;

use super::arena::Counters;
use super::lease;
use super::per_lease::PerLease;
use super::sync::OnceLock;
use super::thread::{MultiWriter, SingleWriter, ThreadCells};

/// The counters of one method.
///
/// # One writer per cell
///
/// A counter that many threads add to costs each of them the transfer of a cache line. Here every
/// thread that counts leases an index, for its lifetime, and writes only the cells under that index:
/// a relaxed load and a store, on a line that no other thread writes. A scrape adds the cells up.
/// When a thread ends, its index goes back to the pool, the counts stay, and a later thread goes on
/// from them: memory is bounded by the most threads that lived at once.
///
/// Because the index is the thread's and not the method's, a thread leases once, and nothing has to
/// be handed back per method.
///
/// # What a scrape may rely on
///
/// - *Requests and histogram agree*: an RPC that ends raises one counter, that of its code and
///   bucket. Requests by code and the histogram are both sums over these, taken from the same reads.
/// - *In flight is never negative*: it is started − finished, and [`read`](Self::read) reads all that
///   finished before anything that started. An RPC may start on one thread and finish on another. Its
///   start happens before its finish (whatever moved it synchronises the two), the finish is a
///   release and the scrape's read of it an acquire: if the scrape sees the finish, it sees the start.
///   Read the other way round, an RPC that ran between the two reads would be missing from the first.
/// - *Threads born during a scrape* are seen or not; seen in the first pass, they are seen in the
///   second, for cells are never taken away.
/// - *Counters never fall*: each cell only grows, and later scrapes see later values (the registry's
///   lock, or the caller's order, lies between them).
///
/// A guard may outlive its thread's lease, when it is dropped by the destructor of another
/// thread-local. Such an RPC goes to cells that any thread may write, with atomic additions.
#[derive(Debug)]
pub(crate) struct MethodCells {
    leased: PerLease<ThreadCells>,
    /// Made when it is first needed, which is hardly ever.
    unleased: OnceLock<Box<ThreadCells>>,
    /// Upper bounds of the buckets but the last, which has none, in nanoseconds.
    bounds: Arc<[u64]>,
}

/// What a method had counted when it was read.
#[derive(Clone, Debug)]
pub(crate) struct Counts {
    pub(crate) started: u64,
    pub(crate) messages: u64,
    buckets: usize,
    /// The codes that RPCs have ended with, and perhaps others.
    codes: Vec<usize>,
    /// Per code and bucket, code by code as above: RPCs, not cumulated, the unbounded bucket last in each row.
    finished: Vec<u64>,
    /// The durations of all RPCs in nanoseconds, which wrap after 584 years of them.
    pub(crate) sum_nanos: u64,
}

impl Counts {
    /// RPCs that ended with this code.
    pub(crate) fn of_code(&self, code: usize) -> u64 {
        let row = self.codes.iter().position(|of| *of == code);
        row.map_or(0, |row| self.finished[row * self.buckets..][..self.buckets].iter().sum())
    }

    /// RPCs that ended, per bucket.
    pub(crate) fn per_bucket(&self) -> Vec<u64> {
        let mut sum = vec![0; self.buckets];
        for row in self.finished.chunks_exact(self.buckets) {
            sum.iter_mut().zip(row).for_each(|(sum, count)| *sum += count);
        }
        sum
    }

    /// RPCs that ended.
    pub(crate) fn finished(&self) -> u64 {
        self.finished.iter().sum()
    }

    /// The row of this code, which is appended if it is not there.
    fn row_mut(&mut self, code: usize) -> &mut [u64] {
        let row = self.codes.iter().position(|of| *of == code).unwrap_or_else(|| {
            self.codes.push(code);
            self.finished.resize(self.codes.len() * self.buckets, 0);
            self.codes.len() - 1
        });
        &mut self.finished[row * self.buckets..][..self.buckets]
    }
}

impl MethodCells {
    /// `bounds`: ascending, in nanoseconds.
    pub(crate) fn new(bounds: Arc<[u64]>) -> Self {
        Self { leased: PerLease::default(), unleased: OnceLock::new(), bounds }
    }

    /// How many buckets there are.
    pub(crate) fn buckets(&self) -> usize {
        self.bounds.len() + 1
    }

    /// The bucket of this duration.
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
            cells.row_of(code, buckets, lease::allocate).finish::<SingleWriter>(bucket, nanos);
        } else {
            let row = self.unleased().row_of(code, buckets, Counters::alone);
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

    /// The sum over all threads. See the type for what holds between its parts.
    pub(crate) fn read(&self) -> Counts {
        let mut counts = Counts {
            started: 0,
            messages: 0,
            buckets: self.buckets(),
            codes: Vec::new(),
            finished: Vec::new(),
            sum_nanos: 0,
        };
        for cells in self.all() {
            for (code, row) in cells.rows() {
                let sum = row.add_to(counts.row_mut(code));
                counts.sum_nanos = counts.sum_nanos.wrapping_add(sum);
            }
        }
        for cells in self.all() {
            counts.started += cells.started();
            counts.messages += cells.messages();
        }
        counts
    }

    /// The cells that only the current thread writes, if they were made by an earlier RPC.
    #[inline]
    fn cached(&self) -> Option<&ThreadCells> {
        self.leased.get(lease::current())
    }

    /// The cells that only the current thread writes. `None` past a million threads, which share their cells
    /// then.
    fn leased(&self) -> Option<&ThreadCells> {
        let new = || ThreadCells::new(self.buckets(), lease::allocate);
        self.leased.get_or_init(lease::take()?, new)
    }

    /// The cells that any thread may write.
    fn unleased(&self) -> &ThreadCells {
        let new = || Box::new(ThreadCells::new(self.buckets(), Counters::alone));
        self.unleased.get_or_init(new)
    }

    fn all(&self) -> impl Iterator<Item = &ThreadCells> {
        self.leased.iter().chain(self.unleased.get().map(|cells| &**cells))
    }
}
