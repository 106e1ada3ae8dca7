//! Prometheus metrics for every RPC of a tonic service, from one attribute: requests by status code, duration, in
//! flight.
//!
//! ```toml
//! [dependencies]
//! grpc-metrics-runtime = { version = "0.1", features = ["http"] }
//! ```
//!
//! The attribute goes above the impl of the service that tonic generates:
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
//!             return Err(Status::invalid_argument("name is empty"));
//!         }
//!         Ok(Response::new(HelloReply { message: format!("Hello {name}!") }))
//!     }
//! }
//! ```
//!
//! [`http::serve`] then serves `/metrics` on a port of its own. There is nothing to register, and nothing to hold: each
//! RPC is counted exactly once, whichever way it ends, by a return, `?`, the end of a response stream or an error in it,
//! a client that disconnects, a deadline, or a panic.
//!
//! # Where to look
//!
//! | for | see |
//! |---|---|
//! | the attribute's arguments, and how an RPC ends and with which code | [`instrument_grpc`] |
//! | `/metrics`: on a port of its own, in a router, in any server | [`http`], [`openmetrics`], [`encode_registry`] |
//! | prefix, buckets, labels, registry; the names that your dashboards expect | [`GrpcMetrics::builder`], [`Naming`] |
//! | error types of your own, counted by cause | [`macro@GrpcStatus`] |
//! | requests that reach no handler, sizes of messages, the code on the wire | [`server_layer`], [`layer`] |
//! | what the program calls | [`client`] |
//! | RPCs that an attribute can't reach | [`RequestGuard`] |
//! | the counts, in tests | [`GrpcMetrics::snapshot`] |
//! | recording rules, alerts, a dashboard | [`monitoring`], [`guide::monitoring`] |
//! | the caller's trace, exemplars | [`guide::tracing`] |
//! | every guarantee, line by line; every compiler message | [`guide::contract`], [`guide::errors`] |
//!
//! # Features
//!
//! None of them is enabled by default.
//!
//! | feature | |
//! |---|---|
//! | `http` | [`http`]: `/metrics` as an axum router, or on a port of its own |
//! | `openmetrics` | [`openmetrics`]: the OpenMetrics format in addition to the classic text, for exemplars |
//! | `native-histograms` | [native histograms](GrpcMetricsBuilder::native_histograms), and [`protobuf`], the format that has them |
//! | `tracing` | a span for each RPC, from its start to its end |
//! | `opentelemetry` | the span continues the caller's trace, and the latency histogram has exemplars |
//! | `otlp` | [`otlp`]: pushes to an OpenTelemetry collector |
//! | `monitoring` | [`monitoring`]: rules, alerts and configuration for Prometheus, Alertmanager and Grafana |
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
//! With [`server_layer`]:
//!
//! | name | type | labels |
//! |---|---|---|
//! | `grpc_server_stream_messages_received_total` | counter | `service`, `method` |
//! | `grpc_server_request_size_bytes` | histogram | `service`, `method` |
//! | `grpc_server_response_size_bytes` | histogram | `service`, `method` |
//!
//! With [`instrument_grpc_client`] or [`client_layer`]:
//!
//! | name | type | labels |
//! |---|---|---|
//! | `grpc_client_requests_total` | counter | `service`, `method`, `code` |
//! | `grpc_client_request_duration_seconds` | histogram | `service`, `method` |
//! | `grpc_client_in_flight_requests` | gauge | `service`, `method` |
//! | `grpc_client_method_info` | gauge, 1 | `service`, `method`, `type` |
//! | `grpc_client_stream_messages_sent_total` | counter | `service`, `method` |
//! | `grpc_client_stream_messages_received_total` | counter | `service`, `method` |
//! | `grpc_client_edge_requests_total` | counter | `caller_service`, `caller_method`, `service`, `method`, `code` |
//!
//! [`label`](GrpcMetricsBuilder::label) adds a label of your own to `grpc_server_requests_total`, such as the client's name.
//!
//! Every method of every instrumented service in the program has its series from the first scrape, at 0. The metrics
//! are registered in [`prometheus::default_registry`], unless the program [installs](GrpcMetrics::install) its own
//! [`GrpcMetrics`]. If you serve a registry yourself, call [`GrpcMetrics::global`] at startup; [`http`] calls it for
//! you.
//!
//! # Spans
//!
//! With the feature `tracing`, each RPC has a span that starts and ends with its metrics. Its name is `rpc`, its target
//! `grpc_metrics_runtime` and its level `INFO`, and it has the fields of OpenTelemetry's conventions for gRPC. The
//! handler and the response stream are polled inside it.
//!
//! With `opentelemetry`, the program's propagator reads the span's parent from the request's metadata. Each bucket of
//! the latency histogram keeps the newest sampled RPC as its exemplar. [`guide::tracing`] shows the setup, up to the
//! click from a graph to its trace.
//!
//! # Limitations
//!
//! Without [`server_layer`]:
//!
//! - Requests that reach no handler are not counted: unknown services and methods, messages that are missing or can't
//!   be decoded, rejections by an interceptor or a layer, shed load.
//! - If a client breaks off its request stream, tonic shows the handler the end of the messages. If the handler then
//!   returns a message, the RPC counts as `OK`.
//! - A response that is too large or can't be encoded counts as `OK`; as a message of a stream, it counts as
//!   `CANCELLED`.
//! - If a layer around the service catches panics, such as `tower-http`'s, the client gets the layer's code, and the
//!   RPC counts as `UNKNOWN`.
//!
//! With it or without:
//!
//! - RPCs generated by a macro called among the impl's items are not counted. [`GrpcMetrics::warnings`] and a line on
//!   stderr report such a call, unless `#[skip_metrics]` is above it.
//! - If a handler calls another RPC method of its own service, both are counted.
//! - A cancellation is seen only when the connection signals it. If a tonic client drops a response stream but keeps
//!   its request stream, it sends no reset, and the RPC stays in flight.
//! - Durations and deadlines are real time, including in tests with `tokio::time::pause`.
//!
//! # Two versions of `prometheus`
//!
//! The metrics are registered in the version of `prometheus` that this crate depends on. If the program exposes a
//! registry of another version, the metrics are missing there without an error. Check with `cargo tree --duplicates
//! --invert prometheus`. To avoid it, use the re-exports [`grpc_metrics_runtime::prometheus`](crate::prometheus) and
//! [`tonic`].
//!
//! # Cost
//!
//! Each thread counts in its own shard, and a scrape sums the shards. So an RPC takes no lock, writes no contended
//! cache line, and allocates nothing after a thread's first RPC of a method and code. There are three exceptions: a
//! method that is not an `async fn` and a method that returns a boxed stream cost one more box each, and `metrics = …`
//! clones an `Arc`.
//!
//! Memory grows with the number of threads. It is about 700 bytes per method, 160 to 210 per thread that counts the
//! method, and 200 per code other than `OK` that the thread sees. With other [buckets](GrpcMetricsBuilder::buckets),
//! each bound more or less is 8 bytes per code. For 1,000 methods, the memory in MB is:
//!
//! | threads | 1 code | 2 codes | 5 codes |
//! |---|---|---|---|
//! | 1 | 0.9 | 1.0 | 1.7 |
//! | 2 | 1.0 | 1.4 | 2.6 |
//! | 8 | 2.0 | 3.6 | 8.4 |
//! | 64 | 14 | 27 | 66 |
//!
//! With 64 threads, that is 220, 210 and 205 bytes per thread, method and code.
//!
//! With [native histograms](GrpcMetricsBuilder::native_histograms), a thread and code takes 200 bytes for every factor of
//! four that its RPCs' durations span, instead of a row of classic buckets.
//!
//! A [label of your own](GrpcMetricsBuilder::label) adds about 450 bytes per method and value that the method has seen, and for
//! each thread and code as much as above.

