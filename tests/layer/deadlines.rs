//! Deadlines that pass in front of a handler, and while it waits for messages. The clients have no timers, so the server
//! ends what is late.

use prost::Message;
use support::clients::{self, Kind};
use support::script::{drain, gate, script};
use support::wait::until_eq;
use tonic::service::Routes;
use tonic::{Code, Request};
use tower::limit::ConcurrencyLimitLayer;
use tower::load_shed::LoadShedLayer;

use super::raw::Raw;
use super::served::{Served, framed, scripted};

const UNARY: &str = "/testing.v1.Scripted/Unary";
const TIMEOUT: &str = "100m";

async fn ask(served: &Served, path: &str, message: &impl Message, is_last: bool) -> Option<Code> {
    let raw = Raw::connect(served.server.address()).await;
    let mut asked = raw.ask(path, Some(TIMEOUT)).await;
    asked.send(framed(&message.encode_to_vec()), is_last);
    asked.code().await
}

#[tokio::test]
async fn k1_an_upload_that_stalls_until_its_deadline_counts_4() {
    let served = Served::scripted().await;
    let message = script([drain()], []);
    for path in ["Upload", "Chat"].map(|method| format!("/testing.v1.Scripted/{method}")) {
        // What tonic says then.
        assert_eq!(ask(&served, &path, &message, false).await, Some(Code::Cancelled));
    }
    assert_eq!(
        served.ended(),
        [("Chat", Code::DeadlineExceeded, 1), ("Upload", Code::DeadlineExceeded, 1)]
    );
    assert_eq!(served.stage.waiting(), 2);
    served.assert_settled();
}

#[tokio::test]
async fn k1_a_message_that_stalls_until_its_deadline_counts_4() {
    let served = Served::scripted().await;
    let raw = Raw::connect(served.server.address()).await;
    let mut asked = raw.ask(UNARY, Some(TIMEOUT)).await;
    asked.send(&b"\0\0\0\0\x05half"[..], false);
    assert_eq!(asked.code().await, Some(Code::Cancelled));
    assert_eq!(served.ended(), [("Unary", Code::DeadlineExceeded, 1)]);
    assert_eq!(served.stage.entered(), 0);
    served.assert_settled();
}

/// The limit of a router lets requests in, where they wait.
#[tokio::test]
async fn k1_a_wait_for_a_router_s_limit_is_a_part_of_the_rpc() {
    let served = Served::with(
        |layer| layer,
        |metrics, stage| {
            let router = Routes::new(scripted(metrics, stage)).into_axum_router();
            Routes::from(router.layer(ConcurrencyLimitLayer::new(1)))
        },
    )
    .await;
    let first = served.spawn(Request::new(script([gate()], [])));
    until_eq(|| served.stage.waiting(), 1).await;
    assert_eq!(ask(&served, UNARY, &script([], []), true).await, Some(Code::Cancelled));
    assert_eq!(served.ended(), [("Unary", Code::DeadlineExceeded, 1)]);
    served.stage.let_through(1);
    first.await.expect("no panic");
    assert_eq!(served.stage.entered(), 1);
    assert_eq!(served.ended(), [("Unary", Code::Ok, 1), ("Unary", Code::DeadlineExceeded, 1)]);
    served.assert_settled();
}

/// tower's limit asks requests to wait before they are handed over, and so do the layers around it: the server layer has
/// no request yet. Nor does tonic's timer run, so the deadline counts from there, too.
#[tokio::test]
async fn k1_an_rpc_behind_a_server_s_limit_starts_when_it_gets_in() {
    let of_connection = Served::by(|layer, routes, incoming, stopped| async {
        let server = tonic::transport::Server::builder().concurrency_limit_per_connection(1);
        let mut server = server.layer(layer);
        server.add_routes(routes).serve_with_incoming_shutdown(incoming, stopped).await
    });
    let of_layer = Served::by(|layer, routes, incoming, stopped| async {
        let server = tonic::transport::Server::builder().layer(layer);
        let mut server = server.layer(ConcurrencyLimitLayer::new(1));
        server.add_routes(routes).serve_with_incoming_shutdown(incoming, stopped).await
    });
    for served in [of_connection.await, of_layer.await] {
        let raw = Raw::connect(served.server.address()).await;
        let gated = framed(&script([gate()], []).encode_to_vec());
        let mut first = raw.ask(UNARY, None).await;
        first.send(gated.clone(), true);
        until_eq(|| served.stage.waiting(), 1).await;
        let mut second = raw.ask(UNARY, Some(TIMEOUT)).await;
        second.send(gated, true);
        // Nobody can see it wait. Its deadline passes here, if it counts from its headers.
        let mut late = raw.ask("/invented.Service/Get", Some("1m")).await;
        late.send(framed(b""), true);
        assert_eq!((served.in_flight(), served.stage.entered()), (1, 1));
        served.stage.let_through(1);
        assert_eq!(first.code().await, Some(Code::Ok));
        // It waits for longer than it has.
        assert_eq!(second.code().await, Some(Code::Cancelled));
        assert_eq!(served.stage.entered(), 2);
        assert_eq!(late.code().await, Some(Code::Unimplemented));
        assert_eq!(served.ended(), [("Unary", Code::Ok, 1), ("Unary", Code::DeadlineExceeded, 1)]);
        assert_eq!(served.requests("other", "other", Code::Unimplemented), 1);
        served.assert_settled();
    }
}

#[tokio::test]
async fn k3_load_that_is_shed_inside_counts_by_the_path() {
    let served = Served::by(|layer, routes, incoming, stopped| async {
        let server = tonic::transport::Server::builder().layer(layer).layer(LoadShedLayer::new());
        let mut server = server.layer(ConcurrencyLimitLayer::new(1));
        server.add_routes(routes).serve_with_incoming_shutdown(incoming, stopped).await
    })
    .await;
    let first = served.spawn(Request::new(script([gate()], [])));
    until_eq(|| served.stage.waiting(), 1).await;
    let request = Request::new(script([], []));
    let shed = clients::call(&served.channel, Kind::Watch, request).await;
    assert_eq!(shed.code(), Code::ResourceExhausted);
    served.stage.let_through(1);
    first.await.expect("no panic");
    assert_eq!(served.ended(), [("Unary", Code::Ok, 1), ("Watch", Code::ResourceExhausted, 1)]);
    served.assert_settled();
}
