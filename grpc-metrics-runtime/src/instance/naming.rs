//! The naming of metrics: whose names, labels and spelling an instance uses.

use crate::grpc::CodeSet;

/// Whose names the metrics have; see [`GrpcMetricsBuilder::naming`](crate::GrpcMetricsBuilder::naming).
///
/// A naming sets the names of metrics and labels, the spelling of codes, and the buckets. Metrics that it does not
/// define, such as those of objectives, keep this crate's names, with its prefix and labels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Naming {
    /// This crate's names: `grpc_server_requests_total{service, method, code}`.
    #[default]
    Default,
    /// The names of go-grpc-prometheus and of go-grpc-middleware's `prometheus` provider, which most public dashboards
    /// and mixins for gRPC query: `grpc_server_handled_total{grpc_type, grpc_service, grpc_method, grpc_code}`.
    ///
    /// All 17 codes have their series from the first scrape. `…_msg_received_total` and `…_msg_sent_total` also count
    /// the messages of unary methods. Methods whose kind nothing says, such as those that only a client layer sees, have
    /// the type `bidi_stream`.
    GoGrpcPrometheus,
    /// The names of OpenTelemetry's semantic conventions for RPC, as Prometheus shows them:
    /// `rpc_server_call_duration_seconds{rpc_system_name, rpc_method, rpc_response_status_code, error_type}`.
    ///
    /// `rpc_method` is `pkg.Service/Method`, or `_OTHER`. `error_type` is empty for calls that have not failed: on a
    /// server, that is all but its [fault codes](crate::GrpcMetricsBuilder::fault_codes). A client's target, such as
    /// `target = "billing:50051"`, becomes `server_address` and `server_port`.
    OpenTelemetry,
    /// The names of gRPC's own metrics, gRFC A66, as their exporters for Prometheus show them:
    /// `grpc_server_call_duration_seconds{grpc_method, grpc_status}`.
    ///
    /// `grpc_method` is `pkg.Service/Method`, or `other`. tonic does not retry, so a client's attempts are its calls.
    /// Only in this naming do the bytes of a call's messages count, for which its client allocates up to twice more.
    GrpcA66,
}

/// Which labels the series have.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct LabelForm {
    /// Whether histograms of durations are by code.
    pub(crate) code_on_durations: bool,
    /// Whether one label has service and method.
    pub(crate) full_methods: bool,
    /// Whether all series have the kind of the method.
    pub(crate) type_on_all: bool,
}

/// The naming and what is set apart from it. The program's own names are validated.
#[derive(Clone, Debug, Default)]
pub(crate) struct NamingSettings {
    pub(crate) naming: Naming,
    /// Names of labels, by their default name.
    pub(crate) labels: Vec<(String, String)>,
    /// Names of metrics without their prefix, by their default name.
    pub(crate) metrics: Vec<(String, String)>,
    pub(crate) form: LabelForm,
    /// The codes whose series start at 0, besides OK and the fault codes.
    pub(crate) codes_at_zero: Option<CodeSet>,
    /// Whether messages count that are no stream's.
    pub(crate) all_messages: bool,
    /// Whether the bytes of a client's messages count.
    pub(crate) bytes_of_calls: bool,
}
