//! The span of an RPC; empty without the feature `tracing`.

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

use crate::counters::LabelValue;

/// How an RPC ended.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(not(feature = "opentelemetry"), allow(dead_code))] // only spans read it
pub(crate) struct Ended {
    pub(crate) code: Code,
    /// The duration in nanoseconds.
    pub(crate) nanos: u64,
    /// The cause of the error, if known.
    pub(crate) cause: Option<&'static str>,
    pub(crate) label: LabelValue,
}
