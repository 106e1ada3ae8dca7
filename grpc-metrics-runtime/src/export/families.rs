//! The families that there are: their default names, types, labels and help.

use crate::catalog::Side;

/// The labels of a method's series, by default.
pub(crate) const SERVICE: &str = "service";
pub(crate) const METHOD: &str = "method";
pub(crate) const TYPE: &str = "type";
pub(crate) const CODE: &str = "code";

/// The identity of a family, independent of its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FamilyId {
    Requests,
    Errors,
    Duration,
    InFlight,
    MethodInfo,
    MessagesSent,
    MessagesReceived,
    RequestSize,
    ResponseSize,
    SloEvents,
    SloBadEvents,
    SloObjective,
    EdgeRequests,
    /// RPCs that have started. Only some namings have it.
    Started,
    /// The durations of a client's calls, where [`Duration`](Self::Duration) is that of its attempts.
    CallDuration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FamilyType {
    Counter,
    Gauge,
    Histogram,
}

impl FamilyType {
    /// Returns the name of the type in both text formats.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// A row of the table.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) side: Side,
    pub(super) id: FamilyId,
    /// The default name without the prefix.
    pub(super) suffix: &'static str,
    pub(super) ty: FamilyType,
    /// The labels after those of the method, by their default names.
    pub(super) labels: &'static [&'static str],
    pub(super) help: &'static str,
}

/// Those of the server first, in the order of [`FamilyId`].
pub(super) static ROWS: [Row; 24] = [
    Row {
        side: Side::Server,
        id: FamilyId::Requests,
        suffix: "requests_total",
        ty: FamilyType::Counter,
        labels: &["code"],
        help: "RPCs that ended, by gRPC status code.",
    },
    Row {
        side: Side::Server,
        id: FamilyId::Errors,
        suffix: "errors_total",
        ty: FamilyType::Counter,
        labels: &["code", "error"],
        help: "RPCs that ended with an error whose cause is known, by gRPC status code and cause.",
    },
    Row {
        side: Side::Server,
        id: FamilyId::Duration,
        suffix: "request_duration_seconds",
        ty: FamilyType::Histogram,
        labels: &[],
        help: "Time from the start of an RPC to its end; for a response stream, until the stream ends.",
    },
    Row {
        side: Side::Server,
        id: FamilyId::InFlight,
        suffix: "in_flight_requests",
        ty: FamilyType::Gauge,
        labels: &[],
        help: "RPCs that have started and not ended.",
    },
    Row {
        side: Side::Server,
        id: FamilyId::MethodInfo,
        suffix: "method_info",
        ty: FamilyType::Gauge,
        labels: &["type"],
        help: "1 for every method, with its kind: unary, client_stream, server_stream or bidi_stream.",
    },
    Row {
        side: Side::Server,
        id: FamilyId::MessagesSent,
        suffix: "stream_messages_sent_total",
        ty: FamilyType::Counter,
        labels: &[],
        help: "Messages sent on response streams.",
    },
    Row {
        side: Side::Server,
        id: FamilyId::MessagesReceived,
        suffix: "stream_messages_received_total",
        ty: FamilyType::Counter,
        labels: &[],
        help: "Messages received by request streams.",
    },
    Row {
        side: Side::Server,
        id: FamilyId::RequestSize,
        suffix: "request_size_bytes",
        ty: FamilyType::Histogram,
        labels: &[],
        help: "Bytes of an RPC's request messages as they travel.",
    },
    Row {
        side: Side::Server,
        id: FamilyId::ResponseSize,
        suffix: "response_size_bytes",
        ty: FamilyType::Histogram,
        labels: &[],
        help: "Bytes of an RPC's response messages as they travel.",
    },
    Row {
        side: Side::Server,
        id: FamilyId::SloEvents,
        suffix: "slo_events_total",
        ty: FamilyType::Counter,
        labels: &["slo"],
        help: "RPCs that ended, of methods with an objective.",
    },
    Row {
        side: Side::Server,
        id: FamilyId::SloBadEvents,
        suffix: "slo_bad_events_total",
        ty: FamilyType::Counter,
        labels: &["slo"],
        help: "RPCs that ended and missed the objective.",
    },
    Row {
        side: Side::Server,
        id: FamilyId::SloObjective,
        suffix: "slo_objective_ratio",
        ty: FamilyType::Gauge,
        labels: &["slo"],
        help: "The objective: the ratio of RPCs that have to be good.",
    },
    Row {
        side: Side::Server,
        id: FamilyId::Started,
        suffix: "requests_started_total",
        ty: FamilyType::Counter,
        labels: &[],
        help: "RPCs that have started.",
    },
    Row {
        side: Side::Client,
        id: FamilyId::Requests,
        suffix: "requests_total",
        ty: FamilyType::Counter,
        labels: &["code"],
        help: "Calls that ended, by gRPC status code.",
    },
    Row {
        side: Side::Client,
        id: FamilyId::Duration,
        suffix: "request_duration_seconds",
        ty: FamilyType::Histogram,
        labels: &[],
        help: "Time from the start of a call to its end; for a response stream, until the stream ends.",
    },
    Row {
        side: Side::Client,
        id: FamilyId::InFlight,
        suffix: "in_flight_requests",
        ty: FamilyType::Gauge,
        labels: &[],
        help: "Calls that have started and not ended.",
    },
    Row {
        side: Side::Client,
        id: FamilyId::MethodInfo,
        suffix: "method_info",
        ty: FamilyType::Gauge,
        labels: &["type"],
        help: "1 for every method that is called, with its kind: unary, client_stream, server_stream or bidi_stream.",
    },
    Row {
        side: Side::Client,
        id: FamilyId::MessagesSent,
        suffix: "stream_messages_sent_total",
        ty: FamilyType::Counter,
        labels: &[],
        help: "Messages sent on request streams.",
    },
    Row {
        side: Side::Client,
        id: FamilyId::MessagesReceived,
        suffix: "stream_messages_received_total",
        ty: FamilyType::Counter,
        labels: &[],
        help: "Messages received on response streams.",
    },
    Row {
        side: Side::Client,
        id: FamilyId::EdgeRequests,
        suffix: "edge_requests_total",
        ty: FamilyType::Counter,
        labels: &["caller_service", "caller_method", "code"],
        help: "Calls that ended, by the handler that made them and gRPC status code.",
    },
    Row {
        side: Side::Client,
        id: FamilyId::Started,
        suffix: "requests_started_total",
        ty: FamilyType::Counter,
        labels: &[],
        help: "Calls that have started.",
    },
    Row {
        side: Side::Client,
        id: FamilyId::CallDuration,
        suffix: "call_duration_seconds",
        ty: FamilyType::Histogram,
        labels: &[],
        help: "Time from the start of a call to its end; for a response stream, until the stream ends.",
    },
    Row {
        side: Side::Client,
        id: FamilyId::RequestSize,
        suffix: "request_size_bytes",
        ty: FamilyType::Histogram,
        labels: &[],
        help: "Bytes of a call's request messages as they travel.",
    },
    Row {
        side: Side::Client,
        id: FamilyId::ResponseSize,
        suffix: "response_size_bytes",
        ty: FamilyType::Histogram,
        labels: &[],
        help: "Bytes of a call's response messages as they travel.",
    },
];
