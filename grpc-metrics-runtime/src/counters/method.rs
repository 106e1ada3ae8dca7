//! The facade of all counters of a method.

use std::mem;
use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock};

use http::HeaderMap;
use tonic::Code;

use super::causes::{Causes, ErrorCount};
use super::cells::sync::AtomicU64;
use super::cells::{Buckets, Counts, LabelledCells, LabelledCounts};
use super::clock::{Clock, Instant};
use super::edges::{EdgeCount, Edges};
#[cfg(feature = "opentelemetry")]
use super::exemplars::{Exemplar, Exemplars};
use super::label::{ByValue, LabelValue, LabelValues};
use super::sizes::{SizeReading, Sizes};
use crate::grpc::{CodeSet, MethodKind};

/// The counters of one method in one instance.
///
/// The order of the fields is their order in memory. RPCs of an instance chosen by `metrics = …` write the reference
/// counts of the [`Arc`], which are in front of the fields. The fields that all RPCs read are two cache lines behind.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct MethodCounters {
    causes: Causes,
    #[cfg(feature = "opentelemetry")]
    exemplars: Exemplars,
    pub(crate) kind: MethodKind,
    /// Whether messages of requests are counted, if a layer sees them.
    counts_requests: bool,
    /// Whether the bytes of messages are counted of calls that the program makes.
    pub(crate) counts_bytes_of_calls: bool,
    /// The server-fault codes.
    pub(crate) faults: CodeSet,
    /// RPCs whose start is counted here and whose end elsewhere: those that the server layer took for another method's.
    moved: AtomicU64,
    /// Made by the server layer.
    sizes: OnceLock<Box<Sizes>>,
    /// Of methods that the program calls.
    edges: Edges,
    padding: [u64; 7],
    /// A copy, so that an RPC reads no other memory for it.
    clock: Clock,
    /// The values of the label that tells RPCs apart, if there is one. Read by all RPCs.
    label: Option<Arc<LabelValues>>,
    cells: LabelledCells,
}

const _: () = assert!(size_of::<[usize; 2]>() + mem::offset_of!(MethodCounters, clock) >= 128);

/// The counts of a method at one point in time.
#[derive(Clone, Debug)]
pub(crate) struct Reading {
    pub(crate) counts: Counts,
    /// The same by the label's value; `None` without a label. Boxed, since most programs have none.
    pub(crate) by_value: Option<Box<ByValue>>,
    /// RPCs that ended with an error whose cause is known.
    pub(crate) errors: Box<[ErrorCount]>,
    #[cfg(feature = "opentelemetry")]
    pub(crate) exemplars: Box<[Option<Exemplar>]>,
    /// Of methods that a server layer measures.
    pub(crate) sizes: Option<Box<SizeReading>>,
    /// Of methods that the program calls.
    pub(crate) edges: Box<[EdgeCount]>,
}

impl MethodCounters {
    /// The buckets are those of the duration in nanoseconds. Messages of requests count if they are streams, or all if
    /// `all_messages` is set.
    pub(crate) fn new(
        kind: MethodKind,
        all_messages: bool,
        faults: CodeSet,
        buckets: Buckets,
        clock: Clock,
        label: Option<Arc<LabelValues>>,
    ) -> Self {
        let values = label.as_ref().map_or(1, |label| label.count());
        Self {
            causes: Causes::default(),
            #[cfg(feature = "opentelemetry")]
            exemplars: Exemplars::default(),
            kind,
            counts_requests: all_messages || kind.client_streams(),
            counts_bytes_of_calls: false,
            faults,
            moved: AtomicU64::new(0),
            sizes: OnceLock::new(),
            edges: Edges::default(),
            padding: [0; 7],
            clock,
            label,
            cells: LabelledCells::new(buckets, values),
        }
    }

    /// The same, of a method that the program calls, with the bytes of the calls' messages.
    pub(crate) fn with_bytes_of_calls(self) -> Self {
        self.show_sizes();
        Self { counts_bytes_of_calls: true, ..self }
    }

