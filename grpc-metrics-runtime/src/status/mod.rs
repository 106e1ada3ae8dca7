//! The status of a handler's own error.

mod cause;

use std::error::Error;
use std::sync::Arc;

use tonic::{Code, Response, Status};

pub use self::cause::ErrorType;
use self::cause::PassedOn;
pub(crate) use self::cause::cause_of;

/// An error with a gRPC status; made by `#[derive(GrpcStatus)]`, and implemented by [`Status`] itself.
///
/// What `#[status(transparent)]` holds is one of these. The trait is sealed: only the derive implements it. A handler's
/// return type takes any error that converts into a [`Status`]; without the derive, the metrics do not know its cause.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no gRPC status to pass on",
    label = "expected `tonic::Status`, or an error that derives `GrpcStatus`",
    note = "derive `GrpcStatus` for `{Self}`, or give the variant a code: #[status(Internal)]"
)]
pub trait GrpcStatus {
    #[doc(hidden)]
    fn described(&self) -> Description;

    /// The error as the client sees it, with the error itself as its `source`.
    fn into_status(self) -> Status;
}

impl<E: GrpcStatus> GrpcStatus for Box<E> {
    fn described(&self) -> Description {
        (**self).described()
    }

    fn into_status(self) -> Status {
        (*self).into_status()
    }
}

impl GrpcStatus for Status {
    fn described(&self) -> Description {
        Description { code: self.code(), cause: cause_of(self), message: None }
    }

    fn into_status(self) -> Status {
        self
    }
}

/// What `#[status(…)]` says of an error.
#[derive(Clone, Copy, Debug)]
pub struct Description {
    code: Code,
    cause: Option<&'static str>,
    message: Option<&'static str>,
}

impl Description {
    /// Of an error with a status of its own.
    pub const fn own(code: Code, cause: &'static str, message: Option<&'static str>) -> Self {
        Self { code, cause: Some(cause), message }
    }

    /// Of one that passes another's on, whose cause is the more telling one.
    pub fn passed_on(inner: &impl GrpcStatus, cause: &'static str) -> Self {
        let inner = inner.described();
        Self { cause: inner.cause.or(Some(cause)), ..inner }
    }

    /// The status's code.
    pub const fn code(self) -> Code {
        self.code
    }
}

/// What can be the source of a status.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no error that a status can have as its source",
    label = "not `std::error::Error + Send + Sync + 'static`",
    note = "derive `thiserror::Error` for it, or implement `Display` and `std::error::Error`"
)]
pub trait Source: Error + Send + Sync + 'static {}

#[diagnostic::do_not_recommend]
impl<E: Error + Send + Sync + 'static> Source for E {}

/// The status of an error of a generic type that says its own code.
pub fn own_status_of_generic<E: GrpcStatus + Source>(error: E) -> Status {
    ErrorType::of::<E>().register();
    own_status(error)
}

/// The status of an error that says its own code.
pub fn own_status<E: GrpcStatus + Source>(error: E) -> Status {
    let Description { code, message, .. } = error.described();
    let message = match message {
        Some(message) => message.to_owned(),
        // What went wrong inside is for logs.
        None if hides_message(code) => code.description().to_owned(),
        None => error.to_string(),
    };
    let mut status = Status::new(code, message);
    status.set_source(Arc::new(error));
    status
}

/// The status of an error that passes another's on.
pub fn passed_on(inner: impl GrpcStatus, cause: &'static str) -> Status {
    let status = inner.into_status();
    if cause_of(&status).is_some() {
        return status;
    }
    let mut passed = status.clone();
    passed.set_source(Arc::new(PassedOn { cause, status }));
    passed
}

/// Whether the message of such a status is for the server's eyes, unless the error says which one is
/// not: the codes of errors that a client can do nothing about.
const fn hides_message(code: Code) -> bool {
    matches!(code, Code::Unknown | Code::Internal | Code::DataLoss)
}

impl ErrorType {
    /// Returns the entry of `E`. The derive's expansion submits it to the inventory.
    pub const fn of<E: GrpcStatus + Source>() -> Self {
        Self::new::<E>(|error| error.downcast_ref::<E>()?.described().cause)
    }
}

/// A handler's result, whose error may become a status.
pub trait WithStatus {
    /// The same with a [`Status`].
    type Returned;

    #[doc(hidden)]
    fn with_status(self) -> Self::Returned;
}

impl<M, E: IntoStatus> WithStatus for Result<Response<M>, E> {
    type Returned = Result<Response<M>, Status>;

    #[inline]
    fn with_status(self) -> Self::Returned {
        self.map_err(IntoStatus::into_status)
    }
}

/// What a handler may return as its error.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no error that an RPC can end with: it does not convert into a `tonic::Status`",
    label = "expected `tonic::Status`, or what converts into it",
    note = "derive `GrpcStatus` or implement `From<{Self}> for tonic::Status`",
    note = "a type of another crate goes into a variant of an error of your own"
)]
pub trait IntoStatus {
    #[doc(hidden)]
    fn into_status(self) -> Status;
}

#[diagnostic::do_not_recommend]
impl<E: Into<Status>> IntoStatus for E {
    #[inline]
    fn into_status(self) -> Status {
        self.into()
    }
}
