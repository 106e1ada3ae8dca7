//! The namings of metrics, as on the command lines.

use std::{fmt, str::FromStr};

use grpc_metrics_runtime::Naming;

const NAMINGS: [(&str, Naming); 4] = [
    ("default", Naming::Default),
    ("go-grpc-prometheus", Naming::GoGrpcPrometheus),
    ("opentelemetry", Naming::OpenTelemetry),
    ("grpc-a66", Naming::GrpcA66),
];

/// A naming that was chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Chosen(pub(crate) Naming);

impl FromStr for Chosen {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = NAMINGS.iter().find(|(name, _)| *name == text);
        found.map(|(_, naming)| Self(*naming)).ok_or("no such naming")
    }
}

impl fmt::Display for Chosen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let found = NAMINGS.iter().find(|(_, naming)| *naming == self.0);
        f.write_str(found.map_or("", |(name, _)| name))
    }
}
