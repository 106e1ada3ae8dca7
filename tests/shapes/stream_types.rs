//! E4 to E7: response streams of any type, named in any way.

use std::pin::Pin;

use grpc_metrics_runtime::instrument_grpc;
use support::shapes::pb::shapes_server::{Shapes, ShapesServer};
use support::shapes::pb::streams_server::{Streams, StreamsServer};
use support::shapes::pb::{Answer, Ask};
use support::shapes::{answer, answers, check_shapes, check_streams, codes, counted, last, stubs};
use tokio_stream::{Stream, StreamExt};
use tonic::service::Routes;
use tonic::{Code, Request, Response, Status, Streaming};

type Boxed<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;
type Answered = std::vec::IntoIter<Result<Answer, Status>>;

mod coercions {
    use super::{
        Answer, Ask, Boxed, Pin, Request, Response, Status, Stream, Streams, answers,
        instrument_grpc,
    };

    pub(super) struct Coercions;

    #[instrument_grpc(service = "e4.coercions")]
    #[tonic::async_trait]
    impl Streams for Coercions {
        type ReadStream = Pin<Box<dyn Stream<Item = Result<Answer, Status>> + Send + 'static>>;
        async fn read(&self, request: Request<Ask>) -> Result<Response<Self::ReadStream>, Status> {
            let ask = request.into_inner();
            if ask.count == 0 {
                return Ok(Response::new(Box::pin(tokio_stream::empty())));
            }
            Ok(Response::new(Box::pin(tokio_stream::iter(answers(ask)))))
        }

        type TailStream = Boxed<Answer>;
        async fn tail(&self, request: Request<Ask>) -> Result<Response<Self::TailStream>, Status> {
            match request.into_inner() {
                Ask { count: 0, .. } => Ok(Response::new(Box::pin(tokio_stream::empty()))),
                ask => Ok(Response::new(Box::pin(tokio_stream::iter(answers(ask))))),
            }
        }
    }
}

#[tokio::test]
async fn e4_coercions_by_the_return_type() {
    let service = StreamsServer::new(coercions::Coercions);
    check_streams(Routes::new(service), "e4.coercions").await;
}

mod kinds_of_types {
    use std::task::{Context, Poll};

    use super::{
        Answer, Answered, Ask, Pin, Request, Response, Shapes, Status, Stream, Streaming, Streams,
        answer, answers, instrument_grpc, last,
    };

    /// A user's own stream, with a constructor.
    pub(super) struct ReadStream(Answered);

    impl ReadStream {
        fn new(answers: Vec<Result<Answer, Status>>) -> Self {
            Self(answers.into_iter())
        }
    }

    impl Stream for ReadStream {
        type Item = Result<Answer, Status>;

        fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
            Poll::Ready(self.0.next())
        }
    }

    pub(super) struct OwnAndChannel;

    #[instrument_grpc(service = "e5.own_and_channel")]
    #[tonic::async_trait]
    impl Streams for OwnAndChannel {
        type ReadStream = ReadStream;
        async fn read(&self, request: Request<Ask>) -> Result<Response<Self::ReadStream>, Status> {
            Ok(Response::new(Self::ReadStream::new(answers(request.into_inner()))))
        }

        type TailStream = tokio_stream::wrappers::ReceiverStream<Result<Answer, Status>>;
        async fn tail(&self, request: Request<Ask>) -> Result<Response<Self::TailStream>, Status> {
            let (sender, receiver) = tokio::sync::mpsc::channel(1);
            tokio::spawn(async move {
                for answer in answers(request.into_inner()) {
                    // The client may be gone.
                    let _ = sender.send(answer).await;
                }
            });
            Ok(Response::new(<Self as Streams>::TailStream::new(receiver)))
        }
    }

    pub(super) struct Passing;

    #[instrument_grpc(service = "e5.passing")]
    #[tonic::async_trait]
    impl Shapes for Passing {
        async fn one(&self, request: Request<Ask>) -> Result<Response<Answer>, Status> {
            answer(request.into_inner()).map(Response::new)
        }

        async fn upload(
            &self,
            request: Request<Streaming<Ask>>,
        ) -> Result<Response<Answer>, Status> {
            answer(last(request.into_inner()).await?).map(Response::new)
        }

        type WatchStream = Self::ChatStream;
        async fn watch(&self, request: Request<Ask>) -> Result<Response<Self::ChatStream>, Status> {
            let stream: <Self as Shapes>::WatchStream =
                tokio_stream::iter(answers(request.into_inner()));
            let keep = |stream: Self::ChatStream| -> Self::WatchStream { stream };
            Ok(Response::new(keep(stream) as Self::ChatStream))
        }

        type ChatStream = tokio_stream::Iter<Answered>;
        async fn chat(
            &self,
            request: Request<Streaming<Ask>>,
        ) -> Result<Response<<Self as Shapes>::WatchStream>, Status> {
            let answers = answers(last(request.into_inner()).await?);
            Ok(Response::new(tokio_stream::iter(answers)))
        }
    }
}

