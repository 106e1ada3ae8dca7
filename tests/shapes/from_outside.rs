//! E5: response streams as code outside the impl sees them. A boxed type is what was declared, whatever it is
//! called; any other is wrapped, and has the declared one's methods.

use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};

use grpc_metrics_runtime::{ResponseStream, instrument_grpc};
use support::shapes::pb::streams_server::Streams;
use support::shapes::pb::{Answer, Ask};
use support::shapes::{answers, codes};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tokio_stream::{Stream, StreamExt};
use tonic::{Code, Request, Response, Status};

type Boxed<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;
type Answers = Boxed<Answer>;
type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

fn ask(count: u32, code: i32) -> Request<Ask> {
    Request::new(Ask { count, code })
}

struct Aliased;

#[instrument_grpc(service = "e5.aliased")]
#[tonic::async_trait]
impl Streams for Aliased {
    type ReadStream = Answers;
    async fn read(&self, request: Request<Ask>) -> Result<Response<Answers>, Status> {
        Ok(Response::new(Box::pin(tokio_stream::iter(answers(request.into_inner())))))
    }

    type TailStream = Pin<Box<dyn Stream<Item = Result<Answer, Status>> + Send + Sync>>;
    async fn tail(&self, request: Request<Ask>) -> Result<Response<Self::TailStream>, Status> {
        Ok(Response::new(of_helper(request.into_inner())))
    }
}

/// By the type that the impl says.
fn of_helper(ask: Ask) -> <Aliased as Streams>::TailStream {
    Box::pin(tokio_stream::iter(answers(ask)))
}

fn is_sync(_: &(impl Stream + Sync)) {}

#[tokio::test]
async fn e5_a_boxed_type_is_what_was_declared() {
    let read: Answers = Aliased.read(ask(2, 0)).await.unwrap().into_inner();
    assert_eq!(read.collect::<Vec<_>>().await.len(), 2);
    let tail = Aliased.tail(ask(2, 5)).await.unwrap().into_inner();
    is_sync(&tail);
    assert_eq!(tail.map(|item| item.is_ok()).collect::<Vec<_>>().await, [true, true, false]);
    let mut dropped = Aliased.read(ask(2, 0)).await.unwrap().into_inner();
    dropped.next().await.unwrap().unwrap();
    drop(dropped);
    drop(Aliased.tail(ask(0, 0)).await.unwrap());
    assert_eq!(codes("e5.aliased", "Read"), [(Code::Ok, 1), (Code::Cancelled, 1)]);
    assert_eq!(codes("e5.aliased", "Tail"), [(Code::Cancelled, 1), (Code::NotFound, 1)]);
}

/// A box goes on as it is, as a sibling's stream for one; both RPCs count.
struct PassesOn;

#[instrument_grpc(service = "e5.passes_on")]
#[tonic::async_trait]
impl Streams for PassesOn {
    type ReadStream = Answers;
    async fn read(&self, request: Request<Ask>) -> Result<Response<Self::ReadStream>, Status> {
        Ok(Response::new(Box::pin(tokio_stream::iter(answers(request.into_inner())))))
    }

    type TailStream = Boxed<Answer>;
    fn tail<'life0, 'async_trait>(
        &'life0 self,
        request: Request<Ask>,
    ) -> BoxFuture<'async_trait, Result<Response<Self::TailStream>, Status>>
    where
        'life0: 'async_trait,
    {
        self.read(request)
    }
}

#[tokio::test]
async fn e5_a_sibling_s_box_may_be_passed_on() {
    let tail: Answers = PassesOn.tail(ask(1, 0)).await.unwrap().into_inner();
    assert_eq!(tail.collect::<Vec<_>>().await.len(), 1);
    assert_eq!(codes("e5.passes_on", "Read"), [(Code::Ok, 1)]);
    assert_eq!(codes("e5.passes_on", "Tail"), [(Code::Ok, 1)]);
}

/// As Arrow's Flight SQL does it: a service for all that have a trait of their own, whose methods give the
/// service's streams.
#[tonic::async_trait]
trait Flights: Send + Sync + 'static {
    type DoGetStream: Stream<Item = Result<Answer, Status>> + Send + 'static;
    async fn do_get(&self, _: Request<Ask>) -> Result<Response<Self::DoGetStream>, Status>;
}

#[tonic::async_trait]
trait Queries: Send + Sync + Sized + 'static {
    async fn query(&self, ask: Ask) -> Result<Response<<Self as Flights>::DoGetStream>, Status>;
}

