//! E8 and E13: impls of all kinds, and several services on one type.

use std::fmt::Debug;
use std::marker::PhantomData;
use std::sync::Arc;

use grpc_metrics_runtime::instrument_grpc;
use support::shapes::pb::empty_server::{Empty, EmptyServer};
use support::shapes::pb::plain_server::{Plain, PlainServer};
use support::shapes::pb::shapes_server::{Shapes, ShapesServer};
use support::shapes::pb::streams_server::{Streams, StreamsServer};
use support::shapes::pb::{Answer, Ask};
use support::shapes::{answer, answers, check_plain, check_shapes, check_streams, codes, last};
use tonic::service::Routes;
use tonic::{Code, Request, Response, Status, Streaming};

struct Generic<'a, T: ?Sized, const N: usize>(PhantomData<&'a ()>, Arc<T>);

trait Store: Send + Sync + 'static {
    fn get(&self, ask: Ask) -> Result<Answer, Status>;
}

struct Memory;

impl Store for Memory {
    fn get(&self, ask: Ask) -> Result<Answer, Status> {
        answer(ask)
    }
}

#[instrument_grpc(service = "e8.generic")]
#[tonic::async_trait]
impl<'a, T, const N: usize> Plain for Generic<'a, T, N>
where
    'a: 'static,
    T: Store + ?Sized,
    [u8; N]: Default,
{
    async fn first(&self, request: Request<Ask>) -> Result<Response<Answer>, Status> {
        let _: [u8; N] = Default::default();
        self.1.get(request.into_inner()).map(Response::new)
    }

    async fn second(&self, request: Request<Ask>) -> Result<Response<Answer>, Status> {
        fn get<T: Store + ?Sized>(store: &T, ask: Ask) -> Result<Response<Answer>, Status> {
            store.get(ask).map(Response::new)
        }
        get::<T>(&self.1, request.into_inner())
    }
}

#[tokio::test]
async fn e8_generics_lifetimes_and_where_clauses() {
    let store: Arc<dyn Store> = Arc::new(Memory);
    let service = Generic::<'static, dyn Store, 4>(PhantomData, store);
    check_plain(Routes::new(PlainServer::new(service)), "e8.generic").await;
}

trait Backend: Send + Sync + 'static {
    fn answers(&self, ask: Ask) -> Vec<Result<Answer, Status>>;
}

struct Blanket;

impl Backend for Blanket {
    fn answers(&self, ask: Ask) -> Vec<Result<Answer, Status>> {
        answers(ask)
    }
}

/// A trait of our own, since a blanket impl of somebody else's is not ours to write.
#[tonic::async_trait]
trait Reader {
    type ReadStream: Send;
    async fn read(&self, request: Request<Ask>) -> Result<Response<Self::ReadStream>, Status>;
    async fn count(&self, request: Request<Ask>) -> Result<Response<usize>, Status>;
}

#[instrument_grpc(service = "e8.blanket")]
#[tonic::async_trait]
impl<B: Backend + ?Sized> Reader for B {
    type ReadStream = tokio_stream::Iter<std::vec::IntoIter<Result<Answer, Status>>>;
    async fn read(&self, request: Request<Ask>) -> Result<Response<Self::ReadStream>, Status> {
        Ok(Response::new(tokio_stream::iter(self.answers(request.into_inner()))))
    }

    async fn count(&self, request: Request<Ask>) -> Result<Response<usize>, Status> {
        Ok(Response::new(self.answers(request.into_inner()).len()))
    }
}

#[tokio::test]
async fn e8_a_blanket_impl() {
    use tokio_stream::StreamExt;
    let ask = || Request::new(Ask { count: 2, code: 3 });
    assert_eq!(Blanket.count(ask()).await.unwrap().into_inner(), 3);
    let stream = Reader::read(&Blanket, ask()).await.unwrap().into_inner();
    assert_eq!(stream.collect::<Vec<_>>().await.len(), 3);
    assert_eq!(codes("e8.blanket", "Count"), [(Code::Ok, 1)]);
    assert_eq!(codes("e8.blanket", "Read"), [(Code::InvalidArgument, 1)]);
}

