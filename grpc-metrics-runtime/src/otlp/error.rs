//! What can be wrong with the settings, and what a push can fail with.

use std::fmt;
use std::time::Duration;

use tonic::Status;

/// The error of starting a [`Pusher`](super::Pusher).
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The variable asks for a protocol other than `grpc`.
    #[non_exhaustive]
    UnsupportedProtocol {
        /// The variable.
        variable: &'static str,
        /// Its value.
        value: String,
    },
    /// The variable asks for a compression other than `gzip` and `none`.
    #[non_exhaustive]
    UnsupportedCompression {
        /// The variable.
        variable: &'static str,
        /// Its value.
        value: String,
    },
    /// The variable asks for a temporality other than `cumulative`.
    #[non_exhaustive]
    UnsupportedTemporality {
        /// The variable.
        variable: &'static str,
        /// Its value.
        value: String,
    },
    /// The endpoint is no URL of a host.
    #[non_exhaustive]
    InvalidEndpoint {
        /// The endpoint.
        endpoint: String,
    },
    /// The endpoint asks for TLS, for which there has to be a [channel](super::PusherBuilder::channel).
    #[non_exhaustive]
    NeedsTls {
        /// The endpoint.
        endpoint: String,
    },
    /// A header has an invalid name or value. The value may be a secret, so it is not here.
    #[non_exhaustive]
    InvalidHeader {
        /// The name, or what is in its place.
        name: String,
        /// Why it is invalid.
        reason: &'static str,
    },
    /// The interval is 0.
    NoInterval,
    /// The caller is not in a tokio runtime.
    NoRuntime,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnsupportedProtocol { variable, value } => write!(
                f,
                "{variable}={value} is not supported; set it to grpc, with the endpoint of a collector's gRPC \
                 receiver, by default on port 4317. For one signal alone, set OTEL_EXPORTER_OTLP_METRICS_PROTOCOL"
            ),
            Self::UnsupportedCompression { variable, value } => {
                write!(f, "{variable}={value} is not supported; set it to gzip or none")
            }
            Self::UnsupportedTemporality { variable, value } => write!(
                f,
                "{variable}={value} is not supported; set it to cumulative, and let the collector convert, such as by \
                 its processor cumulativetodelta"
            ),
            Self::InvalidEndpoint { endpoint } => {
                write!(f, "endpoint {endpoint:?} is invalid; write it as http://HOST:PORT")
            }
            Self::NeedsTls { endpoint } => write!(
                f,
                "endpoint {endpoint:?} needs TLS; give PusherBuilder::channel a channel with a tls_config, or write \
                 http://HOST:PORT"
            ),
            Self::InvalidHeader { name, reason } => write!(f, "header {name:?} {reason}"),
            Self::NoInterval => f.write_str("the interval is 0; give at least a millisecond"),
            Self::NoRuntime => f.write_str(
                "there is no tokio runtime; start the pusher in one, such as in a main of #[tokio::main]",
            ),
        }
    }
}

impl std::error::Error for Error {}

/// The error of a push. The counts are kept, and the next push has them.
#[derive(Debug)]
#[non_exhaustive]
pub enum PushError {
    /// The collector can't be reached, or has answered with this status.
    Failed(Status),
    /// The collector has not answered within the timeout.
    Timeout(Duration),
    /// The collector has rejected a part of the data.
    #[non_exhaustive]
    PartlyRejected {
        /// The number of data points that it has rejected.
        data_points: u64,
        /// What it says about them.
        message: String,
    },
    /// The runtime of the pusher has been shut down.
    Stopped,
}

impl fmt::Display for PushError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(status) => write!(f, "the collector did not accept the metrics: {status}"),
            Self::Timeout(timeout) => write!(f, "the collector did not answer within {timeout:?}"),
            Self::PartlyRejected { data_points, message } => {
                write!(f, "the collector rejected {data_points} data points: {message}")
            }
            Self::Stopped => f.write_str("the runtime of the pusher has been shut down"),
        }
    }
}

impl std::error::Error for PushError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Failed(status) => Some(status),
            _ => None,
        }
    }
}