#[instrument_grpc(service = "e8.flights")]
#[tonic::async_trait]
impl<T: Queries> Flights for T {
    type DoGetStream = Pin<Box<dyn Stream<Item = Result<Answer, Status>> + Send + 'static>>;
    async fn do_get(&self, request: Request<Ask>) -> Result<Response<Self::DoGetStream>, Status> {
        self.query(request.into_inner()).await
    }
}

struct Database;

#[tonic::async_trait]
impl Queries for Database {
    async fn query(&self, ask: Ask) -> Result<Response<<Self as Flights>::DoGetStream>, Status> {
        let rows: <Self as Flights>::DoGetStream = Box::pin(tokio_stream::iter(answers(ask)));
        Ok(Response::new(rows))
    }
}

#[tokio::test]
async fn e8_a_blanket_impl_with_a_boxed_stream() {
    let rows = Database.do_get(ask(2, 0)).await.unwrap().into_inner();
    assert_eq!(rows.collect::<Vec<_>>().await.len(), 2);
    assert_eq!(codes("e8.flights", "DoGet"), [(Code::Ok, 1)]);
}

struct Channels;

#[instrument_grpc(service = "e5.channels")]
#[tonic::async_trait]
impl Streams for Channels {
    type ReadStream = ReceiverStream<Result<Answer, Status>>;
    async fn read(&self, request: Request<Ask>) -> Result<Response<Self::ReadStream>, Status> {
        let (send, receive) = mpsc::channel(8);
        for answer in answers(request.into_inner()) {
            send.try_send(answer).unwrap();
        }
        Ok(Response::new(ReceiverStream::new(receive)))
    }

    type TailStream = Answers;
    async fn tail(&self, _: Request<Ask>) -> Result<Response<Self::TailStream>, Status> {
        Err(Status::aborted("always"))
    }
}

#[tokio::test]
async fn e5_a_wrapped_stream_has_the_methods_of_its_own() {
    let mut stream: ResponseStream<ReceiverStream<_>> =
        Channels.read(ask(2, 0)).await.unwrap().into_inner();
    assert_eq!(stream.as_ref().len(), 2);
    stream.close();
    assert_eq!(stream.collect::<Vec<_>>().await.len(), 2);
    assert_eq!(codes("e5.channels", "Read"), [(Code::Ok, 1)]);
}

/// As a stream that knows its service has it.
struct Of<T>(Answers, PhantomData<T>);

impl<T: Unpin> Stream for Of<T> {
    type Item = Result<Answer, Status>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.as_mut().poll_next(cx)
    }
}

/// Names the service without the impl saying so.
macro_rules! of_service {
    () => { Of<Self> };
}

struct Generic<T>(T);

#[instrument_grpc(service = "e8.generic_macro")]
#[tonic::async_trait]
impl<T: Send + Sync + Unpin + 'static> Streams for Generic<T> {
    type ReadStream = of_service!();
    async fn read(&self, request: Request<Ask>) -> Result<Response<Self::ReadStream>, Status> {
        let answers = tokio_stream::iter(answers(request.into_inner()));
        Ok(Response::new(Of(Box::pin(answers), PhantomData)))
    }

    type TailStream = Answers;
    async fn tail(&self, request: Request<Ask>) -> Result<Response<Self::TailStream>, Status> {
        Ok(Response::new(Box::pin(tokio_stream::iter(answers(request.into_inner())))))
    }
}

#[tokio::test]
async fn e8_a_macro_for_a_type_in_a_generic_impl() {
    let read = Generic(0).read(ask(2, 5)).await.unwrap().into_inner();
    assert_eq!(read.collect::<Vec<_>>().await.len(), 3);
    let tail: Answers = Generic(0).tail(ask(1, 0)).await.unwrap().into_inner();
    assert_eq!(tail.collect::<Vec<_>>().await.len(), 1);
    assert_eq!(codes("e8.generic_macro", "Read"), [(Code::NotFound, 1)]);
    assert_eq!(codes("e8.generic_macro", "Tail"), [(Code::Ok, 1)]);
}

type LocalBoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// For one thread, whose futures an alias hides.
trait Local {
    type WatchStream: Stream<Item = Result<Answer, Status>>;
    fn watch(
        &self,
        request: Request<Ask>,
    ) -> LocalBoxFuture<'_, Result<Response<Self::WatchStream>, Status>>;
}

