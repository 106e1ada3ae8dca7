//! The span of an RPC: nothing without the feature `tracing`.

#[cfg(not(feature = "tracing"))]
#[path = "off.rs"]
mod imp;
#[cfg(feature = "tracing")]
#[path = "on.rs"]
mod imp;
#[cfg(feature = "opentelemetry")]
mod trace;

use tonic::Code;

pub(crate) use imp::RpcSpan;

/// How an RPC has ended.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(not(feature = "opentelemetry"), allow(dead_code))] // a span is told, or nobody
pub(crate) struct Ended {
    pub(crate) code: Code,
    /// How long it took.
    pub(crate) nanos: u64,
    /// What caused the error, where that is known.
    pub(crate) cause: Option<&'static str>,
}
