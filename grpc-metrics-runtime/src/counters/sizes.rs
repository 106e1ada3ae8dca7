//! What the server layer counts of a method's messages.

use std::sync::{Arc, LazyLock};

use tonic::Code;

use super::cells::{Buckets, Counts, MethodCells};

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

static CLASSIC: LazyLock<Buckets> = LazyLock::new(|| Buckets::classic(Arc::from(SIZE_BOUNDS)));
static WITH_NATIVE: LazyLock<Buckets> =
    LazyLock::new(|| Buckets::with_native(Arc::from(SIZE_BOUNDS), 1));

/// Histograms of the bytes of RPCs' messages, and the messages that were received.
#[derive(Debug)]
pub(super) struct Sizes {
    requests: MethodCells,
    responses: MethodCells,
}

/// What was counted of a method's messages.
#[derive(Clone, Debug)]
pub(crate) struct SizeReading {
    /// By the bytes of an RPC's request messages, where other counts are by nanoseconds.
    pub(crate) requests: Counts,
    /// By the bytes of an RPC's response messages.
    pub(crate) responses: Counts,
}

impl SizeReading {
    /// Returns the messages of requests.
    pub(crate) fn messages_received(&self) -> u64 {
        self.requests.messages
    }
}

impl Sizes {
    pub(super) fn new(with_native: bool) -> Self {
        let buckets = if with_native { &WITH_NATIVE } else { &CLASSIC };
        let cells = || MethodCells::new(Buckets::clone(buckets));
        Self { requests: cells(), responses: cells() }
    }

    pub(super) fn message_received(&self) {
        self.requests.message();
    }

    pub(super) fn end(&self, code: Code, request_bytes: u64, response_bytes: u64) {
        self.requests.finish(code as usize, request_bytes);
        self.responses.finish(code as usize, response_bytes);
    }

    pub(super) fn read(&self) -> SizeReading {
        SizeReading { requests: self.requests.read(), responses: self.responses.read() }
    }
}