    /// Counts an RPC that starts now, and returns the time.
    #[inline]
    pub(crate) fn start(&self) -> Instant {
        self.cells.start();
        self.clock.now()
    }

    /// The time, without counting anything.
    pub(crate) fn now(&self) -> Instant {
        self.clock.now()
    }

    /// Counts the start of an RPC that started earlier.
    pub(crate) fn move_in(&self) {
        self.cells.start();
    }

    /// Forgets an RPC that counted its start here and moves elsewhere.
    pub(crate) fn move_out(&self) {
        // Release: whoever sees the RPC leave sees it come.
        self.moved.fetch_add(1, Ordering::Release);
    }

    /// Returns the nanoseconds since the RPC started.
    #[inline]
    pub(crate) fn nanos_since(&self, started: Instant) -> u64 {
        self.clock.nanos_since(started)
    }

    /// Counts a message of a response stream.
    #[inline]
    pub(crate) fn message_sent(&self) {
        self.cells.message();
    }

    /// Returns the label's value in a request's headers.
    #[inline]
    pub(crate) fn label_value(&self, headers: &HeaderMap) -> LabelValue {
        self.label.as_ref().map_or(LabelValue::NONE, |label| label.of(headers))
    }

    /// Returns whether a value of the other's label is the same value here.
    pub(crate) fn shares_label(&self, other: &Self) -> bool {
        match (&self.label, &other.label) {
            (Some(label), Some(other)) => Arc::ptr_eq(label, other),
            (label, other) => label.is_none() && other.is_none(),
        }
    }

    /// Counts the end of an RPC with this value that took `nanos` nanoseconds.
    #[inline]
    pub(crate) fn end(&self, code: Code, nanos: u64, value: LabelValue) {
        self.cells.finish(code as usize, nanos, value.0);
    }

    /// Counts the cause of an RPC's end. Call it after [`end`](Self::end).
    pub(crate) fn count_cause(&self, code: Code, cause: &'static str) {
        self.causes.count(code, cause);
    }

    /// Counts the end of a call of this method by the handler with these labels.
    pub(crate) fn count_edge(&self, caller: [&'static str; 2], code: Code) {
        self.edges.count(caller, code);
    }

    /// Shows sizes of messages from now on.
    pub(crate) fn show_sizes(&self) {
        self.sizes();
    }

    /// Counts a message of a request, if it is a stream or all messages count.
    pub(crate) fn message_received(&self) {
        if self.counts_requests {
            self.sizes().message_received();
        }
    }

    /// Counts the bytes of the messages of an RPC that ended with this code.
    pub(crate) fn sizes_of_rpc(&self, code: Code, request_bytes: u64, response_bytes: u64) {
        self.sizes().end(code, request_bytes, response_bytes);
    }

    fn sizes(&self) -> &Sizes {
        self.sizes.get_or_init(|| Box::new(Sizes::new(self.cells.buckets().has_native())))
    }

    /// Keeps the exemplar for the bucket of an RPC that took `nanos` nanoseconds.
    #[cfg(feature = "opentelemetry")]
    pub(crate) fn keep_exemplar(&self, nanos: u64, exemplar: Exemplar) {
        let buckets = self.cells.buckets();
        self.exemplars.keep(buckets.bucket(nanos), buckets.count(), exemplar);
    }

    /// Reads all counters. Each cause read has its RPC, and each end its start.
    pub(crate) fn read(&self) -> Reading {
        // First: see `Causes::read`.
        let errors = self.causes.read().into();
        // For the same reason: an edge is counted after its RPC.
        let edges = self.edges.read().into();
        // Before the cells. Acquire: pairs with the release in `move_out`, so that in flight is not negative.
        let moved = self.moved.load(Ordering::Acquire);
        let LabelledCounts { all: mut counts, by_value } = self.cells.read();
        counts.started -= moved;
        Reading {
            counts,
            by_value: self.label.is_some().then(|| Box::new(ByValue::new(by_value))),
            errors,
            #[cfg(feature = "opentelemetry")]
            exemplars: self.exemplars.read().into(),
            sizes: self.sizes.get().map(|sizes| Box::new(sizes.read())),
            edges,
        }
    }
}
