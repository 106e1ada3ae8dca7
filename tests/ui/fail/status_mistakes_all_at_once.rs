use std::fmt;

use grpc_metrics_runtime::GrpcStatus;
use tonic::{Code, Status};

#[derive(Debug, GrpcStatus)]
enum AppError {
    NoCode,
    #[status]
    NoArguments,
    #[status = "NotFound"]
    EqualsSign,
    #[status()]
    Empty,
    #[status(NotFound, Internal)]
    TwoCodes,
    #[status(NotFound)]
    #[status(Aborted)]
    TwoAttributes,
    #[status(NotFond)]
    Typo,
    #[status(NOT_FOUND)]
    Canonical,
    #[status(Code::NotFound)]
    WithPath,
    #[status(code::Nothing)]
    WithStrangePath,
    #[status(Teapot)]
    NoSuchCode,
    #[status(Ok)]
    NoError,
    #[status(5)]
    Number,
    #[status(NotFound, mesage = "gone")]
    KeyTypo,
    #[status(NotFound, colour = "red")]
    NoSuchKey,
    #[status(NotFound, message = gone)]
    MessageIsNoString,
    #[status(NotFound, message)]
    MessageOfNothing,
    #[status(NotFound, message = "a", message = "b")]
    MessageTwice,
    #[status(NotFound, cause = 7)]
    CauseIsNoString,
    #[status(NotFound, cause = "")]
    CauseIsEmpty,
    #[status(NotFound message = "gone")]
    NoComma,
    #[status(transparent)]
    TransparentWithoutField,
    #[status(transparent)]
    TransparentWithTwoFields(Status, Status),
    #[status(transparent, Internal)]
    TransparentWithCode(Status),
    #[status(transparent, message = "hidden")]
    TransparentWithMessage(Status),
    #[status(NotFound, crate = ::grpc_metrics_runtime)]
    CrateOnVariant,
    OnField(#[status(NotFound)] u32),
    #[status(transparant)]
    TransparentTypo(Status),
    #[status(NotFound, cause = " ")]
    CauseIsBlank,
    #[status(code = NotFound)]
    CodeAsKey,
    #[status(NotFound)]
    HTTPError,
    #[status(NotFound)]
    HttpError,
}

impl fmt::Display for AppError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an error")
    }
}

impl std::error::Error for AppError {}

// Who uses the type sees no second error.
fn main() -> Result<(), Status> {
    let code: Code = AppError::NoCode.code();
    assert_eq!(code, Code::NotFound);
    Err(AppError::Typo)?
}
