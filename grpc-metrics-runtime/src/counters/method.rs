//! Everything that is counted for one method, behind one type.

use std::mem;
use std::sync::Arc;

use tonic::Code;

use super::causes::{Causes, ErrorCount};
use super::cells::{Counts, MethodCells};
use super::clock::{Clock, Instant};
#[cfg(feature = "opentelemetry")]
use super::exemplars::{Exemplar, Exemplars};
use crate::grpc::{CodeSet, MethodKind};

/// The counters of one method in one instance.
///
/// The order of the fields is their order in memory: an [`Arc`] has its reference counts in front, which RPCs of an
/// instance chosen by `metrics = …` write. What all RPCs read is kept two cache lines away from them.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct MethodCounters {
    causes: Causes,
    #[cfg(feature = "opentelemetry")]
    exemplars: Exemplars,
    /// Whether a message is due from the handler, or a stream of them.
    pub(crate) kind: MethodKind,
    /// The codes that report a fault of the server.
    pub(crate) faults: CodeSet,
    padding: [u64; 12],
    /// Here, so that an RPC looks nowhere else for it.
    clock: Clock,
    cells: MethodCells,
}

const _: () = assert!(size_of::<[usize; 2]>() + mem::offset_of!(MethodCounters, clock) >= 128);

/// What a method has counted at one point in time.
#[derive(Clone, Debug)]
pub(crate) struct Reading {
    pub(crate) counts: Counts,
    /// RPCs that ended with an error of a known cause.
    pub(crate) errors: Vec<ErrorCount>,
    #[cfg(feature = "opentelemetry")]
    pub(crate) exemplars: Vec<Option<Exemplar>>,
}

impl MethodCounters {
    /// `bounds` are the upper bounds of the duration's buckets in nanoseconds, ascending.
    pub(crate) fn new(kind: MethodKind, faults: CodeSet, bounds: Arc<[u64]>, clock: Clock) -> Self {
        Self {
            causes: Causes::default(),
            #[cfg(feature = "opentelemetry")]
            exemplars: Exemplars::default(),
            kind,
            faults,
            padding: [0; 12],
            clock,
            cells: MethodCells::new(bounds),
        }
    }

    /// Counts an RPC that starts now.
    #[inline]
    pub(crate) fn start(&self) -> Instant {
        self.cells.start();
        self.clock.now()
    }

    /// Nanoseconds since the RPC started.
    #[inline]
    pub(crate) fn nanos_since(&self, started: Instant) -> u64 {
        self.clock.nanos_since(started)
    }

    /// Counts a message of a response stream.
    #[inline]
    pub(crate) fn message_sent(&self) {
        self.cells.message();
    }

    /// Counts the end of an RPC that took this long.
    #[inline]
    pub(crate) fn end(&self, code: Code, nanos: u64) {
        self.cells.finish(code as usize, nanos);
    }

    /// Counts the cause of an RPC's end. Call it after [`end`](Self::end).
    pub(crate) fn cause(&self, code: Code, cause: &'static str) {
        self.causes.count(code, cause);
    }

    /// Keeps the exemplar for the bucket of an RPC that took this long.
    #[cfg(feature = "opentelemetry")]
    pub(crate) fn keep_exemplar(&self, nanos: u64, exemplar: Exemplar) {
        self.exemplars.keep(self.cells.bucket(nanos), self.cells.buckets(), exemplar);
    }

    /// Reads all counters. No cause is counted more often than its RPCs, and no RPC has ended that has not started.
    pub(crate) fn read(&self) -> Reading {
        // First: see `Causes::read`.
        let errors = self.causes.read();
        Reading {
            counts: self.cells.read(),
            errors,
            #[cfg(feature = "opentelemetry")]
            exemplars: self.exemplars.read(),
        }
    }
}
