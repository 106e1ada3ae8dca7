//! True RED metrics for every RPC of a tonic service, from one attribute.
//!
//! ```
//! use grpc_metrics_runtime::instrument_grpc;
//! use tonic::{Request, Response, Status};
//! # pub struct HelloRequest { name: String }
//! # pub struct HelloReply { message: String }
//! # #[tonic::async_trait]
//! # pub trait Greeter: Send + Sync + 'static {
//! #     async fn say_hello(&self, r: Request<HelloRequest>) -> Result<Response<HelloReply>, Status>;
//! # }
//!
//! struct MyGreeter;
//!
//! #[instrument_grpc(service = "helloworld.Greeter")]
//! #[tonic::async_trait]
//! impl Greeter for MyGreeter {
//!     async fn say_hello(
//!         &self,
//!         request: Request<HelloRequest>,
//!     ) -> Result<Response<HelloReply>, Status> {
//!         let name = request.into_inner().name;
//!         if name.is_empty() {
//!             return Err(Status::invalid_argument("who are you?"));
//!         }
//!         Ok(Response::new(HelloReply { message: format!("Hello {name}!") }))
//!     }
//! }
//! ```
//!
//! Each RPC is counted once, whatever ends it: a return, `?`, the end of a response stream or an error in
//! it, a client that hangs up, a deadline, a panic. It starts when the handler's future is first polled.
//! What ends it, and with which code, is told at [`instrument_grpc`].
//!
//! # Metrics
//!
//! | name | type | labels |
//! |---|---|---|
//! | `grpc_server_requests_total` | counter | `service`, `method`, `code` |
//! | `grpc_server_errors_total` | counter | `service`, `method`, `code`, `error` |
//! | `grpc_server_request_duration_seconds` | histogram | `service`, `method` |
//! | `grpc_server_in_flight_requests` | gauge | `service`, `method` |
//! | `grpc_server_method_info` | gauge, 1 | `service`, `method`, `type` |
//! | `grpc_server_stream_messages_sent_total` | counter | `service`, `method` |
//! | `grpc_server_slo_events_total` | counter | `service`, `method`, `slo` |
//! | `grpc_server_slo_bad_events_total` | counter | `service`, `method`, `slo` |
//! | `grpc_server_slo_objective_ratio` | gauge | `service`, `method`, `slo` |
//!
//! All methods of all instrumented services in the program have their series from the first scrape on, at
//! 0. They are in [`prometheus::default_registry`] unless the program [installs](GrpcMetrics::install) a
//! [`GrpcMetrics`] of its own. A program that serves a registry by itself calls [`GrpcMetrics::global`] at
//! its start; [`http`] does so.
//!
//! # Features
//!
//! | feature | default | |
//! |---|---|---|
//! | `http` | no | [`http`]: `/metrics` as an axum router, or on a port of its own |
//! | `openmetrics` | no | [`openmetrics`]: the format OpenMetrics beside the classic text, for exemplars |
//! | `tracing` | no | a span for each RPC, open from its start to its end |
//! | `opentelemetry` | no | that span continues the caller's trace, and the latency histogram keeps exemplars |
//! | `monitoring` | no | [`monitoring`]: rules, alerts and configuration for Prometheus, Alertmanager and Grafana |
//!
//! # Spans
//!
//! With the feature `tracing`, each RPC has a span that starts and ends with its metrics: `rpc` of the target
//! `grpc_metrics_runtime`, at level `INFO`, with OpenTelemetry's fields for gRPC. Handler and response stream
//! are polled inside it. With `opentelemetry`, its parent is what the program's propagator reads
//! from the request's metadata, and the latency histogram keeps an exemplar per bucket: the newest RPC
//! that was sampled. The repository's `docs/tracing.md` goes from there to the click on a graph.
//!
//! # What cannot be seen
//!
//! - Requests that reach no handler: unknown services and methods, messages that can't be decoded or are
//!   missing, what an interceptor or a layer rejects, load that was shed.
//! - That a client has broken off its request stream: tonic shows the handler the end of the messages. If
//!   it then returns a message, that counts as `OK`.
//! - What goes wrong with a response behind the handler: one that is too large or can't be encoded counts
//!   as `OK`, or, if it was a stream's message, as `CANCELLED`.
//! - RPCs that a macro makes which is called among the impl's items. [`GrpcMetrics::warnings`] and a line on
//!   stderr tell of such a call, unless `#[skip_metrics]` stands above it.
//! - That a handler was called by another one: if a method calls a sibling RPC method of its own service,
//!   both are counted.
//! - That a client has lost interest, before its connection says so. A tonic client that drops a response
//!   stream but holds on to its request stream sends no reset, and the RPC stays in flight.
//! - What a layer around the service makes of a panic: one that catches it, such as `tower-http`'s, sends the
//!   client a code of its own, and the RPC still counts as `UNKNOWN`.
//! - tokio's paused clock: durations and deadlines are real time, also in tests with `tokio::time::pause`.
//!
//! # Two versions of `prometheus`
//!
//! Metrics land in the registry of the version of `prometheus` that this crate is built with. If the
//! program exposes that of another version, they are missing there, and nothing says so. To see whether a
//! program has two: `cargo tree --duplicates --invert prometheus`. To be sure, use the one re-exported
//! here, [`grpc_metrics_runtime::prometheus`](crate::prometheus), and likewise [`tonic`].
//!
//! # Cost
//!
//! Counters are kept per thread, so that none is written by two: an RPC takes no lock, no contended cache
//! line and, after a thread's first RPC of a method and code, no allocation. Two forms cost a box each: a
//! method that is no `async fn`, and one that returns a boxed stream; `metrics = …`
//! costs the count of an `Arc`. The sums are made by the scrape.
//!
//! Memory grows with threads. About 700 bytes are resident for each method, 160 to 210 more for each thread that
//! has counted it, and 200 for each code but `OK` that it saw there; of other [buckets](GrpcMetricsBuilder::buckets),
//! each bound more or less is 8 bytes for each code. For 1,000 methods that makes, in MB:
//!
//! | threads | 1 code | 2 codes | 5 codes |
//! |---|---|---|---|
//! | 1 | 0.9 | 1.0 | 1.7 |
//! | 2 | 1.0 | 1.4 | 2.6 |
//! | 8 | 2.0 | 3.6 | 8.4 |
//! | 64 | 14 | 27 | 66 |
//!
//! With 64 threads that is 220, 210 and 205 bytes for each thread, method and code.

