//! What each [`Naming`] sets, as data.

use super::families::FamilyId::{
    self, CallDuration, Duration, MessagesReceived, MessagesSent, RequestSize, Requests,
    ResponseSize, Started,
};
use super::families::{METHOD, ROWS, SERVICE};
use crate::catalog::Side::{self, Client, Server};
use crate::grpc::CodeLabel;
use crate::instance::{DEFAULT_BUCKETS, LabelForm, Naming};

/// A naming's table.
#[derive(Debug)]
pub(crate) struct Dialect {
    /// The prefix of the server's metrics. The client's follows from it.
    pub(crate) prefix: &'static str,
    /// Upper bounds of the duration's buckets in seconds.
    pub(crate) buckets: &'static [f64],
    pub(crate) code_label: CodeLabel,
    pub(crate) form: LabelForm,
    pub(crate) all_codes_at_zero: bool,
    pub(crate) all_messages: bool,
    /// The families that it defines, by names without the prefix.
    pub(super) families: &'static [(Side, FamilyId, &'static str)],
    /// Names of labels, by their default name.
    pub(super) labels: &'static [(&'static str, &'static str)],
    /// A label of the families that it defines, with its value.
    pub(super) system: Option<[&'static str; 2]>,
    /// The full method of paths that the program does not know.
    pub(super) other: &'static str,
    /// The labels of a client's upstream: its name, or its host and port.
    pub(super) target: &'static [&'static str],
    /// Whether sizes of messages are by code.
    pub(super) code_on_sizes: bool,
    /// A label after the code, which says so if the call has failed.
    pub(super) error_type: Option<&'static str>,
    /// The names that OpenTelemetry's semantic conventions give metrics and labels, where a scrape can't have them.
    #[cfg(feature = "otlp")]
    pub(super) conventions: &'static [Convention],
}

/// A metric or label of OpenTelemetry's semantic conventions.
#[cfg(feature = "otlp")]
#[derive(Debug)]
pub(crate) struct Convention {
    /// Its name in a scrape.
    pub(super) scraped: &'static str,
    pub(crate) name: &'static str,
    /// Whether its values are integers, if it is a label.
    pub(crate) is_integer: bool,
}

#[cfg(feature = "otlp")]
impl Convention {
    const fn new(scraped: &'static str, name: &'static str) -> Self {
        Self { scraped, name, is_integer: false }
    }
}

/// The labels of a client's upstream, by default.
pub(super) const DEFAULT_TARGET: &[&str] = &["target"];

const DEFAULT: Dialect = Dialect {
    prefix: "grpc_server",
    buckets: DEFAULT_BUCKETS,
    code_label: CodeLabel::Number,
    form: LabelForm { code_on_durations: false, full_methods: false, type_on_all: false },
    all_codes_at_zero: false,
    all_messages: false,
    families: &[],
    labels: &[],
    system: None,
    other: "other",
    target: DEFAULT_TARGET,
    code_on_sizes: false,
    error_type: None,
    #[cfg(feature = "otlp")]
    conventions: &[],
};

/// <https://github.com/grpc-ecosystem/go-grpc-middleware>, `providers/prometheus`.
static GO_GRPC_PROMETHEUS: Dialect = Dialect {
    buckets: &[0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0],
    code_label: CodeLabel::CamelCase,
    form: LabelForm { type_on_all: true, ..DEFAULT.form },
    all_codes_at_zero: true,
    all_messages: true,
    families: &[
        (Server, Started, "started_total"),
        (Server, Requests, "handled_total"),
        (Server, Duration, "handling_seconds"),
        (Server, MessagesReceived, "msg_received_total"),
        (Server, MessagesSent, "msg_sent_total"),
        (Client, Started, "started_total"),
        (Client, Requests, "handled_total"),
        (Client, Duration, "handling_seconds"),
        (Client, MessagesReceived, "msg_received_total"),
        (Client, MessagesSent, "msg_sent_total"),
    ],
    labels: &[
        ("service", "grpc_service"),
        ("method", "grpc_method"),
        ("code", "grpc_code"),
        ("type", "grpc_type"),
    ],
    ..DEFAULT
};

