//! The names of the metrics that Nova reads, in each naming.

use grpc_metrics_runtime::Naming;

use crate::{sample::Sample, scrape::Rpc};

/// What Nova reads. All but calls and edges are of the servers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Metric {
    MethodInfo,
    Requests,
    Errors,
    InFlight,
    DurationBucket,
    DurationCount,
    Calls,
    Edges,
}

/// The service of paths that no measured method has.
pub(crate) const OTHER: &str = "other";

#[derive(Clone, Copy, Debug)]
pub(crate) struct Names {
    server: &'static str,
    client: &'static str,
    /// `None` if durations are by code, so their count is that of the requests.
    requests: Option<&'static str>,
    durations: &'static str,
    calls: &'static str,
    service: &'static str,
    method: &'static str,
    code: &'static str,
    kind: &'static str,
    /// Whether the label of the method is `service/method`.
    full_methods: bool,
}

const DEFAULT: Names = Names {
    server: "grpc_server_",
    client: "grpc_client_",
    requests: Some("requests_total"),
    durations: "request_duration_seconds",
    calls: "requests_total",
    service: "service",
    method: "method",
    code: "code",
    kind: "type",
    full_methods: false,
};

const GO_GRPC_PROMETHEUS: Names = Names {
    requests: Some("handled_total"),
    durations: "handling_seconds",
    calls: "handled_total",
    service: "grpc_service",
    method: "grpc_method",
    code: "grpc_code",
    kind: "grpc_type",
    ..DEFAULT
};

const OPEN_TELEMETRY: Names = Names {
    server: "rpc_server_",
    client: "rpc_client_",
    requests: None,
    durations: "call_duration_seconds",
    calls: "call_duration_seconds_count",
    method: "rpc_method",
    code: "rpc_response_status_code",
    full_methods: true,
    ..DEFAULT
};

const GRPC_A66: Names = Names {
    requests: None,
    durations: "call_duration_seconds",
    calls: "attempt_duration_seconds_count",
    method: "grpc_method",
    code: "grpc_status",
    full_methods: true,
    ..DEFAULT
};

/// By number: the codes' canonical names, and those in Go.
const CODES: [[&str; 2]; 17] = [
    ["OK", "OK"],
    ["CANCELLED", "Canceled"],
    ["UNKNOWN", "Unknown"],
    ["INVALID_ARGUMENT", "InvalidArgument"],
    ["DEADLINE_EXCEEDED", "DeadlineExceeded"],
    ["NOT_FOUND", "NotFound"],
    ["ALREADY_EXISTS", "AlreadyExists"],
    ["PERMISSION_DENIED", "PermissionDenied"],
    ["RESOURCE_EXHAUSTED", "ResourceExhausted"],
    ["FAILED_PRECONDITION", "FailedPrecondition"],
    ["ABORTED", "Aborted"],
    ["OUT_OF_RANGE", "OutOfRange"],
    ["UNIMPLEMENTED", "Unimplemented"],
    ["INTERNAL", "Internal"],
    ["UNAVAILABLE", "Unavailable"],
    ["DATA_LOSS", "DataLoss"],
    ["UNAUTHENTICATED", "Unauthenticated"],
];

impl Names {
    pub(crate) fn of(naming: Naming) -> Self {
        match naming {
            Naming::GoGrpcPrometheus => GO_GRPC_PROMETHEUS,
            Naming::OpenTelemetry => OPEN_TELEMETRY,
            Naming::GrpcA66 => GRPC_A66,
            _ => DEFAULT,
        }
    }

    /// Returns the metric of a sample by its name.
    pub(crate) fn metric(&self, name: &str) -> Option<Metric> {
        if let Some(name) = name.strip_prefix(self.client) {
            return match name {
                "edge_requests_total" => Some(Metric::Edges),
                name if name == self.calls => Some(Metric::Calls),
                _ => None,
            };
        }
        let name = name.strip_prefix(self.server)?;
        match (name, name.strip_prefix(self.durations)) {
            ("method_info", _) => Some(Metric::MethodInfo),
            ("errors_total", _) => Some(Metric::Errors),
            ("in_flight_requests", _) => Some(Metric::InFlight),
            (_, Some("_bucket")) => Some(Metric::DurationBucket),
            (_, Some("_count")) => Some(Metric::DurationCount),
            (name, _) => (self.requests == Some(name)).then_some(Metric::Requests),
        }
    }

    pub(crate) fn durations_are_by_code(&self) -> bool {
        self.requests.is_none()
    }

    /// Returns service and method. The service is `other` for paths that no measured method has, such as those of
    /// health checks and reflection, which the server layer sees.
    pub(crate) fn rpc(&self, sample: &Sample<'_>) -> Option<Rpc> {
        let method = sample.label(self.method)?;
        let (service, method) = if self.full_methods {
            method.split_once('/').unwrap_or((OTHER, method))
        } else {
            (sample.label(self.service)?, method)
        };
        Some((service.to_owned(), method.to_owned()))
    }

    /// Returns the number of the code.
    pub(crate) fn code(&self, sample: &Sample<'_>) -> Option<u8> {
        let label = sample.label(self.code)?;
        let by_name = || (0..).zip(CODES).find(|(_, names)| names.contains(&label));
        label.parse().ok().or_else(|| by_name().map(|(number, _)| number))
    }

    pub(crate) fn kind<'a>(&self, sample: &'a Sample<'_>) -> Option<&'a str> {
        sample.label(self.kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn m1_a_code_is_read_in_every_spelling() {
        let code = |naming, line: &str| Names::of(naming).code(&Sample::parse(line).unwrap());
        assert_eq!(code(Naming::Default, "a{code=\"4\"} 1"), Some(4));
        assert_eq!(code(Naming::GoGrpcPrometheus, "a{grpc_code=\"Canceled\"} 1"), Some(1));
        assert_eq!(code(Naming::GoGrpcPrometheus, "a{grpc_code=\"Unauthenticated\"} 1"), Some(16));
        let canonical = "a{rpc_response_status_code=\"DEADLINE_EXCEEDED\"} 1";
        assert_eq!(code(Naming::OpenTelemetry, canonical), Some(4));
        assert_eq!(code(Naming::GrpcA66, "a{grpc_status=\"CANCELLED\"} 1"), Some(1));
        assert_eq!(code(Naming::GrpcA66, "a{grpc_status=\"GREAT\"} 1"), None);
        assert_eq!(code(Naming::GrpcA66, "a{code=\"0\"} 1"), None);
    }
}
