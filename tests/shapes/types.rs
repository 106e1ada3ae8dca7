//! E3: return types count by what they are, not by what they are called.

use grpc_metrics_runtime::instrument_grpc;
use support::shapes::pb::plain_server::{Plain, PlainServer};
use support::shapes::{answer, check_plain, check_shapes, pb};
use tonic::service::Routes;

mod aliases {
    use super::{Plain, answer, instrument_grpc, pb};

    type Ask = tonic::Request<pb::Ask>;
    type Answer = tonic::Response<pb::Answer>;
    type Answered<T = Answer, E = tonic::Status> = std::result::Result<T, E>;
    type Everything = Answered;

    pub(super) struct Aliases;

    #[instrument_grpc(service = "e3.aliases")]
    #[tonic::async_trait]
    impl Plain for Aliases {
        async fn first(&self, ask: Ask) -> tonic::Result<tonic::Response<pb::Answer>> {
            answer(ask.into_inner()).map(Answer::new)
        }

        async fn second(&self, ask: Ask) -> Everything {
            answer(ask.into_inner()).map(Answer::new)
        }
    }
}

mod whole_result {
    use support::shapes::pb::streams_server::Streams;
    use support::shapes::{answers, pb};

    /// The whole of a handler's return type.
    type Response<T> = Result<tonic::Response<T>, tonic::Status>;
    type Answers = tokio_stream::Iter<std::vec::IntoIter<Result<pb::Answer, tonic::Status>>>;

    pub(super) struct WholeResult;

    #[super::instrument_grpc(service = "e3.whole_result")]
    #[tonic::async_trait]
    impl Streams for WholeResult {
        type ReadStream = Answers;
        async fn read(&self, ask: tonic::Request<pb::Ask>) -> Response<Self::ReadStream> {
            Ok(tonic::Response::new(tokio_stream::iter(answers(ask.into_inner()))))
        }

        type TailStream = Answers;
        async fn tail(&self, ask: tonic::Request<pb::Ask>) -> Response<Answers> {
            Ok(tonic::Response::new(tokio_stream::iter(answers(ask.into_inner()))))
        }
    }
}

#[tokio::test]
async fn e3_aliases_of_every_part() {
    check_plain(Routes::new(PlainServer::new(aliases::Aliases)), "e3.aliases").await;
    let service = pb::streams_server::StreamsServer::new(whole_result::WholeResult);
    support::shapes::check_streams(Routes::new(service), "e3.whole_result").await;
}

/// Names that mean something else here. The prelude is hidden as well.
mod hostile {
    #![no_implicit_prelude]
    #![allow(dead_code, unused_imports, unused_macros, non_camel_case_types, clippy::pedantic)]

    use ::std::boxed::Box;
    use ::support::shapes::{answer, answers, last, pb};
    use ::tokio_stream as streams;

    pub(super) struct Request;
    pub(super) struct Response;
    pub(super) struct Status;
    pub(super) enum Result {}
    pub(super) enum Option {}
    pub(super) enum Code {}
    pub(super) struct Ok;
    pub(super) struct Err;
    pub(super) struct Some;
    pub(super) struct None;
    pub(super) struct Rpc;
    pub(super) struct Method;
    pub(super) struct Handler;
    pub(super) struct ResponseStream;
    pub(super) struct GrpcMetrics;
    pub(super) struct str;
    pub(super) struct bool;
    pub(super) struct u32;
    pub(super) trait Stream {}
    pub(super) trait Future {}
    pub(super) trait Send {}
    pub(super) trait Into {}
    pub(super) mod std {}
    pub(super) mod core {}
    pub(super) mod alloc {}
    pub(super) mod tonic {}
    pub(super) mod prometheus {}
    pub(super) mod inventory {}
    pub(super) mod grpc_metrics_runtime {}
    macro_rules! file {
        () => {};
    }
    macro_rules! line {
        () => {};
    }
    macro_rules! submit {
        () => {};
    }

    /// What all types have here.
    pub(super) trait Everything {
        const STREAMS: ::core::primitive::bool = true;
        fn instrument(&self) {}
        fn until_return() {}
        fn streaming() {}
        fn carry() {}
        fn metadata(&self) {}
        fn instance(&self) {}
    }
    impl<T: ?::core::marker::Sized> Everything for T {}

    pub(super) struct Hostile;

    type Answers =
        streams::Iter<::std::vec::IntoIter<::std::result::Result<pb::Answer, ::tonic::Status>>>;

    #[::grpc_metrics_runtime::instrument_grpc(service = "e3.hostile")]
    #[::tonic::async_trait]
    impl pb::shapes_server::Shapes for Hostile {
        async fn one(
            &self,
            request: ::tonic::Request<pb::Ask>,
        ) -> ::std::result::Result<::tonic::Response<pb::Answer>, ::tonic::Status> {
            ::std::result::Result::Ok(::tonic::Response::new(answer(request.into_inner())?))
        }

        async fn upload(
            &self,
            request: ::tonic::Request<::tonic::Streaming<pb::Ask>>,
        ) -> ::std::result::Result<::tonic::Response<pb::Answer>, ::tonic::Status> {
            let ask = last(request.into_inner()).await?;
            ::std::result::Result::Ok(::tonic::Response::new(answer(ask)?))
        }

        type WatchStream = Answers;
        async fn watch(
            &self,
            request: ::tonic::Request<pb::Ask>,
        ) -> ::std::result::Result<::tonic::Response<Self::WatchStream>, ::tonic::Status> {
            let answers = streams::iter(answers(request.into_inner()));
            ::std::result::Result::Ok(::tonic::Response::new(answers))
        }

        type ChatStream = Answers;
        async fn chat(
            &self,
            request: ::tonic::Request<::tonic::Streaming<pb::Ask>>,
        ) -> ::std::result::Result<::tonic::Response<Answers>, ::tonic::Status> {
            let answers = streams::iter(answers(last(request.into_inner()).await?));
            ::std::result::Result::Ok(::tonic::Response::new(answers))
        }
    }

    type BoxFuture<'a, R> =
        ::std::pin::Pin<Box<dyn ::std::future::Future<Output = R> + ::std::marker::Send + 'a>>;
    type Answered = ::std::result::Result<::tonic::Response<pb::Answer>, ::tonic::Status>;

    pub(super) struct ByHand;

    #[::grpc_metrics_runtime::instrument_grpc(service = "e3.hostile_by_hand")]
    impl pb::plain_server::Plain for ByHand {
        fn first<'s, 'a>(&'s self, request: ::tonic::Request<pb::Ask>) -> BoxFuture<'a, Answered>
        where
            's: 'a,
            Self: 'a,
        {
            use ::tracing::Instrument;
            let answer = async move { answer(request.into_inner()).map(::tonic::Response::new) };
            Box::pin(Instrument::instrument(answer, ::tracing::Span::none()))
        }

        fn second<'s, 'a>(&'s self, request: ::tonic::Request<pb::Ask>) -> BoxFuture<'a, Answered>
        where
            's: 'a,
            Self: 'a,
        {
            Box::pin(async move { answer(request.into_inner()).map(::tonic::Response::new) })
        }
    }
}

#[tokio::test]
async fn e3_names_that_mean_something_else() {
    let service = pb::shapes_server::ShapesServer::new(hostile::Hostile);
    check_shapes(Routes::new(service), "e3.hostile").await;
    check_plain(Routes::new(PlainServer::new(hostile::ByHand)), "e3.hostile_by_hand").await;
}
