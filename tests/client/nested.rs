//! L3: measured calls that are made within another measured call.

use std::task::{Context, Waker};

use support::clients::Kind;
use support::pb::measured::scripted_client::ScriptedClient;
use support::script::{fail, script};
use tonic::body::Body;
use tonic::transport::Channel;
use tonic::{Code, Request};
use tower::ServiceExt as _;

use super::called::{Called, Way};

/// Calls two methods, and drops these calls after their first poll.
fn give_up(client: &mut ScriptedClient<Channel>) {
    let mut context = Context::from_waker(Waker::noop());
    let mut upload = Box::pin(client.upload(Request::new(tokio_stream::iter([]))));
    assert!(upload.as_mut().poll(&mut context).is_pending());
    drop(upload);
    let mut chat = Box::pin(client.chat(Request::new(tokio_stream::iter([]))));
    assert!(chat.as_mut().poll(&mut context).is_pending());
}

/// Each of the calls keeps its own RPC, on one thread.
#[tokio::test]
async fn l3_calls_within_a_call_are_calls_of_their_own() {
    let called = Called::scripted(Way::Attribute).await;
    let channel = called.server.connect().await;
    let service = tower::service_fn(move |request: http::Request<Body>| {
        let channel = channel.clone();
        let mut inner = ScriptedClient::new(channel.clone());
        give_up(&mut inner);
        async move {
            let mut replies = inner.watch(Request::new(script([], []))).await?.into_inner();
            inner.unary(Request::new(script([], []))).await?;
            while replies.message().await?.is_some() {}
            Ok::<_, Box<dyn std::error::Error + Send + Sync>>(channel.oneshot(request).await?)
        }
    });
    let mut outer = ScriptedClient::new(service);
    let failing = script([fail(Code::Aborted)], []);
    outer.unary(Request::new(failing.clone())).await.unwrap_err();
    outer.watch(Request::new(failing)).await.unwrap_err();
    let failing = script([], [fail(Code::Aborted)]);
    let mut replies = outer.watch(Request::new(failing)).await.unwrap().into_inner();
    replies.message().await.unwrap_err();
    let expected = [
        (Kind::Unary, Code::Aborted, 1),
        (Kind::Unary, Code::Ok, 3),
        (Kind::Watch, Code::Aborted, 2),
        (Kind::Watch, Code::Ok, 3),
        (Kind::Upload, Code::Cancelled, 3),
        (Kind::Chat, Code::Cancelled, 3),
    ];
    called.assert_ended(&expected).await;
}
