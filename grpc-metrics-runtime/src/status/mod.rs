//! The status of a handler's own error.

mod cause;

use std::error::Error;
use std::sync::Arc;

use tonic::{Code, Response, Status};

pub use self::cause::ErrorType;
use self::cause::PassedOn;
pub(crate) use self::cause::cause_of;

/// An error with a gRPC status: [`Status`] itself, or a type with `#[derive(GrpcStatus)]`.
///
/// A field under `#[status(transparent)]` has to implement this trait. The trait is sealed: use the derive to implement
/// it. Handlers may return any error that converts into a [`Status`], but without the derive the metrics have no cause
/// for it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no gRPC status to pass on",
    label = "expected `tonic::Status`, or an error that derives `GrpcStatus`",
    note = "derive `GrpcStatus` for `{Self}`, or write a code instead of `transparent`: `#[status(Internal)]`"
)]
pub trait GrpcStatus {
    #[doc(hidden)]
    fn described(&self) -> Description;

    /// Converts the error into the status that the client gets, with the error as its `source`.
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

/// The arguments of `#[status(…)]` for an error.
#[derive(Clone, Copy, Debug)]
pub struct Description {
    code: Code,
    cause: Option<&'static str>,
    message: Option<&'static str>,
}

impl Description {
    /// Returns the description of an error with a code of its own.
    pub const fn own(code: Code, cause: &'static str, message: Option<&'static str>) -> Self {
        Self { code, cause: Some(cause), message }
    }

    /// Returns the description of an error that passes on the status of `inner`. The cause of `inner` is the more
    /// specific one, so it takes precedence.
    pub fn passed_on(inner: &impl GrpcStatus, cause: &'static str) -> Self {
        let inner = inner.described();
        Self { cause: inner.cause.or(Some(cause)), ..inner }
    }

    /// Returns the status code.
    pub const fn code(self) -> Code {
        self.code
    }
}

/// An error that can be the source of a status.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be the source of a status",
    label = "not `std::error::Error + Send + Sync + 'static`",
    note = "derive `thiserror::Error` for it, or implement `Display` and `std::error::Error`"
)]
pub trait Source: Error + Send + Sync + 'static {}

#[diagnostic::do_not_recommend]
impl<E: Error + Send + Sync + 'static> Source for E {}

/// Converts an error of a generic type, with a code of its own, into a status.
pub fn own_status_of_generic<E: GrpcStatus + Source>(error: E) -> Status {
    ErrorType::of::<E>().register();
    own_status(error)
}

/// Converts an error with a code of its own into a status.
pub fn own_status<E: GrpcStatus + Source>(error: E) -> Status {
    let Description { code, message, .. } = error.described();
    let message = match message {
        Some(message) => message.to_owned(),
        // Internal details are for logs, not for clients.
        None if hides_message(code) => code.description().to_owned(),
        None => error.to_string(),
    };
    let mut status = Status::new(code, message);
    status.set_source(Arc::new(error));
    status
}

/// Converts an error that passes on the status of `inner` into that status.
pub fn passed_on(inner: impl GrpcStatus, cause: &'static str) -> Status {
    let status = inner.into_status();
    if cause_of(&status).is_some() {
        return status;
    }
    let mut passed = status.clone();
    passed.set_source(Arc::new(PassedOn { cause, status }));
    passed
}

/// Returns whether the error's text is kept from the client unless `message` is given.
const fn hides_message(code: Code) -> bool {
    matches!(code, Code::Unknown | Code::Internal | Code::DataLoss)
}

impl ErrorType {
    /// Returns the entry of `E`. The derive's expansion submits it to the inventory.
    pub const fn of<E: GrpcStatus + Source>() -> Self {
        Self::new::<E>(|error| error.downcast_ref::<E>()?.described().cause)
    }
}

/// A handler's result, whose error converts into a [`Status`].
pub trait WithStatus {
    /// The result with a [`Status`] as its error.
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

/// An error that a handler may return.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be the error of an RPC: it does not convert into `tonic::Status`",
    label = "expected `tonic::Status`, or an error that converts into it",
    note = "derive `GrpcStatus` or implement `From<{Self}> for tonic::Status`",
    note = "wrap an error of another crate in a variant of your own error type"
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
