//! What the attribute knows about a service at compile time, as statics.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::metrics::{GrpcMetrics, MethodMetrics};

/// The four kinds of RPC. The `type` label of `grpc_server_method_info`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MethodKind {
    /// One request, one response: `unary`.
    Unary,
    /// A stream of requests, one response: `client_stream`.
    ClientStream,
    /// One request, a stream of responses: `server_stream`.
    ServerStream,
    /// A stream of requests, a stream of responses: `bidi_stream`.
    BidiStream,
}

impl MethodKind {
    /// The kind of a method, from whether each side streams.
    #[must_use]
    pub const fn new(client_streams: bool, server_streams: bool) -> Self {
        match (client_streams, server_streams) {
            (false, false) => Self::Unary,
            (true, false) => Self::ClientStream,
            (false, true) => Self::ServerStream,
            (true, true) => Self::BidiStream,
        }
    }

    /// Whether the server answers with a stream.
    pub const fn server_streams(self) -> bool {
        matches!(self, Self::ServerStream | Self::BidiStream)
    }

    /// The kind as a label's value.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unary => "unary",
            Self::ClientStream => "client_stream",
            Self::ServerStream => "server_stream",
            Self::BidiStream => "bidi_stream",
        }
    }
}

/// One RPC method of an instrumented impl; a `static` in the attribute's expansion.
#[derive(Debug)]
pub struct Method {
    service: &'static str,
    name: &'static str,
    kind: MethodKind,
    /// The place in every instance's table, given when the catalog is made.
    index: AtomicUsize,
    /// Where RPCs go that no `metrics = …` sends elsewhere.
    global: OnceLock<&'static MethodMetrics>,
}

impl Method {
    /// `service` and `name` are the labels.
    pub const fn new(service: &'static str, name: &'static str, kind: MethodKind) -> Self {
        Self { service, name, kind, index: AtomicUsize::new(usize::MAX), global: OnceLock::new() }
    }

    pub(crate) fn service(&self) -> &'static str {
        self.service
    }

    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    pub(crate) fn kind(&self) -> MethodKind {
        self.kind
    }

    pub(crate) fn set_index(&self, index: usize) {
        // Relaxed: happens before the catalog is published, and is read only after it is seen.
        self.index.store(index, Ordering::Relaxed);
    }

    pub(crate) fn index(&self) -> usize {
        // Relaxed: see `set_index`.
        self.index.load(Ordering::Relaxed)
    }

    /// This method's counters in the process-wide instance, looked up by the first call only
    /// and leaked then, since a static is for ever too.
    #[inline]
    pub(crate) fn global(&self) -> &'static MethodMetrics {
        self.global.get_or_init(|| Box::leak(Box::new(GrpcMetrics::global().method(self))))
    }
}

/// One instrumented impl; submitted to the inventory by the attribute's expansion.
#[derive(Debug)]
pub struct Service {
    /// The service label.
    pub name: &'static str,
    /// The impl, for messages: `Greeter for MyGreeter`.
    pub implementation: &'static str,
    /// Where the attribute stands.
    pub file: &'static str,
    /// Where the attribute stands.
    pub line: u32,
    /// Whether `metrics = …` chooses the instance.
    pub chooses_instance: bool,
    /// The instrumented methods.
    pub methods: &'static [&'static Method],
}

inventory::collect!(Service);