#[tokio::test]
async fn e5_streams_of_any_type() {
    let service = StreamsServer::new(kinds_of_types::OwnAndChannel);
    check_streams(Routes::new(service), "e5.own_and_channel").await;
}

#[tokio::test]
async fn e5_the_types_of_other_methods() {
    let service = ShapesServer::new(kinds_of_types::Passing);
    check_shapes(Routes::new(service), "e5.passing").await;
}

/// `tonic::Streaming` as a response stream: a proxy.
struct Proxy(support::shapes::pb::streams_client::StreamsClient<tonic::transport::Channel>);

#[instrument_grpc(service = "e5.proxy")]
#[tonic::async_trait]
impl Streams for Proxy {
    type ReadStream = Streaming<Answer>;
    type TailStream = Streaming<Answer>;

    async fn read(&self, request: Request<Ask>) -> Result<Response<Self::ReadStream>, Status> {
        self.0.clone().read(request).await
    }

    async fn tail(&self, request: Request<Ask>) -> Result<Response<Self::TailStream>, Status> {
        let stream: Self::TailStream =
            self.0.clone().tail(request.into_inner()).await?.into_inner();
        Ok(Response::new(stream))
    }
}

struct Origin;

#[instrument_grpc(service = "e5.origin")]
#[tonic::async_trait]
impl Streams for Origin {
    type ReadStream = Boxed<Answer>;
    type TailStream = Boxed<Answer>;

    async fn read(&self, request: Request<Ask>) -> Result<Response<Self::ReadStream>, Status> {
        let answers = tokio_stream::iter(answers(request.into_inner()));
        Ok(Response::new(Box::pin(answers) as Self::ReadStream))
    }

    async fn tail(&self, request: Request<Ask>) -> Result<Response<Self::TailStream>, Status> {
        // A sibling's stream passed on: it is counted for both.
        let stream = self.read(request).await?.into_inner();
        Ok(Response::new(Box::pin(stream)))
    }
}

#[tokio::test]
async fn e5_a_proxy_passes_streaming_on() {
    let channel = support::shapes::serve(Routes::new(StreamsServer::new(Origin))).await;
    let proxy = Proxy(support::shapes::pb::streams_client::StreamsClient::new(channel));
    check_streams(Routes::new(StreamsServer::new(proxy)), "e5.proxy").await;
    assert_eq!(counted("e5.origin", "Tail").messages_sent(), 5);
    assert_eq!(counted("e5.origin", "Read").messages_sent(), 10);
}

/// A stream type that names types of the impl, one that a `#[cfg]` chooses, and `Self` types of nested items.
struct Mixed<T>(T);

struct Wrapping<T>(T);

impl<T: Iterator<Item = Result<Answer, Status>> + Unpin> Stream for Wrapping<T> {
    type Item = Result<Answer, Status>;

    fn poll_next(
        mut self: Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        std::task::Poll::Ready(self.0.next())
    }
}

