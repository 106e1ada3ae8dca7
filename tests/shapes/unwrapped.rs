//! B16 and E5: a response stream's own type, taken out of its wrapper.

use std::pin::Pin;
use std::task::{Context, Poll};

use grpc_metrics_runtime::instrument_grpc;
use support::shapes::pb::streams_server::Streams;
use support::shapes::pb::{Answer, Ask};
use support::shapes::{answers, counted};
use tokio_stream::{Stream, StreamExt};
use tonic::{Code, Request, Response, Status};

/// A stream that is no box.
#[derive(Debug)]
struct Listed(Vec<Result<Answer, Status>>);

impl Stream for Listed {
    type Item = Result<Answer, Status>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Poll::Ready(self.0.pop())
    }
}

struct Lister;

#[instrument_grpc(service = "e5.unwrapped")]
#[tonic::async_trait]
impl Streams for Lister {
    type ReadStream = Listed;
    type TailStream = Listed;

    async fn read(&self, request: Request<Ask>) -> Result<Response<Self::ReadStream>, Status> {
        Ok(Response::new(Listed(answers(request.into_inner()).into_iter().collect())))
    }

    async fn tail(&self, request: Request<Ask>) -> Result<Response<Self::TailStream>, Status> {
        Ok(self.read(request).await?.map(grpc_metrics_runtime::ResponseStream::into_inner))
    }
}

#[tokio::test]
async fn b16_a_sibling_s_stream_may_be_unwrapped_and_passed_on() {
    let ask = Ask { count: 3, ..Ask::default() };
    let response = Lister.tail(Request::new(ask)).await.expect("it answers");
    let read = counted("e5.unwrapped", "Read");
    // The sibling's RPC ends with the unwrapping: nothing shows its stream to the metrics any more.
    assert_eq!((read.requests(Code::Ok), read.finished(), read.messages_sent()), (1, 1, 0));
    let messages = response.into_inner().collect::<Vec<_>>().await;
    assert_eq!(messages.len(), 3);
    let tail = counted("e5.unwrapped", "Tail");
    assert_eq!((tail.requests(Code::Ok), tail.finished(), tail.messages_sent()), (1, 1, 3));
}
