//! `#[derive(GrpcStatus)]` under strict lints, and where the names of its expansion mean something else.

#![forbid(unsafe_code)]
#![deny(warnings, missing_docs, unreachable_pub, clippy::all, clippy::pedantic)]

/// In a crate's interface.
pub mod public {
    /// A public one.
    #[derive(Debug, thiserror::Error, grpc_metrics_runtime::GrpcStatus)]
    #[non_exhaustive]
    pub enum Error {
        /// Nothing there.
        #[error("nothing there")]
        #[status(NotFound)]
        Nothing,
    }
}

mod hostile {
    #![no_implicit_prelude]
    #![allow(dead_code, non_camel_case_types)]

    pub(super) struct Status;
    pub(super) struct Code;
    pub(super) struct Option;
    pub(super) struct Some;
    pub(super) struct None;
    pub(super) struct From;
    pub(super) struct Error;
    pub(super) struct GrpcStatus;
    pub(super) struct std;
    pub(super) struct core;
    pub(super) struct tonic;
    pub(super) struct grpc_metrics_runtime;
    pub(super) struct inner;
    pub(super) struct own;

    #[derive(Debug, ::grpc_metrics_runtime::GrpcStatus)]
    #[status(crate = ::grpc_metrics_runtime)]
    pub(super) enum Mine {
        #[status(NotFound, message = "gone")]
        Gone,
        #[status(transparent)]
        Passed(::tonic::Status),
    }

    use ::std::fmt::Debug;

    impl ::std::fmt::Display for Mine {
        fn fmt(&self, _: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
            ::std::result::Result::Ok(())
        }
    }

    impl ::std::error::Error for Mine {}
}

fn main() {
    assert_eq!(public::Error::Nothing.code(), tonic::Code::NotFound);
    assert_eq!(tonic::Status::from(hostile::Mine::Gone).message(), "gone");
    let passed = hostile::Mine::Passed(tonic::Status::aborted("why"));
    assert_eq!(tonic::Status::from(passed).message(), "why");
}