trait Source: Clone + Send + Sync + 'static {
    type Iter: Iterator<Item = Result<Answer, Status>> + Unpin + Send;
    fn answers(&self, ask: Ask) -> Self::Iter;
}

#[derive(Clone)]
struct FromVec;

impl Source for FromVec {
    type Iter = Answered;
    fn answers(&self, ask: Ask) -> Answered {
        answers(ask).into_iter()
    }
}

#[instrument_grpc(service = "e5.mixed")]
#[tonic::async_trait]
impl<T: Source> Streams for Mixed<T> {
    type ReadStream = Wrapping<T::Iter>;
    async fn read(&self, request: Request<Ask>) -> Result<Response<Self::ReadStream>, Status> {
        trait Kind {
            type ReadStream;
        }
        struct Nested;
        impl Kind for Nested {
            type ReadStream = u8;
        }
        #[allow(dead_code)]
        trait Own: Kind {
            fn own(_: Self::ReadStream) {}
        }
        impl Nested {
            const ZERO: <Self as Kind>::ReadStream = 0;
        }
        let _: <Nested as Kind>::ReadStream = Nested::ZERO;
        Ok(Response::new(Wrapping(self.0.answers(request.into_inner()))))
    }

    #[cfg(any())]
    type TailStream = Nothing;
    #[cfg(not(any()))]
    type TailStream = Boxed<Answer>;
    async fn tail(&self, request: Request<Ask>) -> Result<Response<Self::TailStream>, Status> {
        let answers: Self::TailStream =
            Box::pin(tokio_stream::iter(self.0.answers(request.into_inner())));
        Ok(Response::new(answers))
    }
}

#[tokio::test]
async fn e5_generic_and_conditional_types() {
    check_streams(Routes::new(StreamsServer::new(Mixed(FromVec))), "e5.mixed").await;
}

struct SpelledOut;

type Read = Result<Response<Boxed<Answer>>, Status>;

#[instrument_grpc(service = "e6.spelled_out")]
#[tonic::async_trait]
impl Streams for SpelledOut {
    type ReadStream = Boxed<Answer>;
    async fn read(&self, request: Request<Ask>) -> Read {
        Ok(Response::new(Box::pin(tokio_stream::iter(answers(request.into_inner())))))
    }

    type TailStream = tokio_stream::Iter<Answered>;
    async fn tail(
        &self,
        request: Request<Ask>,
    ) -> Result<Response<tokio_stream::Iter<Answered>>, Status> {
        Ok(Response::new(tokio_stream::iter(answers(request.into_inner()))))
    }
}

/// Spelled as a projection from the type itself.
struct Projected;

#[instrument_grpc(service = "e6.projected")]
#[tonic::async_trait]
impl Streams for Projected {
    type ReadStream = Boxed<Answer>;
    async fn read(
        &self,
        request: Request<Ask>,
    ) -> Result<Response<<Projected as Streams>::ReadStream>, Status> {
        Ok(Response::new(Box::pin(tokio_stream::iter(answers(request.into_inner())))))
    }

    type TailStream = <Self as Streams>::ReadStream;
    async fn tail(&self, request: Request<Ask>) -> Result<Response<Self::ReadStream>, Status> {
        Ok(Response::new(Box::pin(tokio_stream::iter(answers(request.into_inner())))))
    }
}

#[tokio::test]
async fn e6_the_type_spelled_out() {
    check_streams(Routes::new(StreamsServer::new(SpelledOut)), "e6.spelled_out").await;
    check_streams(Routes::new(StreamsServer::new(Projected)), "e6.projected").await;
}

struct Stubs;

#[instrument_grpc(service = "e6.stubs")]
#[tonic::async_trait]
impl stubs::shapes_server::Shapes for Stubs {
    async fn one(&self, request: Request<stubs::Ask>) -> Result<Response<stubs::Answer>, Status> {
        let stubs::Ask { count, code } = request.into_inner();
        let Answer { number } = answer(Ask { count, code })?;
        Ok(Response::new(stubs::Answer { number }))
    }