struct OneThread;

#[instrument_grpc(service = "e5.local")]
impl Local for OneThread {
    type WatchStream = Answers;
    fn watch(
        &self,
        request: Request<Ask>,
    ) -> LocalBoxFuture<'_, Result<Response<Self::WatchStream>, Status>> {
        let stream: Answers = Box::pin(tokio_stream::iter(answers(request.into_inner())));
        Box::pin(std::future::ready(Ok(Response::new(stream))))
    }
}

#[tokio::test]
async fn e5_a_box_from_a_future_for_one_thread() {
    let watch: Answers = OneThread.watch(ask(2, 5)).await.unwrap().into_inner();
    assert_eq!(watch.collect::<Vec<_>>().await.len(), 3);
    assert_eq!(codes("e5.local", "Watch"), [(Code::NotFound, 1)]);
}

/// Boxed, and pinned nowhere.
type Moved = Box<dyn Stream<Item = Result<Answer, Status>> + Send + Unpin>;

struct Unpinned;

#[instrument_grpc(service = "e5.unpinned")]
#[tonic::async_trait]
impl Streams for Unpinned {
    type ReadStream = Moved;
    async fn read(&self, request: Request<Ask>) -> Result<Response<Moved>, Status> {
        Ok(Response::new(Box::new(tokio_stream::iter(answers(request.into_inner())))))
    }

    type TailStream = Box<dyn Stream<Item = Result<Answer, Status>> + Unpin + Send + 'static>;
    async fn tail(&self, request: Request<Ask>) -> Result<Response<Self::TailStream>, Status> {
        Ok(Response::new(Box::new(tokio_stream::iter(answers(request.into_inner())))))
    }
}

#[tokio::test]
async fn e5_a_box_that_is_not_pinned() {
    let read: Moved = Unpinned.read(ask(2, 5)).await.unwrap().into_inner();
    assert_eq!(read.collect::<Vec<_>>().await.len(), 3);
    let mut tail: Moved = Unpinned.tail(ask(2, 0)).await.unwrap().into_inner();
    tail.next().await.unwrap().unwrap();
    drop(tail);
    assert_eq!(codes("e5.unpinned", "Read"), [(Code::NotFound, 1)]);
    assert_eq!(codes("e5.unpinned", "Tail"), [(Code::Cancelled, 1)]);
}

/// One stream's type is the other's, and so is what it gives.
struct Same;

#[instrument_grpc(service = "e5.same")]
#[tonic::async_trait]
impl Streams for Same {
    type ReadStream = Answers;
    async fn read(&self, request: Request<Ask>) -> Result<Response<Self::ReadStream>, Status> {
        Ok(Response::new(Box::pin(tokio_stream::iter(answers(request.into_inner())))))
    }

    type TailStream = Self::ReadStream;
    async fn tail(&self, request: Request<Ask>) -> Result<Response<Self::TailStream>, Status> {
        self.read(request).await
    }
}

/// A lifetime without a name.
struct Borrowed<'a>(&'a str);

#[tonic::async_trait]
trait Short {
    type WatchStream;
    async fn watch(&self, _: Request<Ask>) -> Result<Response<Self::WatchStream>, Status>;
}

#[instrument_grpc(service = "e5.short")]
#[tonic::async_trait]
impl Short for Borrowed<'_> {
    type WatchStream = Of<Self>;
    async fn watch(&self, request: Request<Ask>) -> Result<Response<Self::WatchStream>, Status> {
        let answers = tokio_stream::iter(answers(request.into_inner()));
        Ok(Response::new(Of(Box::pin(answers), PhantomData)))
    }
}

#[tokio::test]
async fn e5_a_type_that_names_self() {
    let tail: Answers = Same.tail(ask(1, 5)).await.unwrap().into_inner();
    assert_eq!(tail.collect::<Vec<_>>().await.len(), 2);
    assert_eq!(codes("e5.same", "Tail"), [(Code::NotFound, 1)]);
    assert_eq!(codes("e5.same", "Read"), [(Code::NotFound, 1)]);
    let service = Borrowed("a");
    let watch = service.watch(ask(1, 0)).await.unwrap().into_inner();
    assert_eq!(watch.collect::<Vec<_>>().await.len(), 1, "{}", service.0);
    assert_eq!(codes("e5.short", "Watch"), [(Code::Ok, 1)]);
}
