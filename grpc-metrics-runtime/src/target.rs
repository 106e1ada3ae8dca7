//! Where an RPC is counted.

use std::mem;
use std::ops::Deref;
use std::sync::Arc;

use tonic::Code;

use crate::causes::Causes;
use crate::cells::MethodCells;
use crate::clock::{Clock, Instant};
#[cfg(feature = "opentelemetry")]
use crate::exemplar::Exemplars;
use crate::kind::MethodKind;
use crate::slo::Judge;

/// One method's counters in one instance.
///
/// In this order in memory: an [`Arc`] has its counts in front, which RPCs of [`Target::Own`] write, so what
/// all RPCs read is kept two cache lines away from them.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct MethodMetrics {
    pub(crate) judge: Judge,
    pub(crate) causes: Causes,
    #[cfg(feature = "opentelemetry")]
    pub(crate) exemplars: Exemplars,
    pub(crate) kind: MethodKind,
    pub(crate) counts_messages: bool,
    apart: [u64; 4],
    /// Here, so that an RPC looks nowhere else for it.
    pub(crate) clock: Clock,
    pub(crate) cells: MethodCells,
}

const _: () = assert!(size_of::<[usize; 2]>() + mem::offset_of!(MethodMetrics, clock) >= 128);

impl MethodMetrics {
    pub(crate) fn new(
        kind: MethodKind,
        counts_messages: bool,
        judge: Judge,
        clock: Clock,
        cells: MethodCells,
    ) -> Self {
        Self {
            judge,
            causes: Causes::default(),
            #[cfg(feature = "opentelemetry")]
            exemplars: Exemplars::default(),
            kind,
            counts_messages,
            apart: [0; 4],
            clock,
            cells,
        }
    }

    /// Counts an RPC that starts now.
    pub(crate) fn start(&self) -> Instant {
        self.cells.start();
        self.clock.now()
    }

    /// Counts the end of an RPC that started then, and says how many nanoseconds it took.
    pub(crate) fn end(&self, code: Code, started: Instant) -> u64 {
        let nanos = self.clock.nanos_since(started);
        self.cells.finish(code as usize, nanos);
        nanos
    }
}

/// Where an RPC is counted: in the process-wide instance, which stays, or in one that may go before
/// the RPC ends.
#[derive(Clone, Debug)]
pub(crate) enum Target {
    Global(&'static MethodMetrics),
    Own(Arc<MethodMetrics>),
}

impl Deref for Target {
    type Target = MethodMetrics;

    #[inline]
    fn deref(&self) -> &MethodMetrics {
        match self {
            Self::Global(metrics) => metrics,
            Self::Own(metrics) => metrics,
        }
    }
}
