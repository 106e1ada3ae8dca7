//! The counters of a method whose RPCs are told apart by the value of a label.

use super::buckets::Buckets;
use super::method::{Counts, MethodCells};
use super::sync::OnceLock;

/// The counters of one method, by value. Value 0 is that of most programs' RPCs: those without a label.
///
/// Each other value has cells of its own, which count only ends. So programs without a label pay one comparison, and
/// their threads' shards have no room for values.
#[derive(Debug)]
pub(crate) struct LabelledCells {
    /// Those of value 0, and the starts and messages of all RPCs.
    plain: MethodCells,
    /// Those of the other values, each made by its first RPC.
    by_value: OnceLock<Box<[Slot]>>,
    /// The number of values, with value 0; 1 without a label.
    values: usize,
}

type Slot = OnceLock<Box<MethodCells>>;

/// The counts of a method, and those of each value that it has seen.
#[derive(Clone, Debug)]
pub(crate) struct LabelledCounts {
    /// Those of all values.
    pub(crate) all: Counts,
    /// By value; empty without a label.
    pub(crate) by_value: Box<[(u16, Counts)]>,
}

impl LabelledCells {
    /// The buckets are in nanoseconds.
    pub(crate) fn new(buckets: Buckets, values: usize) -> Self {
        Self { plain: MethodCells::new(buckets), by_value: OnceLock::new(), values }
    }

    pub(crate) fn buckets(&self) -> &Buckets {
        self.plain.buckets()
    }

    #[inline]
    pub(crate) fn start(&self) {
        self.plain.start();
    }

    #[inline]
    pub(crate) fn message(&self) {
        self.plain.message();
    }

    /// `code` is a gRPC status code.
    #[inline]
    pub(crate) fn finish(&self, code: usize, nanos: u64, value: u16) {
        if value == 0 {
            self.plain.finish(code, nanos);
        } else {
            self.of_value(value).finish(code, nanos);
        }
    }

    #[inline(never)]
    fn of_value(&self, value: u16) -> &MethodCells {
        let slots = || (1..self.values).map(|_| OnceLock::new()).collect();
        match self.by_value.get_or_init(slots).get(usize::from(value) - 1) {
            Some(slot) => {
                slot.get_or_init(|| Box::new(MethodCells::new(self.plain.buckets().clone())))
            }
            None => &self.plain,
        }
    }

    /// Returns the sum over all shards, with the guarantees of [`MethodCells`].
    pub(crate) fn read(&self) -> LabelledCounts {
        // Before `plain`, whose read ends with the starts: so a scrape that sees an end sees its start.
        let slots = self.by_value.get().into_iter().flatten();
        let ended = (1..).zip(slots).filter_map(|(value, slot)| Some((value, slot.get()?.read())));
        let ended: Vec<_> = ended.collect();
        let plain = self.plain.read();
        if self.values == 1 {
            return LabelledCounts { all: plain, by_value: Box::default() };
        }
        let mut all = plain.clone();
        for (_, counts) in &ended {
            all.add(counts);
        }
        LabelledCounts { all, by_value: [(0, plain)].into_iter().chain(ended).collect() }
    }
}
