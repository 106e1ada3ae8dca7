//! L3: panics below a measured client.

use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::Frame;
use support::clients::Kind;
use support::pb::Script;
use support::script::{hang, script, send};
use tonic::{Code, Request, Response, Status};
use tower::{Layer as _, ServiceBuilder};

use super::called::{Called, Replies, Way};

/// A body that panics whenever it is polled, as one with a timer outside of a runtime does.
struct Panics;

impl http_body::Body for Panics {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        panic!("{}", support::scripted::panic_message(support::faults::panic_id()))
    }
}

/// Opens a stream whose body panics.
async fn open(called: &Called) -> Response<Replies> {
    let panicking = |response: http::Response<tonic::body::Body>| response.map(|_| Panics);
    let channel = called.server.connect().await;
    let channel = ServiceBuilder::new().map_response(panicking).service(channel);
    let request: Request<Script> = Request::new(script([], [send(), hang()]));
    let opened = match called.way {
        Way::Layer => {
            let channel = called.metrics.client_layer().layer(channel);
            support::pb::scripted_client::ScriptedClient::new(channel).watch(request).await
        }
        Way::Attribute => {
            let mut client = support::pb::measured::scripted_client::ScriptedClient::new(channel);
            client.watch(request).await
        }
    };
    opened.unwrap()
}

/// The body is not polled again while the panic drops it, which would abort the program.
#[tokio::test]
async fn l3_a_stream_that_panics_is_cancelled() {
    for way in Way::ALL {
        let called = Called::scripted(way).await;
        let mut replies = open(&called).await.into_inner();
        let reading = tokio::spawn(async move { replies.message().await });
        assert!(reading.await.unwrap_err().is_panic());
        called.assert_ended(&[(Kind::Watch, Code::Cancelled, 1)]).await;
    }
}

#[tokio::test]
async fn l3_a_stream_that_nobody_reads_does_not_panic() {
    for way in Way::ALL {
        let called = Called::scripted(way).await;
        let replies = open(&called).await;
        let dropped = std::panic::catch_unwind(AssertUnwindSafe(|| drop(replies)));
        assert!(dropped.is_ok());
        called.assert_ended(&[(Kind::Watch, Code::Cancelled, 1)]).await;
    }
}