    async fn watch(
        &self,
        request: Request<stubs::Ask>,
    ) -> Result<Response<tonic::codegen::BoxStream<stubs::Answer>>, Status> {
        let stubs::Ask { count, code } = request.into_inner();
        let answers = tokio_stream::iter(answers(Ask { count, code }));
        let answers =
            answers.map(|answer| answer.map(|Answer { number }| stubs::Answer { number }));
        Ok(Response::new(Box::pin(answers)))
    }

    async fn chat(
        &self,
        request: Request<Streaming<stubs::Ask>>,
    ) -> Result<Response<Boxed<stubs::Answer>>, Status> {
        let mut asks = request.into_inner();
        let mut last = stubs::Ask::default();
        while let Some(ask) = asks.message().await? {
            last = ask;
        }
        stubs::shapes_server::Shapes::watch(self, Request::new(last)).await
    }
}

#[tokio::test]
async fn e6_default_stubs_have_no_associated_type() {
    use grpc_metrics_runtime::MethodKind;
    use support::shapes::pb::shapes_client::ShapesClient;
    let service = stubs::shapes_server::ShapesServer::new(Stubs);
    let mut client = ShapesClient::new(support::shapes::serve(Routes::new(service)).await);
    let ask = Ask { count: 2, code: 9 };
    assert_eq!(client.one(ask).await.map_err(|status| status.code()).err(), Some(Code::from(9)));
    let mut watch = client.watch(ask).await.map(Response::into_inner).unwrap();
    while let Ok(Some(_)) = watch.message().await {}
    let mut chat = client.chat(tokio_stream::iter([ask])).await.map(Response::into_inner).unwrap();
    while let Ok(Some(_)) = chat.message().await {}
    // Nobody has overridden this one.
    let upload = client.upload(tokio_stream::iter([ask])).await;
    assert_eq!(upload.map_err(|status| status.code()).err(), Some(Code::Unimplemented));

    let failed = Code::FailedPrecondition;
    for (method, kind, sent, calls) in [
        ("One", MethodKind::Unary, 0, 1),
        ("Watch", MethodKind::ServerStream, 4, 2),
        ("Chat", MethodKind::BidiStream, 2, 1),
    ] {
        let counted = counted("e6.stubs", method);
        assert_eq!(codes("e6.stubs", method), [(failed, calls)], "{method}");
        assert_eq!((counted.kind(), counted.messages_sent()), (kind, sent), "{method}");
    }
}

/// Default stubs by hand, without an async block.
struct ByHand;

type BoxFuture<'a, M> = Pin<Box<dyn Future<Output = Result<Response<M>, Status>> + Send + 'a>>;

fn boxed_answers(ask: stubs::Ask) -> Boxed<stubs::Answer> {
    Box::pin(tokio_stream::iter((0..ask.count).map(|number| Ok(stubs::Answer { number }))))
}

#[instrument_grpc(service = "e6.by_hand")]
impl stubs::streams_server::Streams for ByHand {
    fn read<'a, 'b>(&'a self, ask: Request<stubs::Ask>) -> BoxFuture<'b, Boxed<stubs::Answer>>
    where
        'a: 'b,
        Self: 'b,
    {
        Box::pin(async move { Ok(Response::new(boxed_answers(ask.into_inner()))) })
    }

    fn tail<'a, 'b>(
        &'a self,
        ask: Request<stubs::Ask>,
    ) -> Pin<Box<dyn Future<Output = Result<Response<Boxed<stubs::Answer>>, Status>> + Send + 'b>>
    where
        'a: 'b,
        Self: 'b,
    {
        Box::pin(async move { Ok(Response::new(boxed_answers(ask.into_inner()))) })
    }
}

/// A trait of one's own in the style of default stubs, generic in its message.
#[tonic::async_trait]
trait Generic<M>: Send + Sync {
    async fn watch(&self, ask: Request<Ask>) -> Result<Response<Boxed<M>>, Status>;
}

struct Repeating<M>(M);

#[instrument_grpc(service = "e6.generic")]
#[tonic::async_trait]
impl<M: Clone + Send + Sync + 'static> Generic<M> for Repeating<M> {
    async fn watch(
        &self,
        ask: Request<Ask>,
    ) -> Result<Response<Pin<Box<dyn Stream<Item = Result<M, Status>> + Send>>>, Status> {
        let messages = vec![Ok(self.0.clone()); ask.into_inner().count as usize];
        Ok(Response::new(Box::pin(tokio_stream::iter(messages))))
    }
}

