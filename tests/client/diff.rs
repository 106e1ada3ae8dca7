//! N3: what the program calls, in the difference of two snapshots.

use support::clients::Kind;
use support::pb::scripted_client::ScriptedClient;
use support::script::{drain, fail, gate, script, send};
use support::scripted::SERVICE;
use tonic::{Code, Request};

use super::called::{Called, Way};
use super::edges::{FRONT, front};

#[tokio::test]
async fn n3_calls_and_their_messages_are_told_apart_from_what_is_served() {
    for way in Way::ALL {
        let called = Called::scripted(way).await;
        let before = called.metrics.snapshot();
        let script = script([drain()], [send(), send(), fail(Code::NotFound)]);
        called.call(Kind::Chat, Request::new(script)).await.unwrap_err();
        let diff = called.metrics.snapshot().since(&before);
        assert_eq!(diff.client_requests(), [(SERVICE, "Chat", Code::NotFound, 1)]);
        assert_eq!(diff.client_started(), [(SERVICE, "Chat", 1)]);
        assert_eq!(diff.client_in_flight(), []);
        assert_eq!(diff.client_messages_sent(), [(SERVICE, "Chat", 1)]);
        assert_eq!(diff.client_messages_received(), [(SERVICE, "Chat", 2)]);
        assert_eq!((diff.requests(), diff.started()), (vec![], vec![]));
    }
}

#[tokio::test]
async fn n3_calls_to_all_targets_are_added_up_unless_one_is_picked() {
    let called = Called::scripted(Way::Layer).await;
    let before = called.metrics.snapshot();
    for (target, calls) in [("eu", 1), ("us", 2)] {
        let layer = called.metrics.client_layer().target(target);
        let channel = called.server.connect().await;
        let service = tower::ServiceBuilder::new().layer(layer).service(channel);
        let mut client = ScriptedClient::new(service);
        for _ in 0..calls {
            client.unary(Request::new(script([], []))).await.unwrap();
        }
    }
    let diff = called.metrics.snapshot().since(&before);
    let of = |calls| [(SERVICE, "Unary", Code::Ok, calls)];
    // Calls without a target, and what is served, are of none.
    called.metrics.guard("shop.Orders", "Get").complete(Code::Ok);
    let diff_of_served = called.metrics.snapshot().since(&before).of_target("us");
    assert_eq!(diff_of_served, diff.clone().of_target("us"));
    assert_eq!(diff.client_requests(), of(3));
    assert_eq!(diff.clone().of_target("eu").client_requests(), of(1));
    assert_eq!(diff.clone().of_target("us").client_requests(), of(2));
    assert!(diff.clone().of_target("asia").is_empty());
    let line = format!("client {SERVICE}/Unary at us: requests Ok +2");
    assert!(diff.to_string().lines().any(|found| found == line), "{diff}");
}

#[tokio::test]
async fn n3_edges_are_the_calls_that_a_handler_made() {
    let called = Called::scripted(Way::Layer).await;
    let (_server, channel) = front(&called).await;
    let before = called.metrics.snapshot();
    for kind in [Kind::Unary, Kind::Upload] {
        support::clients::call(&channel, kind, Request::new(script([], []))).await;
    }
    let diff = called.metrics.snapshot().since(&before);
    let of = |method| (FRONT, method, SERVICE, method, Code::Ok, 1);
    assert_eq!(diff.edges(), [of("Unary"), of("Upload")]);
    let served = [(FRONT, "Unary", Code::Ok, 1), (FRONT, "Upload", Code::Ok, 1)];
    assert_eq!(diff.requests(), served);
    let line = format!("client {SERVICE}/Unary: requests Ok by {FRONT}/Unary +1");
    assert!(diff.to_string().lines().any(|found| found == line), "{diff}");
}

#[tokio::test]
async fn n3_settled_awaits_the_end_of_calls() {
    let called = Called::scripted(Way::Layer).await;
    let before = called.metrics.snapshot();
    let script = script([], [send(), gate()]);
    let stream = called.open(Kind::Watch, Request::new(script)).await.unwrap();
    let settled = called.metrics.settled();
    tokio::pin!(settled);
    tokio::select! {
        biased;
        early = &mut settled => panic!("{:?}", early.since(&before)),
        () = std::future::ready(()) => {}
    }
    drop(stream);
    let diff = settled.await.since(&before);
    assert_eq!(diff.client_requests(), [(SERVICE, "Watch", Code::Cancelled, 1)]);
}
