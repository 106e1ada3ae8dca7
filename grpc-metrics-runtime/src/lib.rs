//! True RED metrics for every RPC of a tonic service, from one attribute.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod builder;
mod catalog;
mod cells;
mod clock;
mod collector;
mod deadline;
mod error;
mod guard;
mod handler;
#[cfg(feature = "http")]
pub mod http;
mod method;
mod metrics;
mod request_guard;
mod snapshot;
mod stream;

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;

pub use builder::{CodeLabel, DEFAULT_BUCKETS, GrpcMetricsBuilder};
pub use error::{DuplicateService, Error};
pub use grpc_metrics_macros::{instrument_grpc, rpc, skip_metrics};
pub use method::MethodKind;
pub use metrics::GrpcMetrics;
pub use request_guard::RequestGuard;
pub use snapshot::{MethodSnapshot, Snapshot};
pub use stream::ResponseStream;
pub use {prometheus, tonic};
