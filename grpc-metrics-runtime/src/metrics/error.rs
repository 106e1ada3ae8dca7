//! The errors of building and installing a [`GrpcMetrics`](crate::GrpcMetrics).

use std::fmt;

use crate::catalog::DuplicateService;

/// The error of building or installing a [`GrpcMetrics`](crate::GrpcMetrics).
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The prefix does not match `[a-zA-Z_:][a-zA-Z0-9_:]*`.
    #[non_exhaustive]
    InvalidPrefix {
        /// The prefix.
        prefix: String,
    },
    /// A label has an invalid or reserved name or is given twice, or the registry adds a label that the metrics have
    /// themselves.
    #[non_exhaustive]
    InvalidLabel {
        /// The name of the label.
        name: String,
        /// Why it is invalid.
        reason: &'static str,
    },
    /// A metric is given an invalid name, or one that another metric has, or there is no such metric to be named.
    #[non_exhaustive]
    InvalidMetricName {
        /// The name.
        name: String,
        /// Why it is invalid.
        reason: &'static str,
    },
    /// The [label of requests](crate::GrpcMetricsBuilder::label) has an invalid or reserved name, is a constant label or a
    /// second label, takes its value from an invalid or binary metadata key, or has no values or too many.
    #[non_exhaustive]
    InvalidRequestLabel {
        /// The name of the label.
        name: String,
        /// Why it is invalid.
        reason: String,
    },
    /// A target label has an invalid or reserved name, is a constant label of the metrics, or is given twice.
    #[non_exhaustive]
    InvalidTargetLabel {
        /// The name of the label.
        name: String,
        /// Why it is invalid.
        reason: &'static str,
    },
    /// The bucket bounds are empty or not strictly ascending, or one of them is not finite or less than a nanosecond.
    #[non_exhaustive]
    InvalidBuckets {
        /// Why they are invalid.
        reason: String,
    },
    /// `Ok` is among the fault codes.
    OkIsNoFault,
    /// Impls share a service label, so that their RPCs would be counted as those of one service.
    ///
    /// If that is intended, call
    /// [`allow_duplicate_services`](crate::GrpcMetricsBuilder::allow_duplicate_services).
    DuplicateServices(Vec<DuplicateService>),
    /// The registry rejected the metrics, because it has others with the same name.
    #[non_exhaustive]
    Registration {
        /// The prefix of the metrics' names.
        prefix: String,
        /// The registry's error.
        source: prometheus::Error,
    },
    /// There is a process-wide instance already: one was installed, or the default one was created on first use.
    AlreadyInstalled,
}

/// Each version of this crate has its own process-wide instance, and the registry accepts only one of them.
const TWO_VERSIONS: &str = ". If the program registers them nowhere else, it has two versions of \
    grpc-metrics-runtime: `cargo tree --duplicates --invert grpc-metrics-runtime` shows which crates use them";

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvalidPrefix { prefix } => {
                write!(f, "prefix {prefix:?} is invalid; use [a-zA-Z_:][a-zA-Z0-9_:]*")
            }
            Self::InvalidLabel { name, reason } => write!(f, "label {name:?} {reason}"),
            Self::InvalidMetricName { name, reason } => write!(f, "metric {name:?} {reason}"),
            Self::InvalidRequestLabel { name, reason } => write!(f, "request label {name:?} {reason}"),
            Self::InvalidTargetLabel { name, reason } => write!(f, "target label {name:?} {reason}"),
            Self::InvalidBuckets { reason } => write!(f, "bucket bounds {reason}"),
            Self::OkIsNoFault => f.write_str("the fault codes include OK; remove it"),
            Self::DuplicateServices(duplicates) => {
                let lines: Vec<_> = duplicates.iter().map(ToString::to_string).collect();
                f.write_str(&lines.join("; "))
            }
            Self::Registration { prefix, source } => write!(
                f,
                "the registry rejected the {prefix}_* metrics: {source}; use another prefix, constant label or \
                 registry, and build before the first RPC{TWO_VERSIONS}"
            ),
            Self::AlreadyInstalled => f.write_str(
                "there is a process-wide GrpcMetrics already; install yours before the first RPC and before \
                 the first call of GrpcMetrics::global()",
            ),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Registration { source, .. } => Some(source),
            _ => None,
        }
    }
}
