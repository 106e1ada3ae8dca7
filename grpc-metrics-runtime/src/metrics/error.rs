//! What can be wrong with the settings of a [`GrpcMetrics`](crate::GrpcMetrics).

use std::fmt;

use crate::catalog::DuplicateService;

/// Why a [`GrpcMetrics`](crate::GrpcMetrics) could not be built or installed.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The prefix does not start a legal metric name: `[a-zA-Z_:][a-zA-Z0-9_:]*`.
    #[non_exhaustive]
    InvalidPrefix {
        /// As given.
        prefix: String,
    },
    /// A constant label has an illegal or reserved name, or is given twice; or the registry adds one to all
    /// series that the metrics have themselves.
    #[non_exhaustive]
    InvalidLabel {
        /// As given.
        name: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A label of targets has an illegal or reserved name, is a constant label of the metrics, or is given twice.
    #[non_exhaustive]
    InvalidTargetLabel {
        /// As given.
        name: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The bucket bounds are empty, not ascending, hold a bound twice, or one that is no positive number
    /// of nanoseconds.
    #[non_exhaustive]
    InvalidBuckets {
        /// What is wrong with them.
        reason: String,
    },
    /// `Ok` is among the codes that mean a fault of the server.
    OkIsNoFault,
    /// Impls share a service label, so that their RPCs would be counted as one service's.
    ///
    /// Where that is meant, say so with
    /// [`allow_duplicate_services`](crate::GrpcMetricsBuilder::allow_duplicate_services).
    DuplicateServices(Vec<DuplicateService>),
    /// The registry refused the metrics: it has others under one of the names already.
    #[non_exhaustive]
    Registration {
        /// The prefix of the metrics' names.
        prefix: String,
        /// What the registry said.
        source: prometheus::Error,
    },
    /// There is a process-wide instance already: installed earlier, or made by default when it was
    /// first needed.
    AlreadyInstalled,
}

/// Each has a process-wide instance of its own, and all but one are not shown.
const TWO_VERSIONS: &str = ". If the program registers them nowhere else, it has two versions of \
    grpc-metrics-runtime: `cargo tree --duplicates --invert grpc-metrics-runtime` shows whose";

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvalidPrefix { prefix } => {
                write!(f, "{prefix:?} can't start a metric's name: [a-zA-Z_:][a-zA-Z0-9_:]* can")
            }
            Self::InvalidLabel { name, reason } => write!(f, "constant label {name:?} {reason}"),
            Self::InvalidTargetLabel { name, reason } => write!(f, "target label {name:?} {reason}"),
            Self::InvalidBuckets { reason } => write!(f, "bucket bounds {reason}"),
            Self::OkIsNoFault => f.write_str("OK is among the fault codes, and is no fault; leave it out"),
            Self::DuplicateServices(duplicates) => {
                let lines: Vec<_> = duplicates.iter().map(ToString::to_string).collect();
                f.write_str(&lines.join("; "))
            }
            Self::Registration { prefix, source } => write!(
                f,
                "the registry refused the {prefix}_* metrics: {source}; use another prefix, constant label or \
                 registry, and build before the first RPC is served{TWO_VERSIONS}"
            ),
            Self::AlreadyInstalled => f.write_str(
                "a process-wide GrpcMetrics exists already; install yours first, before the first RPC and \
                 before GrpcMetrics::global() is called",
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
