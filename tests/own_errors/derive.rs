//! The shapes of errors that `#[derive(GrpcStatus)]` takes.

use std::error::Error;
use std::fmt::{self, Debug, Display};
use std::marker::PhantomData;

use grpc_metrics_runtime::GrpcStatus;
use tonic::{Code, Status};

/// By hand, as without `thiserror`.
macro_rules! displayed {
    ($([$($generics:tt)*] $ty:ty),*) => {$(
        impl<$($generics)*> Display for $ty {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "shown")
            }
        }

        impl<$($generics)*> Error for $ty {}
    )*};
}

/// Every code there is for an error.
#[derive(Debug, GrpcStatus)]
enum Every {
    #[status(Cancelled)]
    Unit,
    #[status(Unknown)]
    Tuple(),
    #[status(InvalidArgument)]
    #[allow(dead_code)]
    Named { field: u32 },
    #[status(DeadlineExceeded)]
    r#Try,
    #[status(NotFound)]
    HTTPError,
    #[status(AlreadyExists)]
    V2,
    #[status(PermissionDenied, cause = "no \"way\"")]
    Cause,
    #[status(ResourceExhausted, message = "{0} is no argument")]
    Message,
    #[status(FailedPrecondition)]
    Comma,
    #[status(Aborted)]
    #[status(message = "on two lines", cause = "two_lines")]
    TwoLines,
    #[status(OutOfRange)]
    #[deprecated]
    Old,
    #[status(Unimplemented)]
    A,
    #[status(Internal)]
    B,
    #[status(Unavailable)]
    C,
    #[status(DataLoss)]
    D,
    #[status(Unauthenticated)]
    E,
}

#[derive(Debug, GrpcStatus)]
#[status(NotFound)]
struct NothingThere;

#[derive(Debug, GrpcStatus)]
#[status(transparent)]
struct Wrapper {
    inner: Every,
}

#[derive(Debug, GrpcStatus)]
enum Generic<T: Debug, const N: usize = 3> {
    #[status(Aborted)]
    #[allow(dead_code)]
    With(T, PhantomData<[(); N]>),
}

#[derive(Debug, GrpcStatus)]
enum Around<E> {
    #[status(transparent)]
    Inner(E),
}

/// Nothing but statuses of others, and itself in a box.
#[derive(Debug, GrpcStatus)]
#[deny(warnings)]
enum Chain {
    #[status(transparent)]
    More(Box<Chain>),
    #[status(transparent)]
    End(Every),
}

/// The same with a parameter.
#[derive(Debug, GrpcStatus)]
enum Deep<E> {
    #[status(transparent)]
    More(Box<Deep<E>>),
    #[status(transparent)]
    Same(Box<Self>),
    #[status(transparent)]
    End(E),
}

mod inner {
    use super::GrpcStatus;

    #[derive(Debug, GrpcStatus)]
    #[status(transparent)]
    pub(super) struct Deepest<E>(pub(super) E);
}

/// Holds another of the same name, and not itself.
#[derive(Debug, GrpcStatus)]
enum Deepest<E> {
    #[status(transparent)]
    More(Box<self::Deepest<E>>),
    #[status(transparent)]
    End(inner::Deepest<E>),
}

#[derive(Debug, GrpcStatus)]
#[status(crate = ::grpc_metrics_runtime, NotFound)]
struct WithPath;

#[derive(Debug, GrpcStatus)]
enum Never {}

displayed!(
    [] Every,
    [] NothingThere,
    [] Wrapper,
    [T: Debug, const N: usize] Generic<T, N>,
    [T: Debug] Around<T>,
    [] Chain,
    [E: Debug] Deep<E>,
    [E: Debug] inner::Deepest<E>,
    [E: Debug] Deepest<E>,
    [] WithPath,
    [] Never
);

#[test]
#[allow(deprecated)]
fn g2_variants_of_every_shape_have_their_code_and_message() {
    for (error, code, message) in [
        (Every::Unit, Code::Cancelled, "shown"),
        (Every::Tuple(), Code::Unknown, "Unknown error"),
        (Every::Named { field: 1 }, Code::InvalidArgument, "shown"),
        (Every::r#Try, Code::DeadlineExceeded, "shown"),
        (Every::HTTPError, Code::NotFound, "shown"),
        (Every::V2, Code::AlreadyExists, "shown"),
        (Every::Cause, Code::PermissionDenied, "shown"),
        (Every::Message, Code::ResourceExhausted, "{0} is no argument"),
        (Every::Comma, Code::FailedPrecondition, "shown"),
        (Every::TwoLines, Code::Aborted, "on two lines"),
        (Every::Old, Code::OutOfRange, "shown"),
        (Every::A, Code::Unimplemented, "shown"),
        (Every::B, Code::Internal, "Internal error"),
        (Every::C, Code::Unavailable, "shown"),
        (Every::D, Code::DataLoss, "Unrecoverable data loss or corruption"),
        (Every::E, Code::Unauthenticated, "shown"),
    ] {
        assert_eq!(error.code(), code, "{error:?}");
        let shown = format!("{error:?}");
        let status = Status::from(error);
        assert_eq!((status.code(), status.message()), (code, message), "{shown}");
    }
}

#[test]
fn g2_types_of_every_shape_convert() {
    assert_eq!(NothingThere.code(), Code::NotFound);
    assert_eq!(Status::from(NothingThere).message(), "shown");
    assert_eq!(Wrapper { inner: Every::V2 }.code(), Code::AlreadyExists);
    assert_eq!(Status::from(Wrapper { inner: Every::B }).message(), "Internal error");
    assert_eq!(Generic::<_, 3>::With(1_u8, PhantomData).code(), Code::Aborted);
    let status = Status::from(Generic::<_, 1>::With("text", PhantomData));
    assert!(status.source().is_some_and(<dyn Error>::is::<Generic<&str, 1>>));
    assert_eq!(Around::Inner(NothingThere).code(), Code::NotFound);
    assert_eq!(Status::from(Around::Inner(Status::aborted("why"))).message(), "why");
    let chain = Chain::More(Box::new(Chain::More(Box::new(Chain::End(Every::V2)))));
    assert_eq!(
        (chain.code(), Status::from(chain).code()),
        (Code::AlreadyExists, Code::AlreadyExists)
    );
    let deep = Deep::More(Box::new(Deep::Same(Box::new(Deep::End(Every::V2)))));
    assert_eq!(
        (deep.code(), Status::from(deep).code()),
        (Code::AlreadyExists, Code::AlreadyExists)
    );
    let deepest = Deepest::More(Box::new(Deepest::End(inner::Deepest(Every::V2))));
    assert_eq!(
        (deepest.code(), Status::from(deepest).code()),
        (Code::AlreadyExists, Code::AlreadyExists)
    );
    assert_eq!(WithPath.code(), Code::NotFound);
    let _: fn(Never) -> Status = Status::from;
}

/// What an error holds that is a status already is told as that tells it: the derive hides no text of another's.
#[test]
fn g3_a_transparent_error_passes_on_the_text_whatever_the_code() {
    for code in [Code::Internal, Code::Unknown, Code::DataLoss] {
        let status = Status::from(Around::Inner(Status::new(code, "table users is locked")));
        assert_eq!((status.code(), status.message()), (code, "table users is locked"));
    }
}
