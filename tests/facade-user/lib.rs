//! Crates that know tonic and the metrics by other names only: through a [`facade`], and renamed.

#![forbid(unsafe_code)]
#![deny(warnings, missing_docs, clippy::all, clippy::pedantic)]

/// Everything by way of the facade.
pub mod through_the_facade {
    use facade::metrics::instrument_grpc;
    use facade::shapes::pb::shapes_server::Shapes;
    use facade::shapes::pb::{Answer, Ask};
    use facade::shapes::{answer, answers, last};
    use facade::tonic::codegen::tokio_stream;
    use facade::tonic::{Request, Response, Result, Streaming};

    /// A service of all four kinds.
    #[derive(Debug)]
    pub struct Service;

    #[instrument_grpc(crate = ::facade::metrics, service = "facade_user.facade")]
    #[facade::tonic::async_trait]
    impl Shapes for Service {
        async fn one(&self, request: Request<Ask>) -> Result<Response<Answer>> {
            answer(request.into_inner()).map(Response::new)
        }

        async fn upload(&self, request: Request<Streaming<Ask>>) -> Result<Response<Answer>> {
            answer(last(request.into_inner()).await?).map(Response::new)
        }

        type WatchStream = tokio_stream::Iter<std::vec::IntoIter<Result<Answer>>>;
        async fn watch(&self, request: Request<Ask>) -> Result<Response<Self::WatchStream>> {
            Ok(Response::new(tokio_stream::iter(answers(request.into_inner()))))
        }

        type ChatStream = Self::WatchStream;
        async fn chat(
            &self,
            request: Request<Streaming<Ask>>,
        ) -> Result<Response<Self::ChatStream>> {
            let ask = last(request.into_inner()).await?;
            Ok(Response::new(tokio_stream::iter(answers(ask))))
        }
    }

    /// One that a macro of the facade implements.
    #[derive(Debug)]
    pub struct ByMacro;

    facade::plain!(ByMacro, "facade_user.macro");
}

/// The runtime under another name, and under a module of this crate.
pub mod renamed {
    use facade::shapes::answer;
    use facade::shapes::pb::plain_server::Plain;
    use facade::shapes::pb::{Answer, Ask};
    use facade::tonic::{self, Request, Response, Status};
    use rpc_metrics::instrument_grpc;

    /// A service.
    #[derive(Debug)]
    pub struct Service;

    #[tonic::async_trait]
    #[instrument_grpc(crate = ::rpc_metrics, service = "facade_user.renamed")]
    impl Plain for Service {
        async fn first(&self, request: Request<Ask>) -> Result<Response<Answer>, Status> {
            answer(request.into_inner()).map(Response::new)
        }

        async fn second(&self, request: Request<Ask>) -> Result<Response<Answer>, Status> {
            answer(request.into_inner()).map(Response::new)
        }
    }

    /// Where this crate keeps it.
    pub mod kit {
        pub use rpc_metrics as metrics;
    }

    /// Another service.
    #[derive(Debug)]
    pub struct Second;

    #[instrument_grpc(crate = self::kit::metrics, service = "facade_user.module")]
    #[tonic::async_trait]
    impl Plain for Second {
        async fn first(&self, request: Request<Ask>) -> Result<Response<Answer>, Status> {
            answer(request.into_inner()).map(Response::new)
        }

        async fn second(&self, request: Request<Ask>) -> Result<Response<Answer>, Status> {
            answer(request.into_inner()).map(Response::new)
        }
    }
}
