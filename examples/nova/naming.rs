//! The naming of the metrics: an option, and what the page says in it.

use std::{fmt, str::FromStr};

use grpc_metrics_runtime::{GrpcMetrics, Naming};
use tonic::Code;

use crate::{run::Failure, sample::Sample, scrape::Rpc};

const NAMINGS: [(&str, Naming); 4] = [
    ("default", Naming::Default),
    ("go-grpc-prometheus", Naming::GoGrpcPrometheus),
    ("opentelemetry", Naming::OpenTelemetry),
    ("grpc-a66", Naming::GrpcA66),
];

/// A naming that was chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Chosen(Naming);

impl FromStr for Chosen {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let found = NAMINGS.iter().find(|(name, _)| *name == text);
        found.map(|(_, naming)| Self(*naming)).ok_or(())
    }
}

impl fmt::Display for Chosen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let found = NAMINGS.iter().find(|(_, naming)| *naming == self.0);
        f.write_str(found.map_or("", |(name, _)| name))
    }
}

/// What a sample of the page says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Says {
    Kind,
    Requests,
    Errors,
    InFlight,
    Bucket,
    /// How many durations there are. If they are by code, also how many requests.
    Durations {
        by_code: bool,
    },
    /// The page has further series of methods that are served.
    OtherOfServer,
    Calls,
    Edges,
}

/// The names in which a page is read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Names {
    server: &'static str,
    client: &'static str,
    requests: Option<&'static str>,
    durations: &'static str,
    calls: &'static str,
    service: &'static str,
    method: &'static str,
    code: &'static str,
    kind: &'static str,
    /// Whether the label of the method has the service, too.
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

impl Chosen {
    /// Lets all metrics of this process have these names. Must come before the first RPC.
    pub(crate) fn install(self) -> Result<(), Failure> {
        // Otherwise the instance is created when it is needed.
        if self != Self::default() {
            let metrics = GrpcMetrics::builder().naming(self.0).build();
            let installed = metrics.and_then(GrpcMetrics::install);
            installed.map_err(|error| Failure::Start(error.to_string()))?;
        }
        Ok(())
    }

    pub(crate) fn names(self) -> Names {
        match self.0 {
            Naming::GoGrpcPrometheus => Names {
                requests: Some("handled_total"),
                durations: "handling_seconds",
                calls: "handled_total",
                service: "grpc_service",
                method: "grpc_method",
                code: "grpc_code",
                kind: "grpc_type",
                ..DEFAULT
            },
            Naming::OpenTelemetry => Names {
                server: "rpc_server_",
                client: "rpc_client_",
                requests: None,
                durations: "call_duration_seconds",
                calls: "call_duration_seconds_count",
                service: "rpc_service",
                method: "rpc_method",
                code: "rpc_response_status_code",
                full_methods: true,
                ..DEFAULT
            },
            Naming::GrpcA66 => Names {
                requests: None,
                durations: "call_duration_seconds",
                calls: "attempt_duration_seconds_count",
                service: "grpc_service",
                method: "grpc_method",
                code: "grpc_status",
                full_methods: true,
                ..DEFAULT
            },
            _ => DEFAULT,
        }
    }
}

pub(crate) enum Path {
    Method(Rpc),
    /// No measured method's, such as health checks and reflection, which the server layer sees.
    Other,
}

impl Names {
    /// Returns what a sample with this name says; `None` if it is no metric of RPCs.
    pub(crate) fn says(&self, name: &str) -> Option<Says> {
        if let Some(name) = name.strip_prefix(self.client) {
            return match name {
                "edge_requests_total" => Some(Says::Edges),
                name if name == self.calls => Some(Says::Calls),
                _ => None,
            };
        }
        let name = name.strip_prefix(self.server)?;
        Some(match (name, name.strip_prefix(self.durations)) {
            ("method_info", _) => Says::Kind,
            ("errors_total", _) => Says::Errors,
            ("in_flight_requests", _) => Says::InFlight,
            (_, Some("_bucket")) => Says::Bucket,
            (_, Some("_count")) => Says::Durations { by_code: self.requests.is_none() },
            (name, _) if self.requests == Some(name) => Says::Requests,
            _ => Says::OtherOfServer,
        })
    }

    /// Returns whose sample it is.
    pub(crate) fn path(&self, sample: &Sample<'_>) -> Option<Path> {
        let method = sample.label(self.method)?;
        let (service, method) = if self.full_methods {
            let Some(both) = method.split_once('/') else { return Some(Path::Other) };
            both
        } else {
            (sample.label(self.service)?, method)
        };
        Some(match service {
            "other" => Path::Other,
            _ => Path::Method((service.to_owned(), method.to_owned())),
        })
    }

    pub(crate) fn code(&self, sample: &Sample<'_>) -> Option<u8> {
        let label = sample.label(self.code)?;
        // grpc-go's "Canceled" has one l.
        let plain = |name: &str| name.replace('_', "").to_lowercase().replace("ll", "l");
        let named =
            |code: &u8| plain(&format!("{:?}", Code::from(i32::from(*code)))) == plain(label);
        label.parse().ok().or_else(|| (0..=16).find(named))
    }

    pub(crate) fn kind<'a>(&self, sample: &'a Sample<'_>) -> Option<&'a str> {
        sample.label(self.kind)
    }
}