#[tokio::test]
async fn e6_boxed_streams_in_futures_by_hand_and_of_generic_messages() {
    use grpc_metrics_runtime::{GrpcMetrics, MethodKind};
    use stubs::streams_server::Streams as _;
    let ask = || Request::new(stubs::Ask { count: 3, code: 0 });
    let read = ByHand.read(ask()).await.unwrap().into_inner();
    let tail = ByHand.tail(ask()).await.unwrap().into_inner();
    let ask = Request::new(Ask { count: 3, code: 0 });
    let watch = Repeating("again").watch(ask).await.unwrap().into_inner();
    let methods = [("e6.by_hand", "Read"), ("e6.by_hand", "Tail"), ("e6.generic", "Watch")];
    let snapshot = GrpcMetrics::global().snapshot();
    for (service, method) in methods {
        let counted = snapshot.method(service, method).unwrap();
        assert_eq!(counted.in_flight(), 1, "{method}");
    }
    for stream in [read, tail] {
        assert_eq!(stream.collect::<Vec<_>>().await.len(), 3);
    }
    assert_eq!(watch.collect::<Vec<_>>().await.len(), 3);
    for (service, method) in methods {
        let counted = counted(service, method);
        assert_eq!(codes(service, method), [(Code::Ok, 1)], "{method}");
        let kind = (counted.kind(), counted.messages_sent());
        assert_eq!(kind, (MethodKind::ServerStream, 3), "{method}");
    }
}

struct Unwrapped;

#[instrument_grpc(service = "e7.unwrapped", streams = false)]
#[tonic::async_trait]
impl Streams for Unwrapped {
    type ReadStream = Boxed<Answer>;
    async fn read(&self, request: Request<Ask>) -> Result<Response<Self::ReadStream>, Status> {
        let stream: Self::ReadStream = Box::pin(tokio_stream::iter(answers(request.into_inner())));
        Ok(Response::new(stream))
    }

    type TailStream = Boxed<Answer>;
    async fn tail(&self, request: Request<Ask>) -> Result<Response<Boxed<Answer>>, Status> {
        Err(answer(request.into_inner()).err().unwrap_or_else(|| Status::aborted("no stream")))
    }
}

/// Nothing says that this is not what the impl names.
fn same(stream: <Unwrapped as Streams>::ReadStream) -> Boxed<Answer> {
    stream
}

#[tokio::test]
async fn e7_streams_left_alone() {
    let ask = Ask { count: 3, code: 5 };
    let stream = Unwrapped.read(Request::new(ask)).await.map(Response::into_inner).unwrap();
    assert_eq!(codes("e7.unwrapped", "Read"), [(Code::Ok, 1)]);
    assert_eq!(same(stream).collect::<Vec<_>>().await.len(), 4);
    assert!(Unwrapped.tail(Request::new(ask)).await.is_err());

    assert_eq!(codes("e7.unwrapped", "Read"), [(Code::Ok, 1)]);
    assert_eq!(codes("e7.unwrapped", "Tail"), [(Code::NotFound, 1)]);
    // Nobody sees the messages, so nothing says that there were none.
    let text = grpc_metrics_runtime::GrpcMetrics::global().encode().unwrap();
    let messages = "grpc_server_stream_messages_sent_total{service=";
    assert!(!text.contains(&format!("{messages}\"e7.unwrapped\"")), "{text}");
    assert!(text.contains(&format!("{messages}\"e5.skipping\"")), "{text}");
    assert_eq!(
        counted("e7.unwrapped", "Read").kind(),
        grpc_metrics_runtime::MethodKind::ServerStream
    );
}

