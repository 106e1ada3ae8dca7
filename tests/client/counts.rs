//! L1, L2, L5: series of the client's metrics.

use support::clients::Kind;
use support::script::{drain, script, send};
use support::scripted::SERVICE;
use tonic::{Code, Request};
use tower::ServiceExt as _;

use super::called::{Called, Way};

const LABELS: [(&str, &str); 2] = [("service", SERVICE), ("method", "Chat")];

#[tokio::test]
async fn l1_series_are_those_of_the_server_with_client_in_their_names() {
    let called = Called::scripted(Way::Layer).await;
    let steps = script([drain()], [send(), send()]);
    let more = tokio_stream::iter([steps, script([], []), script([], [])]);
    let mut replies = called.client.chat(more).await.unwrap().into_inner();
    while replies.message().await.unwrap().is_some() {}
    let scrape = called.scrape();
    let value = |name: &str| scrape.value(name, &LABELS);
    let of_code = [LABELS[0], LABELS[1], ("code", "0")];
    assert_eq!(scrape.value("grpc_client_requests_total", &of_code), Some(1.0));
    assert_eq!(value("grpc_client_request_duration_seconds_count"), Some(1.0));
    assert_eq!(value("grpc_client_in_flight_requests"), Some(0.0));
    assert_eq!(value("grpc_client_stream_messages_sent_total"), Some(3.0));
    assert_eq!(value("grpc_client_stream_messages_received_total"), Some(2.0));
    let kind = [LABELS[0], LABELS[1], ("type", "bidi_stream")];
    assert_eq!(scrape.value("grpc_client_method_info", &kind), Some(1.0), "of the attribute");
    // A fault starts at 0, as on the server.
    let fault = [LABELS[0], LABELS[1], ("code", "14")];
    assert_eq!(scrape.value("grpc_client_requests_total", &fault), Some(0.0));
}

#[tokio::test]
async fn l2_requests_that_name_no_method_are_other() {
    let called = Called::scripted(Way::Layer).await;
    let channel = called.server.connect().await;
    let layer = called.metrics.client_layer();
    let service = tower::ServiceBuilder::new().layer(layer).service(channel);
    for path in ["/a/B", "/a/C"] {
        let uri = format!("http://{}{path}", called.server.address());
        let request = http::Request::post(uri)
            .header("content-type", "application/grpc")
            .body(tonic::body::Body::empty())
            .unwrap();
        service.clone().oneshot(request).await.unwrap();
    }
    let snapshot = called.metrics.snapshot();
    let [other] = snapshot.client_methods() else { panic!("one method: {snapshot:?}") };
    assert_eq!((other.service(), other.method()), ("other", "other"));
    assert_eq!(other.requests(Code::Unimplemented), 2);
    let infos = called.scrape();
    assert_eq!(infos.label_values("grpc_client_method_info", "service").len(), 0);
}

/// A program may make a layer for each connection.
#[tokio::test]
async fn l2_layers_share_the_names_of_methods() {
    let mut names = Vec::new();
    for _ in 0..2 {
        let called = Called::scripted(Way::Layer).await;
        called.call(Kind::Unary, Request::new(script([], []))).await.unwrap();
        names.push(called.method(Kind::Unary).method().as_ptr());
    }
    assert_eq!(names[0], names[1]);
}

#[tokio::test]
async fn l5_a_target_tells_upstreams_apart() {
    let called = Called::scripted(Way::Layer).await;
    let request = || Request::new(script([], []));
    called.call(Kind::Unary, request()).await.unwrap();
    for (target, calls) in [("eu", 1), ("us", 2)] {
        let layer = called.metrics.client_layer().target(target);
        let channel = called.server.connect().await;
        let service = tower::ServiceBuilder::new().layer(layer).service(channel);
        let mut client = support::pb::scripted_client::ScriptedClient::new(service);
        for _ in 0..calls {
            client.unary(request()).await.unwrap();
        }
    }
    let scrape = called.scrape();
    let unary = [("service", SERVICE), ("method", "Unary"), ("code", "0")];
    let of_target = |target| {
        let labels: Vec<_> = unary.into_iter().chain([("target", target)]).collect();
        scrape.value("grpc_client_requests_total", &labels)
    };
    assert_eq!([of_target("eu"), of_target("us")], [Some(1.0), Some(2.0)]);
    assert_eq!(called.method(Kind::Unary).target(), None, "the first is the one without");
    assert_eq!(called.method(Kind::Unary).requests(Code::Ok), 1);
}

/// The text is what `prometheus` itself would write.
#[tokio::test]
async fn l1_l5_the_text_is_that_of_the_text_encoder() {
    let called = Called::scripted(Way::Layer).await;
    for target in ["eu", "a", ""] {
        let layer = called.metrics.client_layer().target(target);
        let service =
            tower::ServiceBuilder::new().layer(layer).service(called.server.connect().await);
        let mut client = support::pb::scripted_client::ScriptedClient::new(service);
        client.unary(Request::new(script([], []))).await.unwrap();
    }
    called.call(Kind::Upload, Request::new(script([], []))).await.unwrap();
    assert_eq!(called.metrics.encode().unwrap(), called.encoded_by_prometheus());
}
