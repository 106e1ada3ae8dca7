//! The errors of a program, as one writes them beside `thiserror`.

use grpc_metrics_runtime::GrpcStatus;
use tonic::metadata::MetadataMap;
use tonic::{Code, Status};

#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct StoreError(pub(crate) String);

#[derive(Debug, thiserror::Error, GrpcStatus)]
pub(crate) enum AppError {
    #[error("no post {0}")]
    #[status(NotFound)]
    NoPost(u32),
    #[error("e-mail {0} is taken")]
    #[status(AlreadyExists, cause = "email")]
    EmailTaken(String),
    #[error("database: {0}")]
    #[status(Internal, message = "storage failed")]
    Db(#[from] StoreError),
    #[error(transparent)]
    #[status(transparent)]
    Upstream(#[from] Status),
    #[error("the secret is {secret}")]
    #[status(Internal)]
    Inside { secret: &'static str },
    #[error("secret")]
    #[status(Unknown)]
    Strange,
    #[error("secret")]
    #[status(DataLoss)]
    Lost,
    #[error("no account")]
    #[status(NotFound)]
    NoAccount,
    #[error("too many connections")]
    #[status(Unavailable, cause = "db")]
    DbBusy,
    #[error(transparent)]
    #[status(transparent)]
    Disk(#[from] DiskError),
}

#[derive(Debug, thiserror::Error, GrpcStatus)]
#[error("no disk")]
#[status(Unavailable, cause = "disk_missing")]
pub(crate) struct DiskError;

/// The error that a test asks for by number.
pub(crate) fn fail(number: u32) -> AppError {
    match number {
        0 => AppError::NoPost(7),
        1 => AppError::EmailTaken("a@b.c".to_owned()),
        2 => StoreError("secret".to_owned()).into(),
        3 => {
            let mut metadata = MetadataMap::new();
            metadata.insert("retry-after", "7".parse().expect("ASCII"));
            let details = (&b"details"[..]).into();
            let code = Code::ResourceExhausted;
            Status::with_details_and_metadata(code, "slow down", details, metadata).into()
        }
        4 => AppError::Inside { secret: "secret" },
        5 => AppError::Strange,
        6 => AppError::Lost,
        8 => AppError::NoAccount,
        9 => AppError::DbBusy,
        _ => DiskError.into(),
    }
}

/// An error that holds those of a layer below.
#[derive(Debug, thiserror::Error, GrpcStatus)]
pub(crate) enum OuterError {
    #[error(transparent)]
    #[status(transparent)]
    Inner(#[from] AppError),
    #[error("somebody was faster")]
    #[status(Aborted)]
    Conflict,
}

/// An error that converts by hand.
#[derive(Debug)]
pub(crate) struct ByHand(pub(crate) Status);

impl From<ByHand> for Status {
    fn from(error: ByHand) -> Self {
        error.0
    }
}

impl From<Status> for ByHand {
    fn from(status: Status) -> Self {
        Self(status)
    }
}

/// An error whose conversion panics.
#[derive(Debug)]
pub(crate) struct Panics;

impl From<Panics> for Status {
    fn from(_: Panics) -> Self {
        panic!("this conversion always does")
    }
}

/// An error that is only ever a source.
#[derive(Debug, thiserror::Error, GrpcStatus)]
#[error("never converted")]
#[status(NotFound)]
pub(crate) struct NeverConverted;
