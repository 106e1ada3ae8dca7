//! A company's own kit: its crates depend on this one, and on neither tonic nor the metrics.
//!
//! The lints are line E11 of the contract, for a library with public services.

#![forbid(unsafe_code)]
#![deny(warnings, missing_docs, clippy::all, clippy::pedantic)]

pub use grpc_metrics_runtime as metrics;
pub use support::shapes;
pub use tonic;

use shapes::pb::{Answer, Ask, plain_server, streams_server};
use tonic::codegen::tokio_stream as streams;
use tonic::{Request, Response, Status};

/// A service that answers as it is asked.
#[derive(Clone, Copy, Debug, Default)]
pub struct Echo;

#[metrics::instrument_grpc(service = "facade.plain")]
#[tonic::async_trait]
impl plain_server::Plain for Echo {
    async fn first(&self, request: Request<Ask>) -> Result<Response<Answer>, Status> {
        shapes::answer(request.into_inner()).map(Response::new)
    }

    async fn second(&self, _request: Request<Ask>) -> Result<Response<Answer>, Status> {
        Err(Status::unimplemented("second"))
    }
}

#[metrics::instrument_grpc(service = "facade.streams")]
#[tonic::async_trait]
impl streams_server::Streams for Echo {
    /// What is read.
    type ReadStream = Answers;

    async fn read(&self, request: Request<Ask>) -> Result<Response<Self::ReadStream>, Status> {
        Ok(Response::new(Box::pin(iter(request.into_inner()))))
    }

    type TailStream = Answers;

    async fn tail(&self, _: Request<Ask>) -> Result<Response<Answers>, Status> {
        Err(Status::unimplemented("tail"))
    }
}

/// A response stream.
pub type Answers = std::pin::Pin<Box<dyn streams::Stream<Item = Result<Answer, Status>> + Send>>;

fn iter(ask: Ask) -> impl streams::Stream<Item = Result<Answer, Status>> {
    streams::iter(shapes::answers(ask))
}

/// Implements `Plain` for a type of the calling crate, measured.
#[macro_export]
macro_rules! plain {
    ($service:ident, $label:literal) => {
        #[$crate::metrics::instrument_grpc(crate = $crate::metrics, service = $label)]
        #[$crate::tonic::async_trait]
        impl $crate::shapes::pb::plain_server::Plain for $service {
            async fn first(
                &self,
                request: $crate::tonic::Request<$crate::shapes::pb::Ask>,
            ) -> $crate::tonic::Result<$crate::tonic::Response<$crate::shapes::pb::Answer>> {
                let answer = $crate::shapes::answer(request.into_inner())?;
                Ok($crate::tonic::Response::new(answer))
            }

            async fn second(
                &self,
                request: $crate::tonic::Request<$crate::shapes::pb::Ask>,
            ) -> $crate::tonic::Result<$crate::tonic::Response<$crate::shapes::pb::Answer>> {
                $crate::shapes::answer(request.into_inner()).map($crate::tonic::Response::new)
            }
        }
    };
}