/// A skipped method's stream stays as it is, also where it goes by the name of a measured one.
struct Skipping;

#[instrument_grpc(service = "e5.skipping")]
#[tonic::async_trait]
impl Streams for Skipping {
    type ReadStream = tokio_stream::Iter<Answered>;
    async fn read(&self, request: Request<Ask>) -> Result<Response<Self::ReadStream>, Status> {
        Ok(Response::new(tokio_stream::iter(answers(request.into_inner()))))
    }

    type TailStream = Self::ReadStream;
    #[skip_metrics]
    async fn tail(&self, request: Request<Ask>) -> Result<Response<Self::ReadStream>, Status> {
        let stream: <Self>::ReadStream = tokio_stream::iter(answers(request.into_inner()));
        Ok(Response::new(stream))
    }
}

#[tokio::test]
async fn e5_a_skipped_method_beside_a_measured_one() {
    fn same(stream: <Skipping as Streams>::TailStream) -> tokio_stream::Iter<Answered> {
        stream
    }
    let ask = Ask { count: 3, code: 5 };
    let read = Skipping.read(Request::new(ask)).await.map(Response::into_inner).unwrap();
    assert_eq!(read.collect::<Vec<_>>().await.len(), 4);
    let tail = Skipping.tail(Request::new(ask)).await.map(Response::into_inner).unwrap();
    assert_eq!(same(tail).collect::<Vec<_>>().await.len(), 4);
    assert_eq!(codes("e5.skipping", "Read"), [(Code::NotFound, 1)]);
    let snapshot = grpc_metrics_runtime::GrpcMetrics::global().snapshot();
    assert!(snapshot.method("e5.skipping", "Tail").is_none());
}

mod in_all_places {
    use super::{
        Answer, Answered, Ask, Boxed, Pin, Request, Response, Status, Stream, Streams, answers,
        instrument_grpc,
    };
    use std::task::{Context, Poll};

    pub(super) struct Fields {
        answers: Answered,
    }

    pub(super) enum Either {
        Now(Answered),
        Never { reason: Status },
    }

    macro_rules! stream {
        ($name:ident, $self:ident => $answers:expr) => {
            impl Stream for $name {
                type Item = Result<Answer, Status>;

                fn poll_next(
                    self: Pin<&mut Self>,
                    _: &mut Context<'_>,
                ) -> Poll<Option<Self::Item>> {
                    let $self = self.get_mut();
                    Poll::Ready($answers)
                }
            }
        };
    }

    stream!(Fields, this => this.answers.next());
    stream!(Either, this => match this {
        Either::Now(answers) => answers.next(),
        Either::Never { reason } => Some(Err(reason.clone())),
    });

    macro_rules! as_path {
        ($path:path) => {
            $path
        };
    }

    macro_rules! as_type {
        ($ty:ty) => {
            $ty
        };
    }

    /// What a struct's or an enum's own name could do.
    pub(super) struct Literals;

    #[instrument_grpc(service = "e5.literals")]
    #[tonic::async_trait]
    impl Streams for Literals {
        type ReadStream = Fields;
        async fn read(&self, request: Request<Ask>) -> Result<Response<Self::ReadStream>, Status> {
            let stream = Self::ReadStream { answers: answers(request.into_inner()).into_iter() };
            let Self::ReadStream { answers } = stream;
            let stream: as_path!(Self::ReadStream) = Fields { answers };
            let stream: as_type!(Self::ReadStream) = stream;
            Ok(Response::new(stream))
        }

        type TailStream = Either;
        async fn tail(&self, request: Request<Ask>) -> Result<Response<Self::TailStream>, Status> {
            let never = Self::TailStream::Never { reason: Status::aborted("never") };
            if let Self::TailStream::Never { reason } = &never {
                assert_eq!(reason.message(), "never");
            }
            let answers = answers(request.into_inner()).into_iter();
            Ok(Response::new(Self::TailStream::Now(answers)))
        }
    }