#![forbid(unsafe_code)]
#![warn(missing_docs)]
// The docs of one feature lead to those of others.
#![cfg_attr(
    not(all(feature = "http", feature = "monitoring", feature = "openmetrics")),
    allow(rustdoc::broken_intra_doc_links)
)]

mod catalog;
mod counters;
mod export;
mod grpc;
// The pages' code needs libraries that this crate does not, so it is tested elsewhere in the workspace.
#[cfg(all(doc, not(doctest)))]
pub mod guide;
#[cfg(feature = "http")]
pub mod http;
mod instance;
mod metrics;
#[cfg(feature = "monitoring")]
pub mod monitoring;
mod rpc;
mod status;

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;

pub use catalog::DuplicateService;
pub use counters::ErrorCount;
#[cfg(feature = "opentelemetry")]
pub use counters::Exemplar;
#[cfg(feature = "openmetrics")]
pub use export::openmetrics;
pub use export::text::{TEXT_CONTENT_TYPE, encode_registry};
pub use grpc::{CodeLabel, MethodKind};
/// Gives an error type its gRPC statuses: `From<Self> for tonic::Status`, and `code()`.
///
/// ```
/// use grpc_metrics_runtime::GrpcStatus;
/// use grpc_metrics_runtime::tonic::{Code, Status};
/// # #[derive(Debug)] struct StoreError;
/// # impl std::fmt::Display for AppError {
/// #     fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { f.write_str("no such post") }
/// # }
/// # impl std::error::Error for AppError {}
///
/// #[derive(Debug, GrpcStatus)] // and thiserror::Error, or Display and Error by hand
/// enum AppError {
///     #[status(NotFound)]
///     NoPost(u64),
///     #[status(Internal, message = "storage failed", cause = "database")]
///     Db(StoreError),
///     #[status(transparent)]
///     Upstream(Status),
/// }
///
/// assert_eq!(AppError::NoPost(1).code(), Code::NotFound);
/// assert_eq!(Status::from(AppError::Db(StoreError)).message(), "storage failed");
/// ```
///
/// # `#[status(…)]`
///
/// Above every variant, or above the struct:
///
/// - a code by its name in [`tonic::Code`]; not `Ok`. Or `transparent`, for one field that is a
///   [`Status`](tonic::Status) or derives `GrpcStatus` itself: its status is passed on as it is, with its message, also
///   where that is of another server's inside.
/// - `message = "…"`: what the client sees. Without it that is the error's `Display`, but for `Unknown`,
///   `Internal` and `DataLoss`, which report a fault of the server, the code's description.
/// - `cause = "…"`: the `error` label of `grpc_server_errors_total`, instead of the name in snake case.
///
/// Above the type, `crate = PATH` says where the runtime is, if it is renamed or re-exported.
///
/// The error becomes the [`source`](std::error::Error::source) of its status, so it has to be
/// `Error + Send + Sync + 'static`.
pub use grpc_metrics_macros::GrpcStatus;
/// Measures every RPC method of the impl below it.
///
/// Goes above or below `#[tonic::async_trait]`, or any other re-export of it.
///
/// # Arguments
///
/// All are optional.
///
/// - `service = EXPR`: the service label, any constant `&'static str`: `greeter_server::SERVICE_NAME`,
///   `"pkg.Greeter"`. Without it, a trait that is written with a module ending in `_server`, as in
///   `impl greeter_server::Greeter for …`, gives that module's `SERVICE_NAME`; any other trait gives its
///   own name. Services that end up with the same label are an error of [`GrpcMetricsBuilder::build`],
///   or a line on stderr where the process-wide instance was not installed. A trait that is imported under another
///   name gives that one, and a line on stderr.
/// - `metrics = EXPR`: the [`GrpcMetrics`] that counts, or a reference or `Arc` of it; `self` may be used.
///   Without it, [`GrpcMetrics::global`].
/// - `streams = false`: leaves the associated types alone, where they are named elsewhere in the program, or
///   where a handler passes on the stream of another one as it is. The RPCs end when their handlers return.
/// - `slo(availability = 99.9, latency = "200ms", percentile = 95)`: what is promised of the methods, in
///   percent; either half may stand alone. It shows as `grpc_server_slo_*`. Availability is the share of RPCs
///   that do not end with a [fault code](GrpcMetricsBuilder::fault_codes), latency the share that take no
///   longer, however they end. Latency does not hold for methods that answer with a stream.
/// - `span = false`: makes no spans, where the feature `tracing` is on.
/// - `crate = PATH`: where the runtime is, if it is renamed or re-exported.
///
/// On methods: `#[skip_metrics]` leaves one out, with its stream type. `#[rpc(name = "GetKV")]` gives the
/// RPC's name where it is not the method's in upper camel case; a response stream's type, such as
/// `GetURLStream`, tells it too, and if all of them begin with a small letter, the others' names do. `#[rpc(slo(latency = "2s"))]` overrides the impl's objectives one by one, for
/// streams too, and `#[rpc(slo = false)]` takes them back. `#[rpc(span = false)]` makes no span.
///
/// In the impl, `Self::WatchStream` is the type as it is declared there. What names it is told by its tokens, so
/// in `<Self as Greeter>::WatchStream` the trait is one that ends in the same names; where another trait of
/// the type does, too, import that under a name of its own.
///
/// Methods may be `async fn`s, with `#[async_trait]` or without, or return a boxed future themselves. Of the
/// latter, a macro above the method such as `#[tracing::instrument]` finds the future only if the function ends in
/// `Box::pin(async move { … })` and has no `return`.
///
/// # How an RPC ends
///
/// | ending | code |
/// |---|---|
/// | the handler returns a message | 0 |
/// | the handler returns `Err(status)` | the status's; `OK` without a message counts as 13, which clients see |
/// | the response stream ends | 0 |
/// | the response stream yields `Err(status)` | the status's |
/// | handler or stream is dropped: client gone, connection lost, shutdown | 1 |
/// | the same, once the time of the request's `grpc-timeout` is up | 4 |
/// | a panic in handler, stream, or the stream's drop | 2 |
///
/// Where the server's timer ends a call for the sake of `grpc-timeout`, tonic tells the *client* `CANCELLED`;
/// the metric says what happened. `Server::timeout` ends calls without asking the client, and gives
/// `CANCELLED` here too. A drop counts as late from a tenth of the timeout, at most 50 ms, before its end, since the
/// client's timer started before the handler did. In tonic no timer ends a response stream that has begun;
/// its client does, or nobody.
///
/// # Errors
///
/// Handlers and response streams may have any error that converts into a [`Status`](tonic::Status); with the
/// derive [`GrpcStatus`] the metrics know its cause.
///
/// # What becomes of the code
///
/// Each handler's future is wrapped where it stands; names, types and lints stay. `type WatchStream = T;` stays as it
/// is if `T` is a boxed stream, `Pin<Box<dyn Stream<Item = Result<_, Status>> + Send>>` under any name, `Sync` too or, with
/// `Unpin`, not pinned: the measured stream goes into a box of that type. Any other becomes [`ResponseStream<T>`], and in the impl `Self::WatchStream`
/// still means `T`. So who names such a type outside the impl, or passes on a sibling's stream as in
/// `self.watch(request).await`, gets a [`ResponseStream`] of it; with a box, or with `streams = false`, the type as declared.
pub use grpc_metrics_macros::instrument_grpc;
pub use grpc_metrics_macros::{rpc, skip_metrics};
pub use instance::{DEFAULT_BUCKETS, Durations, MethodSnapshot, Slo, SloCounts, Snapshot};
pub use metrics::{Error, GrpcMetrics, GrpcMetricsBuilder, RequestGuardBuilder, Warning};
pub use rpc::{RequestGuard, ResponseStream};
pub use status::GrpcStatus;
pub use {prometheus, tonic};