#![forbid(unsafe_code)]
#![warn(missing_docs)]
#![cfg_attr(docsrs, feature(doc_cfg))]
// The docs of one feature link to those of others.
#![cfg_attr(
    not(all(
        feature = "http",
        feature = "monitoring",
        feature = "native-histograms",
        feature = "openmetrics",
        feature = "otlp"
    )),
    allow(rustdoc::broken_intra_doc_links)
)]

mod catalog;
pub mod client;
mod counters;
mod export;
mod grpc;
// The pages' code needs libraries that this crate does not, so it is tested elsewhere in the workspace.
#[cfg(all(doc, not(doctest)))]
pub mod guide;
#[cfg(feature = "http")]
pub mod http;
mod instance;
pub mod layer;
mod metrics;
#[cfg(feature = "monitoring")]
pub mod monitoring;
#[cfg(feature = "otlp")]
pub mod otlp;
mod rpc;
mod status;

// The flag is set for every crate of a program that is fuzzed, whatever its features.
#[cfg(all(fuzzing, feature = "http", feature = "monitoring"))]
#[doc(hidden)]
#[path = "fuzzing.rs"]
pub mod __fuzzing;
#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;

pub use catalog::DuplicateService;
pub use client::client_layer;
#[cfg(feature = "opentelemetry")]
pub use counters::Exemplar;
pub use counters::{EdgeCount, ErrorCount};
#[cfg(feature = "openmetrics")]
pub use export::openmetrics;
#[cfg(feature = "native-histograms")]
pub use export::protobuf;
pub use export::text::{TEXT_CONTENT_TYPE, encode_registry};
pub use grpc::{CodeLabel, MethodKind};
/// Maps an error type to gRPC statuses: implements `From<Self> for tonic::Status`, and a method `code()`.
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
/// Goes above every variant, or above the struct. The arguments are:
///
/// - a code by its name in [`tonic::Code`], except `Ok`; or `transparent`, for a single field that is a
///   [`Status`](tonic::Status) or derives `GrpcStatus`. `transparent` passes on the field's status unchanged, including
///   the message, even if that is another server's.
/// - `message = "…"`: the message that the client gets. Default: the error's `Display`; for `Unknown`, `Internal` and
///   `DataLoss`, which report a fault of the server, the code's description.
/// - `cause = "…"`: the `error` label of `grpc_server_errors_total`. Default: the variant's or struct's name in snake
///   case.
///
/// Above the type, `crate = PATH` sets the path of the runtime, if it is renamed or re-exported.
///
/// The error becomes the [`source`](std::error::Error::source) of its status, so it has to be
/// `Error + Send + Sync + 'static`.
pub use grpc_metrics_macros::GrpcStatus;
/// Records metrics for every RPC method of the impl below it.
///
/// Put it above or below `#[tonic::async_trait]`, or any other re-export of that.
///
/// # Arguments
///
/// All are optional.
///
/// - `service = EXPR`: the service label, any constant `&'static str`, such as `greeter_server::SERVICE_NAME` or
///   `"pkg.Greeter"`. Default: if the trait is written with a module that ends in `_server`, as in `impl
///   greeter_server::Greeter for …`, that module's `SERVICE_NAME`; otherwise the trait's name. If services share a
///   label, [`GrpcMetricsBuilder::build`] returns an error, or, if no instance was installed, a line on stderr reports
///   it. If the trait is imported under an alias, the label is the alias, and a line on stderr reports it.
/// - `metrics = EXPR`: the [`GrpcMetrics`] to record into, or a reference or `Arc` of it. The expression may use
///   `self`. Default: [`GrpcMetrics::global`].
/// - `streams = false`: leaves the associated types unchanged. The RPCs end when their handlers return. Use it if the
///   types are named elsewhere in the program, or if a handler passes on the stream of another.
/// - `slo(availability = 99.9, latency = "200ms", percentile = 95)`: the objectives of the methods, in percent. Give
///   `availability`, `latency`, or both. They are exposed as `grpc_server_slo_*`. Availability is the ratio of RPCs
///   that do not end with a [fault code](GrpcMetricsBuilder::fault_codes). Latency is the ratio of RPCs that take no
///   longer, however they end; it does not apply to methods that return a stream.
/// - `span = false`: disables spans, if the feature `tracing` is enabled.
/// - `crate = PATH`: the path of the runtime, if it is renamed or re-exported.
///
/// On methods:
///
/// - `#[skip_metrics]` excludes the method and its stream type.
/// - `#[rpc(name = "GetKV")]` sets the RPC's name in the proto. Default: the name in the response stream's type if that
///   matches the method, such as `GetURLStream` for `get_url`; otherwise the method's name in upper camel case, or in
///   lower camel case if the names of all response streams begin with a small letter.
/// - `#[rpc(slo(latency = "2s"))]` overrides the impl's objectives, value by value, for streams too. `#[rpc(slo =
///   false)]` removes them.
/// - `#[rpc(span = false)]` disables the span.
///
/// In the impl, `Self::WatchStream` is the type as declared. The macro recognises the name by its tokens. So the trait
/// in `<Self as Greeter>::WatchStream` is recognised by the names at the end of its path. If another trait of the type
/// ends in the same names, import that trait under an alias.
///
/// Methods may be `async fn`s, with or without `#[async_trait]`, or return a boxed future. If a macro such as
/// `#[tracing::instrument]` is above a method that returns a boxed future, it finds the future only if the function
/// ends in `Box::pin(async move { … })` and has no `return`.
///
/// # How an RPC ends
///
/// | ending | code |
/// |---|---|
/// | the handler returns a message | 0 |
/// | the handler returns `Err(status)` | the status's; 13 if that is `OK` and a single message was due, as clients see |
/// | the response stream ends | 0 |
/// | the response stream yields `Err(status)` | the status's |
/// | the handler or its response stream is dropped: client gone, connection lost, shutdown | 1 |
/// | the same, after the `grpc-timeout` deadline has passed | 4 |
/// | a panic in the handler, the stream, or the stream's drop | 2 |
///
/// If the server's timer ends a call because of `grpc-timeout`, tonic tells the client `CANCELLED`, and the metric says
/// `DEADLINE_EXCEEDED`. `Server::timeout` is independent of the client's deadline: a call that it ends earlier counts
/// as `CANCELLED`. A drop counts as late from a tenth of the timeout, but at most 50 ms, before the deadline, because
/// the client's timer started before the handler did. tonic has no timer for a response stream that has begun, so past
/// the deadline only the client ends it.
///
/// # Errors
///
/// Handlers and response streams may have any error that converts into a [`Status`](tonic::Status). With the derive
/// [`GrpcStatus`], the metrics include its cause.
///
/// # Expansion
///
/// Each handler's future is wrapped in place; names, types and lints are unaffected.
///
/// `type WatchStream = T;` is unchanged if `T` is a boxed stream, `Pin<Box<dyn Stream<Item = Result<_, Status>> +
/// Send>>` under any name. It may also be `Sync`, or, with `Unpin`, not pinned. The instrumented stream is boxed into
/// that type. Any other `T` becomes [`ResponseStream<T>`], while `Self::WatchStream` in the impl still means `T`. So
/// code that names the type outside the impl, or passes on a sibling's stream as in `self.watch(request).await`, gets a
/// [`ResponseStream`]. With a boxed stream or `streams = false`, it gets the type as declared.
pub use grpc_metrics_macros::instrument_grpc;
/// Measures the calls of the generated client in the module below it; see [`client`].
///
/// Let tonic put it above every client. In `build.rs`:
///
/// ```ignore
/// tonic_prost_build::configure()
///     .client_mod_attribute(".", "#[::grpc_metrics_runtime::instrument_grpc_client]")
///     .compile_protos(&["proto/greeter.proto"], &["proto"])?;
/// ```
///
/// The calls count in the process-wide [`GrpcMetrics`]. All methods have their series from the first scrape.
///
/// # Arguments
///
/// Both are optional.
///
/// - `target = "…"`: the `target` label of all series, which tells apart servers of the same service.
/// - `crate = PATH`: the path of the runtime, if it is renamed or re-exported.
///
/// A module in which the attribute recognises no client stays as it is, and [`GrpcMetrics::warnings`] and a line on
/// stderr say so.
pub use grpc_metrics_macros::instrument_grpc_client;
pub use grpc_metrics_macros::{rpc, skip_metrics};
pub use instance::{
    DEFAULT_BUCKETS, Durations, MethodSnapshot, Naming, Slo, SloCounts, Snapshot, SnapshotDiff,
};
pub use layer::server_layer;
pub use metrics::{
    Error, GrpcMetrics, GrpcMetricsBuilder, LabelBuilder, LabelSource, RequestGuardBuilder,
    Warning, metadata,
};
pub use rpc::{Caller, RequestGuard, ResponseStream};
pub use status::GrpcStatus;
pub use {prometheus, tonic};