    pub(super) struct Around<S>(S);

    impl<S: Stream + Unpin> Stream for Around<S> {
        type Item = S::Item;

        fn poll_next(
            mut self: Pin<&mut Self>,
            context: &mut Context<'_>,
        ) -> Poll<Option<Self::Item>> {
            Pin::new(&mut self.0).poll_next(context)
        }
    }

    /// A stream around another method's.
    pub(super) struct Nested;

    #[instrument_grpc(service = "e6.nested")]
    #[tonic::async_trait]
    impl Streams for Nested {
        type ReadStream = Boxed<Answer>;
        async fn read(&self, request: Request<Ask>) -> Result<Response<Self::ReadStream>, Status> {
            Ok(Response::new(Box::pin(tokio_stream::iter(answers(request.into_inner())))))
        }

        type TailStream = Around<Self::ReadStream>;
        async fn tail(
            &self,
            request: Request<Ask>,
        ) -> Result<Response<Around<Self::ReadStream>>, Status> {
            let answers = tokio_stream::iter(answers(request.into_inner()));
            Ok(Response::new(Around(Box::pin(answers))))
        }
    }

    type BoxFuture<'a, R> = Pin<Box<dyn Future<Output = R> + Send + 'a>>;

    /// An alias hides the future, and the stream's type is spelled out.
    pub(super) struct ByHand;

    #[instrument_grpc(service = "e6.future_alias")]
    impl Streams for ByHand {
        type ReadStream = Boxed<Answer>;
        fn read<'s, 'a>(
            &'s self,
            request: Request<Ask>,
        ) -> BoxFuture<'a, Result<Response<Boxed<Answer>>, Status>>
        where
            's: 'a,
            Self: 'a,
        {
            let stream: Self::ReadStream =
                Box::pin(tokio_stream::iter(answers(request.into_inner())));
            Box::pin(async move { Ok(Response::new(stream)) })
        }

        type TailStream = Boxed<Answer>;
        fn tail<'s, 'a>(
            &'s self,
            request: Request<Ask>,
        ) -> BoxFuture<'a, Result<Response<Self::TailStream>, Status>>
        where
            's: 'a,
            Self: 'a,
        {
            let stream: Boxed<Answer> = Box::pin(tokio_stream::iter(answers(request.into_inner())));
            Box::pin(std::future::ready(Ok(Response::new(stream))))
        }
    }
}

#[tokio::test]
async fn e5_the_declared_type_in_all_places() {
    use in_all_places::{ByHand, Literals, Nested};
    check_streams(Routes::new(StreamsServer::new(Literals)), "e5.literals").await;
    check_streams(Routes::new(StreamsServer::new(Nested)), "e6.nested").await;
    check_streams(Routes::new(StreamsServer::new(ByHand)), "e6.future_alias").await;
}

/// Traits of one's own, with what `tonic-build` does not write.
mod own_traits {
    use super::{Answer, Ask, Boxed, Pin, Request, Response, Status, Stream, instrument_grpc};

    #[tonic::async_trait]
    pub(super) trait Typed<F> {
        type WatchStream: Stream<Item = Result<u8, Status>> + Send;
        async fn watch(&self, request: Request<u8>) -> Result<Response<Self::WatchStream>, Status>;
    }

    pub(super) struct Service;

    #[instrument_grpc(service = "e8.typed")]
    #[tonic::async_trait]
    impl Typed<fn() -> u8> for Service {
        type WatchStream = Pin<Box<dyn Stream<Item = Result<u8, Status>> + Send>>;
        async fn watch(
            &self,
            request: Request<u8>,
        ) -> Result<Response<<Self as Typed<fn() -> u8>>::WatchStream>, Status> {
            struct Grid<const N: usize>;
            trait Kind {
                type WatchStream;
            }
            impl Kind for Grid<{ 1 + 1 }> {
                type WatchStream = u8;
            }
            impl Grid<{ 1 + 1 }>
            where
                Self: Kind<WatchStream = u8>,
            {
                fn first(number: <Self as Kind>::WatchStream) -> u8 {
                    number
                }
            }
            let number = Grid::<2>::first(request.into_inner());
            let stream: <Service as Typed<fn() -> u8>>::WatchStream =
                Box::pin(tokio_stream::iter([Ok(number)]));
            Ok(Response::new(stream))
        }
    }