/// <https://opentelemetry.io/docs/specs/semconv/rpc/rpc-metrics>, by the rules of its exporter for Prometheus.
static OPEN_TELEMETRY: Dialect = Dialect {
    prefix: "rpc_server",
    buckets: &[0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0],
    code_label: CodeLabel::Name,
    form: LabelForm { code_on_durations: true, full_methods: true, ..DEFAULT.form },
    families: &[
        (Server, Duration, "call_duration_seconds"),
        (Client, Duration, "call_duration_seconds"),
    ],
    labels: &[
        ("service", "rpc_service"),
        ("method", "rpc_method"),
        ("code", "rpc_response_status_code"),
    ],
    system: Some(["rpc_system_name", "grpc"]),
    other: "_OTHER",
    target: &["server_address", "server_port"],
    error_type: Some("error_type"),
    #[cfg(feature = "otlp")]
    conventions: &[
        Convention::new("rpc_server_call_duration_seconds", "rpc.server.call.duration"),
        Convention::new("rpc_client_call_duration_seconds", "rpc.client.call.duration"),
        Convention::new("rpc_system_name", "rpc.system.name"),
        Convention::new("rpc_method", "rpc.method"),
        Convention::new("rpc_response_status_code", "rpc.response.status_code"),
        Convention::new("error_type", "error.type"),
        Convention::new("server_address", "server.address"),
        Convention { is_integer: true, ..Convention::new("server_port", "server.port") },
    ],
    ..DEFAULT
};

/// <https://github.com/grpc/proposal/blob/master/A66-otel-stats.md>.
static GRPC_A66: Dialect = Dialect {
    buckets: &[
        0.0, 0.000_01, 0.000_05, 0.000_1, 0.000_3, 0.000_6, 0.000_8, 0.001, 0.002, 0.003, 0.004,
        0.005, 0.006, 0.008, 0.01, 0.013, 0.016, 0.02, 0.025, 0.03, 0.04, 0.05, 0.065, 0.08, 0.1,
        0.13, 0.16, 0.2, 0.25, 0.3, 0.4, 0.5, 0.65, 0.8, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0,
    ],
    code_label: CodeLabel::Name,
    form: LabelForm { code_on_durations: true, full_methods: true, ..DEFAULT.form },
    families: &[
        (Server, Started, "call_started_total"),
        (Server, Duration, "call_duration_seconds"),
        (Server, ResponseSize, "call_sent_total_compressed_message_size_bytes"),
        (Server, RequestSize, "call_rcvd_total_compressed_message_size_bytes"),
        (Client, Started, "attempt_started_total"),
        (Client, Duration, "attempt_duration_seconds"),
        (Client, CallDuration, "call_duration_seconds"),
        (Client, RequestSize, "attempt_sent_total_compressed_message_size_bytes"),
        (Client, ResponseSize, "attempt_rcvd_total_compressed_message_size_bytes"),
    ],
    labels: &[
        ("service", "grpc_service"),
        ("method", "grpc_method"),
        ("code", "grpc_status"),
        ("target", "grpc_target"),
    ],
    code_on_sizes: true,
    ..DEFAULT
};

/// Returns the naming's table.
pub(crate) fn dialect(naming: Naming) -> &'static Dialect {
    match naming {
        Naming::Default => &DEFAULT,
        Naming::GoGrpcPrometheus => &GO_GRPC_PROMETHEUS,
        Naming::OpenTelemetry => &OPEN_TELEMETRY,
        Naming::GrpcA66 => &GRPC_A66,
    }
}

/// Returns whether it is the default name of a label.
pub(crate) fn is_label(name: &str) -> bool {
    let own = ROWS.iter().flat_map(|row| row.labels);
    [SERVICE, METHOD].iter().chain(DEFAULT_TARGET).chain(own).any(|label| *label == name)
}

/// Returns whether it is the default name of a family, without the prefix.
pub(crate) fn is_family(name: &str) -> bool {
    ROWS.iter().any(|row| row.suffix == name)
}

impl Dialect {
    /// Returns the family's name without the prefix, if the naming defines it.
    pub(super) fn family(&self, side: Side, id: FamilyId) -> Option<&'static str> {
        let found = self.families.iter().find(|(of, known, _)| (*of, *known) == (side, id));
        found.map(|(_, _, name)| *name)
    }

    /// Returns whether it has the sizes of a client's messages.
    pub(crate) fn bytes_of_calls(&self) -> bool {
        self.family(Side::Client, FamilyId::RequestSize).is_some()
    }

    /// Returns the label by its default name.
    pub(super) fn label(&self, default: &str) -> Option<&'static str> {
        let found = self.labels.iter().find(|(known, _)| *known == default);
        found.map(|(_, name)| *name)
    }
}