#[tokio::test]
async fn e8_inside_a_test() {
    type Answered = Result<Response<Answer>, Status>;

    struct Local;

    #[instrument_grpc(service = LABEL)]
    #[tonic::async_trait]
    impl Plain for Local {
        async fn first(&self, request: Request<Ask>) -> Answered {
            answer(request.into_inner()).map(Response::new)
        }

        async fn second(&self, request: Request<Ask>) -> Answered {
            answer(request.into_inner()).map(Response::new)
        }
    }

    const LABEL: &str = "e8.local";

    check_plain(Routes::new(PlainServer::new(Local)), LABEL).await;
}

/// An impl whose parts come in as fragments, with an invisible group around each.
macro_rules! service {
    (
        $trait_:path, $ty:ty, $label:expr;
        $($name:ident($argument:ident: $request:ty) -> $returned:ty = $body:tt)*
        $(#[$attr:meta] $also:ident($also_argument:ident) -> $also_returned:ty = $block:block)*
    ) => {
        #[instrument_grpc(service = $label)]
        #[tonic::async_trait]
        impl $trait_ for $ty {
            $(async fn $name(&self, $argument: $request) -> $returned $body)*
            $(#[$attr] async fn $also(&self, $also_argument: Request<Ask>) -> $also_returned $block)*
        }
    };
}

struct ByMacro;

service! {
    support::shapes::pb::plain_server::Plain, ByMacro, "e8.by_macro";
    first(request: Request<Ask>) -> Result<Response<Answer>, Status> = {
        let ask = request.into_inner();
        Ok(Response::new(answer(ask)?))
    }
    #[allow(unused)]
    second(ask) -> tonic::Result<Response<Answer>> = { answer(ask.into_inner()).map(Response::new) }
}

/// The whole item as one fragment, its stream types as others.
macro_rules! measured {
    ($label:literal $item:item) => {
        #[instrument_grpc(service = $label)]
        #[tonic::async_trait]
        $item
    };
}

macro_rules! streams {
    ($name:ident, $label:literal, $stream:ty) => {
        struct $name;

        measured! {
            $label
            impl Streams for $name {
                type ReadStream = $stream;
                async fn read(&self, ask: Request<Ask>) -> Result<Response<$stream>, Status> {
                    let stream: Self::ReadStream = tokio_stream::iter(answers(ask.into_inner()));
                    Ok(Response::new(stream))
                }

                type TailStream = $stream;
                async fn tail(
                    &self,
                    ask: Request<Ask>,
                ) -> Result<Response<Self::TailStream>, Status> {
                    Ok(Response::new(tokio_stream::iter(answers(ask.into_inner()))))
                }
            }
        }
    };
}

streams!(Fragments, "e8.fragments", tokio_stream::Iter<std::vec::IntoIter<Result<Answer, Status>>>);

/// Without another attribute that would take the invisible groups off.
macro_rules! by_hand {
    ($label:literal $item:item) => {
        #[instrument_grpc(service = $label)]
        $item
    };
}

macro_rules! grouped {
    ($name:ident, $first:block, $second:block) => {
        struct $name;

        by_hand! {
            "e8.grouped"
            impl Plain for $name {
                fn first<'s, 'a>(&'s self, request: Request<Ask>) -> BoxFuture<'a, Answer>
                where
                    's: 'a,
                    Self: 'a,
                {
                    self.ask(request.into_inner())
                }

                fn second<'s, 'a>(&'s self, _: Request<Ask>) -> BoxFuture<'a, Answer>
                where
                    's: 'a,
                    Self: 'a,
                $second
            }
        }

        impl $name {
            fn ask<'a>(&self, ask: Ask) -> BoxFuture<'a, Answer> {
                Box::pin(async move {
                    $first;
                    answer(ask).map(Response::new)
                })
            }
        }
    };
}

/// A fragment of a fragment.
macro_rules! grouped_twice {
    ($name:ident, $first:block, $second:block) => {
        grouped!($name, $first, $second);
    };
}

grouped_twice!(Grouped, {}, { Box::pin(async move { Err(Status::aborted("always")) }) });

#[tokio::test]
async fn e8_fragments_without_async_trait() {
    let ask = || Request::new(Ask { count: 1, code: 0 });
    assert!(Grouped.first(ask()).await.is_ok());
    assert!(Grouped.second(ask()).await.is_err());
    assert_eq!(codes("e8.grouped", "First"), [(Code::Ok, 1)]);
    assert_eq!(codes("e8.grouped", "Second"), [(Code::Aborted, 1)]);
}

#[tokio::test]
async fn e8_made_by_macro_rules() {
    check_plain(Routes::new(PlainServer::new(ByMacro)), "e8.by_macro").await;
    check_streams(Routes::new(StreamsServer::new(Fragments)), "e8.fragments").await;
}

struct Nothing;

#[instrument_grpc(service = "e8.empty")]
#[tonic::async_trait]
impl Empty for Nothing {}

macro_rules! second {
    () => {
        fn second<'s, 'a>(
            &'s self,
            request: Request<Ask>,
        ) -> std::pin::Pin<Box<dyn Future<Output = Result<Response<Answer>, Status>> + Send + 'a>>
        where
            's: 'a,
            Self: 'a,
        {
            Box::pin(async move { answer(request.into_inner()).map(Response::new) })
        }
    };
}

struct Added;

#[instrument_grpc(service = "e8.added")]
#[tonic::async_trait]
impl Plain for Added {
    async fn first(&self, request: Request<Ask>) -> Result<Response<Answer>, Status> {
        answer(request.into_inner()).map(Response::new)
    }

    second!();
}

#[tokio::test]
async fn e8_empty_impls_and_methods_added_by_a_macro() {
    let snapshot = || grpc_metrics_runtime::GrpcMetrics::global().snapshot();
    let _ = EmptyServer::new(Nothing);
    assert!(!snapshot().methods().iter().any(|method| method.service() == "e8.empty"));

    let ask = || Request::new(Ask { count: 1, code: 0 });
    assert!(Added.first(ask()).await.is_ok());
    assert!(Added.second(ask()).await.is_ok());
    assert_eq!(codes("e8.added", "First"), [(Code::Ok, 1)]);
    assert!(snapshot().method("e8.added", "Second").is_none());
}

/// As `#[async_trait]` leaves a method, written by hand; and as it may be written otherwise.
struct ByHand;

#[instrument_grpc(service = "e8.by_hand")]
impl Plain for ByHand {
    fn first<'s, 'a>(&'s self, request: Request<Ask>) -> BoxFuture<'a, Answer>
    where
        's: 'a,
        Self: 'a,
    {
        if request.get_ref().count == 2 {
            return Box::pin(std::future::ready(Err(Status::not_found("two"))));
        }
        Box::pin(async move { answer(request.into_inner()).map(Response::new) })
    }

    fn second<'s, 'a>(
        &'s self,
        request: Request<Ask>,
    ) -> std::pin::Pin<
        Box<dyn std::future::Future<Output = Result<Response<Answer>, Status>> + Send + 'a>,
    >
    where
        's: 'a,
        Self: 'a,
    {
        if request.get_ref().count == 2 {
            return Box::pin(async { Err(Status::not_found("two")) });
        }
        Box::pin(async move { answer(request.into_inner()).map(Response::new) })
    }
}

type BoxFuture<'a, M> =
    std::pin::Pin<Box<dyn Future<Output = Result<Response<M>, Status>> + Send + 'a>>;

#[tokio::test]
async fn e8_futures_returned_by_hand() {
    check_plain(Routes::new(PlainServer::new(ByHand)), "e8.by_hand").await;
}

#[derive(Clone, Debug)]
struct Several;

#[instrument_grpc(service = "e13.shapes")]
#[tonic::async_trait]
impl Shapes for Several {
    async fn one(&self, request: Request<Ask>) -> Result<Response<Answer>, Status> {
        answer(request.into_inner()).map(Response::new)
    }

    async fn upload(&self, request: Request<Streaming<Ask>>) -> Result<Response<Answer>, Status> {
        answer(last(request.into_inner()).await?).map(Response::new)
    }

    type WatchStream = <Self as Streams>::ReadStream;
    async fn watch(&self, request: Request<Ask>) -> Result<Response<Self::WatchStream>, Status> {
        Streams::read(self, request).await
    }

    type ChatStream = <Self as Streams>::TailStream;
    async fn chat(
        &self,
        request: Request<Streaming<Ask>>,
    ) -> Result<Response<Self::ChatStream>, Status> {
        let ask = last(request.into_inner()).await?;
        Streams::tail(self, Request::new(ask)).await
    }
}

/// Not one of tonic's, with an associated type that is called as one of these.
trait Counted {
    type ReadStream;
}

impl Counted for Several {
    type ReadStream = usize;
}

#[instrument_grpc(service = "e13.streams")]
#[tonic::async_trait]
impl Streams for Several {
    type ReadStream = tokio_stream::Iter<std::vec::IntoIter<Result<Answer, Status>>>;
    async fn read(&self, request: Request<Ask>) -> Result<Response<Self::ReadStream>, Status> {
        let answers = answers(request.into_inner());
        let count: <Self as Counted>::ReadStream = answers.len();
        assert!(count > 0);
        Ok(Response::new(tokio_stream::iter(answers)))
    }

    type TailStream = <Self as Streams>::ReadStream;
    async fn tail(&self, request: Request<Ask>) -> Result<Response<Self::TailStream>, Status> {
        Ok(Response::new(tokio_stream::iter(answers(request.into_inner()))))
    }
}

#[instrument_grpc(service = "e13.plain")]
#[tonic::async_trait]
impl Plain for Several {
    async fn first(&self, request: Request<Ask>) -> Result<Response<Answer>, Status> {
        answer(request.into_inner()).map(Response::new)
    }

    async fn second(&self, request: Request<Ask>) -> Result<Response<Answer>, Status> {
        answer(request.into_inner()).map(Response::new)
    }
}

#[tokio::test]
async fn e13_several_services_on_one_type() {
    let routes = || {
        Routes::new(ShapesServer::new(Several))
            .add_service(StreamsServer::new(Several))
            .add_service(PlainServer::new(Several))
    };
    check_streams(routes(), "e13.streams").await;
    check_plain(routes(), "e13.plain").await;
    check_shapes(routes(), "e13.shapes").await;
}

/// Names that differ in their case only, and a label from a fragment.
mod names {
    #![allow(non_snake_case)]

    use super::{Request, Response, Status, instrument_grpc};

    #[tonic::async_trait]
    pub(super) trait Get {
        async fn get(&self, request: Request<u8>) -> Result<Response<u8>, Status>;
        async fn Get(&self, request: Request<u8>) -> Result<Response<u8>, Status>;
    }

    pub(super) struct ByCase;

    macro_rules! named {
        ($name:literal) => {
            #[instrument_grpc(service = "e8.by_case")]
            #[tonic::async_trait]
            impl Get for ByCase {
                async fn get(&self, request: Request<u8>) -> Result<Response<u8>, Status> {
                    Ok(Response::new(request.into_inner()))
                }

                #[rpc(name = $name,)]
                async fn Get(&self, _: Request<u8>) -> Result<Response<u8>, Status> {
                    Err(Status::aborted("always"))
                }
            }
        };
    }

    named!("Other");
}

#[tokio::test]
async fn e8_names_that_differ_in_case() {
    use names::Get;
    assert!(names::ByCase.get(Request::new(1)).await.is_ok());
    assert!(names::ByCase.Get(Request::new(1)).await.is_err());
    assert_eq!(codes("e8.by_case", "Get"), [(Code::Ok, 1)]);
    assert_eq!(codes("e8.by_case", "Other"), [(Code::Aborted, 1)]);
}

/// Without `Send`, as for a runtime of one thread.
trait Local {
    fn first(&self, request: Request<u8>) -> LocalBoxFuture<'_>;
}

type LocalBoxFuture<'a> =
    std::pin::Pin<Box<dyn Future<Output = Result<Response<u8>, Status>> + 'a>>;

#[instrument_grpc(service = "e8.not_send")]
impl Local for ByHand {
    fn first(&self, request: Request<u8>) -> LocalBoxFuture<'_> {
        let number = std::rc::Rc::new(request.into_inner());
        Box::pin(async move { Ok(Response::new(*number)) })
    }
}

#[tokio::test]
async fn e8_futures_that_are_not_send() {
    assert!(Local::first(&ByHand, Request::new(1)).await.is_ok());
    assert_eq!(codes("e8.not_send", "First"), [(Code::Ok, 1)]);
}
