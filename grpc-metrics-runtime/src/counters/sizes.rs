//! What the server layer counts of a method's messages.

use std::sync::Arc;

use super::cells::MethodCells;

/// Upper bounds of the buckets in bytes, without the unbounded one: gRFC A66.
pub(crate) const SIZE_BOUNDS: [u64; 14] = [
    0,
    1 << 10,
    1 << 11,
    1 << 12,
    1 << 14,
    1 << 16,
    1 << 18,
    1 << 20,
    1 << 22,
    1 << 24,
    1 << 26,
    1 << 28,
    1 << 30,
    1 << 32,
];

/// Histograms of the bytes of RPCs' messages, and the messages that were received.
#[derive(Debug)]
pub(super) struct Sizes {
    requests: MethodCells,
    responses: MethodCells,
}

/// RPCs by the bytes of their messages in one direction.
#[derive(Clone, Debug)]
pub(crate) struct SizeCounts {
    /// Per bucket, not cumulative, the unbounded bucket last.
    pub(crate) buckets: Vec<u64>,
    /// Bytes of all RPCs.
    pub(crate) sum: u64,
}

/// What was counted of a method's messages.
#[derive(Clone, Debug)]
pub(crate) struct SizeReading {
    pub(crate) requests: SizeCounts,
    pub(crate) responses: SizeCounts,
    pub(crate) messages_received: u64,
}

/// The cells tell outcomes apart, and sizes have one.
const OUTCOME: usize = 0;

impl Sizes {
    pub(super) fn new() -> Self {
        let cells = || MethodCells::new(Arc::from(SIZE_BOUNDS));
        Self { requests: cells(), responses: cells() }
    }

    pub(super) fn message_received(&self) {
        self.requests.message();
    }

    pub(super) fn end(&self, request_bytes: u64, response_bytes: u64) {
        self.requests.finish(OUTCOME, request_bytes);
        self.responses.finish(OUTCOME, response_bytes);
    }

    pub(super) fn read(&self) -> SizeReading {
        let read = |cells: &MethodCells| {
            let counts = cells.read();
            let sizes = SizeCounts { buckets: counts.per_bucket(), sum: counts.sum_nanos };
            (sizes, counts.messages)
        };
        let (requests, messages_received) = read(&self.requests);
        let (responses, _) = read(&self.responses);
        SizeReading { requests, responses, messages_received }
    }
}
