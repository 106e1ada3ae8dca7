//! E11 and E12: what is asked of the user's crate and types.

use std::cell::Cell;
use std::marker::PhantomPinned;
use std::pin::Pin;
use std::task::{Context, Poll};

use grpc_metrics_runtime::instrument_grpc;
use support::shapes::pb::streams_server::{Streams, StreamsServer};
use support::shapes::pb::{Answer, Ask};
use support::shapes::{answers, check_streams};
use tokio_stream::Stream;
use tonic::service::Routes;
use tonic::{Request, Response, Status};

/// See the lints at the top of the crate.
#[derive(Debug)]
struct Strict;

#[instrument_grpc(service = "e11.strict")]
#[tonic::async_trait]
impl Streams for Strict {
    type ReadStream = tokio_stream::Iter<std::vec::IntoIter<Result<Answer, Status>>>;
    async fn read(&self, request: Request<Ask>) -> Result<Response<Self::ReadStream>, Status> {
        Ok(Response::new(tokio_stream::iter(answers(request.into_inner()))))
    }

    type TailStream = Self::ReadStream;
    async fn tail(&self, request: Request<Ask>) -> Result<Response<Self::TailStream>, Status> {
        self.read(request).await.map(|stream| stream.map(|_| tokio_stream::iter(answers(GOOD))))
    }
}

const GOOD: Ask = Ask { count: 1, code: 0 };

#[tokio::test]
async fn e11_strict_lints() {
    let stream = Strict.tail(Request::new(GOOD)).await;
    drop(stream);
    let cancelled = [(tonic::Code::Cancelled, 1)];
    assert_eq!(support::shapes::codes("e11.strict", "Tail"), cancelled);
    assert_eq!(support::shapes::codes("e11.strict", "Read"), cancelled);
}

/// Neither `Sync` nor `Unpin`.
struct Unshared {
    answers: Cell<std::vec::IntoIter<Result<Answer, Status>>>,
    _pinned: PhantomPinned,
}

impl Unshared {
    fn new(answers: Vec<Result<Answer, Status>>) -> Self {
        Self { answers: Cell::new(answers.into_iter()), _pinned: PhantomPinned }
    }
}

impl Stream for Unshared {
    type Item = Result<Answer, Status>;

    fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut answers = self.answers.take();
        let next = answers.next();
        self.answers.set(answers);
        Poll::Ready(next)
    }
}

struct Demanding;

#[instrument_grpc(service = "e12.demanding")]
#[tonic::async_trait]
impl Streams for Demanding {
    type ReadStream = Unshared;
    async fn read(&self, request: Request<Ask>) -> Result<Response<Self::ReadStream>, Status> {
        let unshared = Cell::new(request.into_inner());
        tokio::task::yield_now().await;
        Ok(Response::new(Unshared::new(answers(unshared.take()))))
    }

    type TailStream = Pin<Box<dyn Stream<Item = Result<Answer, Status>> + Send>>;
    async fn tail(&self, request: Request<Ask>) -> Result<Response<Self::TailStream>, Status> {
        let stream = Unshared::new(answers(request.into_inner()));
        Ok(Response::new(Box::pin(stream)))
    }
}

fn is_send<T: Send>(value: T) -> T {
    value
}

#[tokio::test]
async fn e12_send_and_nothing_else() {
    drop(is_send(Demanding.read(Request::new(GOOD))));
    check_streams(Routes::new(StreamsServer::new(Demanding)), "e12.demanding").await;
}

/// The lints that look at how a request is used see the user's code, and no more.
trait Native {
    fn first(
        &self,
        request: Request<u8>,
    ) -> impl Future<Output = Result<Response<u8>, Status>> + Send;
    fn second(
        &self,
        request: Request<u8>,
    ) -> impl Future<Output = Result<Response<u8>, Status>> + Send;
    fn third(
        &self,
        request: Request<u8>,
    ) -> impl Future<Output = Result<Response<u8>, Status>> + Send;
}

type BoxFuture<'a> = Pin<Box<dyn Future<Output = Result<Response<u8>, Status>> + Send + 'a>>;

trait Boxed {
    fn first(&self, request: Request<u8>) -> BoxFuture<'_>;
    fn second(&self, request: Request<u8>) -> BoxFuture<'_>;
}

#[instrument_grpc(service = "e11.native")]
impl Native for Strict {
    #![allow(clippy::unused_async)]

    async fn first(&self, _request: Request<u8>) -> Result<Response<u8>, Status> {
        Ok(Response::new(1))
    }

    #[expect(unused_variables)]
    async fn second(&self, request: Request<u8>) -> Result<Response<u8>, Status> {
        Ok(Response::new(2))
    }

    async fn third(&self, mut request: Request<u8>) -> Result<Response<u8>, Status> {
        *request.get_mut() += 1;
        Ok(Response::new(request.into_inner()))
    }
}

#[instrument_grpc(service = "e11.boxed")]
impl Boxed for Strict {
    fn first(&self, _request: Request<u8>) -> BoxFuture<'_> {
        Box::pin(std::future::ready(Ok(Response::new(1))))
    }

    #[expect(unused_variables)]
    fn second(&self, request: Request<u8>) -> BoxFuture<'_> {
        Box::pin(std::future::ready(Ok(Response::new(2))))
    }
}

#[tokio::test]
async fn e11_lints_of_the_request() {
    let third = Native::third(&Strict, Request::new(2)).await.map(Response::into_inner);
    assert_eq!(third.ok(), Some(3));
    assert!(Native::first(&Strict, Request::new(2)).await.is_ok());
    assert!(Native::second(&Strict, Request::new(2)).await.is_ok());
    assert!(Boxed::first(&Strict, Request::new(2)).await.is_ok());
    assert!(Boxed::second(&Strict, Request::new(2)).await.is_ok());
    let ok = [(tonic::Code::Ok, 1)];
    for (service, method) in [
        ("e11.native", "First"),
        ("e11.native", "Second"),
        ("e11.native", "Third"),
        ("e11.boxed", "First"),
        ("e11.boxed", "Second"),
    ] {
        assert_eq!(support::shapes::codes(service, method), ok, "{service} {method}");
    }
}
