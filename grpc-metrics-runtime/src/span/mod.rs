//! The span of an RPC: nothing without the feature `tracing`.

#[cfg(not(feature = "tracing"))]
#[path = "off.rs"]
mod imp;
#[cfg(feature = "tracing")]
#[path = "on.rs"]
mod imp;
#[cfg(feature = "opentelemetry")]
mod trace;

pub(crate) use imp::RpcSpan;