    #[tonic::async_trait]
    pub(super) trait Sized {
        const SIZE: usize;
        const MAKE: fn() -> Option<Self::ReadStream>;
        type ReadStream;
        fn make() -> Option<Self::ReadStream>;
        async fn read(&self, request: Request<Ask>) -> Result<Response<Self::ReadStream>, Status>;
    }

    #[instrument_grpc(service = "e8.sized")]
    #[tonic::async_trait]
    impl Sized for Service {
        const SIZE: usize = std::mem::size_of::<Self::ReadStream>();
        const MAKE: fn() -> Option<Self::ReadStream> = Self::make;
        type ReadStream = Boxed<Answer>;

        #[skip_metrics]
        fn make() -> Option<Self::ReadStream> {
            None
        }

        async fn read(&self, _: Request<Ask>) -> Result<Response<Self::ReadStream>, Status> {
            Ok(Response::new(Box::pin(tokio_stream::empty())))
        }
    }
}

#[tokio::test]
async fn e8_stream_types_in_traits_of_ones_own() {
    use own_traits::{Service, Sized, Typed};
    let watch = Service.watch(Request::new(7)).await.map(Response::into_inner).unwrap();
    assert_eq!(watch.map(Result::unwrap).collect::<Vec<_>>().await, [7]);
    assert_eq!(codes("e8.typed", "Watch"), [(Code::Ok, 1)]);
    assert_eq!(Service::SIZE, size_of::<Boxed<Answer>>());
    assert!(Service::MAKE().is_none());
    drop(Service.read(Request::new(Ask::default())).await);
    assert_eq!(codes("e8.sized", "Read"), [(Code::Cancelled, 1)]);
}

/// A method from a macro is not measured, and its stream is left alone.
macro_rules! tail {
    ($stream:ty) => {
        fn tail<'s, 'a>(
            &'s self,
            request: Request<Ask>,
        ) -> Pin<Box<dyn Future<Output = Result<Response<$stream>, Status>> + Send + 'a>>
        where
            's: 'a,
            Self: 'a,
        {
            let stream: $stream = Box::pin(tokio_stream::iter(answers(request.into_inner())));
            Box::pin(async move { Ok(Response::new(stream)) })
        }
    };
}

struct AddedStream;

#[instrument_grpc(service = "e8.added_stream")]
#[tonic::async_trait]
impl Streams for AddedStream {
    type ReadStream = Boxed<Answer>;
    async fn read(&self, request: Request<Ask>) -> Result<Response<Self::ReadStream>, Status> {
        Ok(Response::new(Box::pin(tokio_stream::iter(answers(request.into_inner())))))
    }

    type TailStream = Self::ReadStream;
    tail!(Self::ReadStream);
}

#[tokio::test]
async fn e8_a_macro_is_told_a_measured_stream() {
    let ask = || Request::new(Ask { count: 2, code: 0 });
    let tail = AddedStream.tail(ask()).await.map(Response::into_inner).unwrap();
    assert_eq!(tail.collect::<Vec<_>>().await.len(), 2);
    let read = AddedStream.read(ask()).await.map(Response::into_inner).unwrap();
    assert_eq!(read.collect::<Vec<_>>().await.len(), 2);
    assert_eq!(codes("e8.added_stream", "Read"), [(Code::Ok, 1)]);
    let snapshot = grpc_metrics_runtime::GrpcMetrics::global().snapshot();
    assert!(snapshot.method("e8.added_stream", "Tail").is_none());
}
