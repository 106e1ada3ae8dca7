//! What reaches no handler.

use std::collections::BTreeSet;

use bytes::Bytes;
use grpc_metrics_runtime::{GrpcMetrics, instrument_grpc};
use support::clients::{self, Kind};
use support::pb::scripted_server::ScriptedServer;
use support::script::{fail, script, send};
use support::scripted::{SERVICE, Scripted};
use support::shapes::pb::plain_server::{Plain, PlainServer};
use support::shapes::pb::streams_server::{self, Streams, StreamsServer};
use support::shapes::pb::{Answer, Ask};
use support::wait::until;
use tonic::body::Body;
use tonic::codegen::BoxStream;
use tonic::service::{InterceptorLayer, LayerExt, Routes};
use tonic::{Code, Request, Response, Status};
use tonic_health::pb::health_client::HealthClient;
use tonic_health::pb::{HealthCheckRequest, health_server};
use tower::ServiceBuilder;

use super::served::{Served, framed, scripted};

#[tokio::test]
async fn k3_a_message_that_can_t_be_decoded_counts_with_the_code_that_its_client_gets() {
    let served = Served::scripted().await;
    let code = served.send_grpc("/testing.v1.Scripted/Unary", &[0xff; 3]).await;
    assert_eq!(code, Some(Code::Internal));
    assert_eq!(served.ended(), [("Unary", Code::Internal, 1)]);
    assert_eq!(served.stage.entered(), 0);
    served.assert_settled();
}

#[tokio::test]
async fn k3_an_interceptor_s_rejection_counts_by_the_path() {
    let served = Served::with(
        |layer| layer,
        |metrics, stage| {
            let reject = |_: Request<()>| -> Result<Request<()>, Status> {
                Err(Status::unauthenticated("who are you?"))
            };
            let layer = ServiceBuilder::new().layer(InterceptorLayer::new(reject)).into_inner();
            Routes::new(layer.named_layer(scripted(metrics, stage)))
        },
    )
    .await;
    for kind in Kind::ALL {
        let seen = clients::call(&served.channel, kind, Request::new(script([], [send()]))).await;
        assert_eq!(seen.code(), Code::Unauthenticated);
    }
    for kind in Kind::ALL {
        assert_eq!(served.requests(SERVICE, kind.method(), Code::Unauthenticated), 1, "{kind:?}");
    }
    assert_eq!(served.ended().len(), 4);
    assert_eq!(served.stage.entered(), 0);
    served.assert_settled();
}

#[tokio::test]
async fn k3_a_message_over_the_limit_counts_in_either_direction() {
    let served = Served::with(
        |layer| layer,
        |metrics, stage| {
            let service = Scripted { metrics: metrics.clone(), stage: stage.clone() };
            let service = ScriptedServer::new(service).max_decoding_message_size(64);
            // A reply is two bytes.
            Routes::new(service.max_encoding_message_size(1))
        },
    )
    .await;
    let large = script([], std::iter::repeat_n(send(), 100));
    let seen = clients::call(&served.channel, Kind::Unary, Request::new(large)).await;
    assert_eq!(seen.code(), Code::OutOfRange);
    assert_eq!(served.stage.entered(), 0);
    for kind in [Kind::Unary, Kind::Watch] {
        let seen = clients::call(&served.channel, kind, Request::new(script([], [send()]))).await;
        assert_eq!(seen.code(), Code::OutOfRange, "{kind:?}");
    }
    assert_eq!(served.ended(), [("Unary", Code::OutOfRange, 2), ("Watch", Code::OutOfRange, 1)]);
    served.assert_settled();
}

#[tokio::test]
async fn k3_unknown_methods_and_services_are_one_series_whatever_they_are_called() {
    let served = Served::scripted().await;
    let before = served.scrape().series.len();
    for n in 0..500 {
        for path in
            [format!("/testing.v1.Scripted/Invented{n}"), format!("/invented.v{n}.Service/Get")]
        {
            assert_eq!(served.send_grpc(&path, b"").await, Some(Code::Unimplemented));
        }
    }
    assert_eq!(served.requests("other", "other", Code::Unimplemented), 1_000);
    assert_eq!(served.scrape().series.len(), before, "a new series");
    assert_eq!(served.ended(), []);
    served.assert_settled();
}

#[tokio::test]
async fn k4_unknown_paths_are_no_method_and_have_no_objective() {
    let served = Served::scripted().await;
    served.send_grpc("/invented.Service/Get", b"").await;
    let scrape = served.scrape();
    let of_other = scrape
        .series
        .keys()
        .filter(|(_, labels)| labels.get("service").is_some_and(|service| service == "other"));
    let names: BTreeSet<_> = of_other.map(|(name, _)| name.as_str()).collect();
    assert!(names.contains("grpc_server_requests_total"), "{names:?}");
    assert!(!names.contains("grpc_server_method_info"), "{names:?}");
    assert!(!names.iter().any(|name| name.contains("_slo_")), "{names:?}");
}

#[tokio::test]
async fn k3_a_service_without_an_attribute_counts_by_its_name() {
    let (_, health) = tonic_health::server::health_reporter();
    let served = Served::with(
        |layer| layer.service(health_server::SERVICE_NAME),
        |metrics, stage| Routes::new(scripted(metrics, stage)).add_service(health),
    )
    .await;
    let mut client = HealthClient::new(served.channel.clone());
    let service = String::new();
    client.check(HealthCheckRequest { service }).await.expect("it serves");
    let service = "nobody".to_owned();
    let status = client.check(HealthCheckRequest { service }).await.expect_err("no such service");
    assert_eq!(status.code(), Code::NotFound);
    for n in 0..200 {
        served.send_grpc(&format!("/grpc.health.v1.Health/Invented{n}"), b"").await;
    }
    let health = |code| served.requests(health_server::SERVICE_NAME, "Check", code);
    assert_eq!((health(Code::Ok), health(Code::NotFound)), (1, 1));
    assert_eq!(served.requests("other", "other", Code::Unimplemented), 200);
    let scrape = served.scrape();
    let methods = scrape.label_values("grpc_server_requests_total", "method");
    assert!(!methods.iter().any(|method| method.contains("Invented")), "{methods:?}");
    // Nothing says of which kind they are.
    let kinds = scrape.label_values("grpc_server_method_info", "service");
    assert!(!kinds.contains(health_server::SERVICE_NAME), "{kinds:?}");
    served.assert_settled();
}

/// A status of OK in the headers is an empty stream, if the method may be one.
#[tokio::test]
async fn k3_an_empty_answer_of_a_service_without_an_attribute_is_ok() {
    let empty = || async { Status::ok("").into_http::<Body>() };
    let router = axum::Router::new().route("/plain.Service/Watch", axum::routing::post(empty));
    let served =
        Served::with(|layer| layer.service("plain.Service"), |_, _| Routes::from(router)).await;
    for _ in 0..2 {
        let code = served.send_grpc("/plain.Service/Watch", b"").await;
        assert_eq!(code, Some(Code::Ok));
    }
    assert_eq!(served.requests("plain.Service", "Watch", Code::Ok), 2);
    served.assert_settled();
}

/// With the layer of grpc-web around that of the metrics.
async fn served_to_the_web() -> Served {
    Served::by(|layer, routes, incoming, stopped| async {
        let web = tonic_web::GrpcWebLayer::new();
        let mut server = tonic::transport::Server::builder().layer(web).layer(layer);
        server.add_routes(routes).serve_with_incoming_shutdown(incoming, stopped).await
    })
    .await
}

#[tokio::test]
async fn k9_inside_the_layer_of_grpc_web_an_rpc_counts_like_any_other() {
    let served = served_to_the_web().await;
    for script in [script([], []), script([fail(Code::NotFound)], [])] {
        let message = prost::Message::encode_to_vec(&script);
        let framed = framed(&message);
        served.send("/testing.v1.Scripted/Unary", "application/grpc-web+proto", framed).await;
    }
    until(|| served.in_flight(), |n| *n == 0).await;
    assert_eq!(served.ended(), [("Unary", Code::Ok, 1), ("Unary", Code::NotFound, 1)]);
    served.assert_settled();
}

/// The error comes out of the request's body, as it does when a client breaks off.
#[tokio::test]
async fn k9_inside_the_layer_of_grpc_web_malformed_base64_counts_as_broken_off() {
    let served = served_to_the_web().await;
    let malformed = Bytes::from_static(b"!!!!");
    let code =
        served.send("/testing.v1.Scripted/Unary", "application/grpc-web-text", malformed).await;
    assert_eq!(code, Some(Code::Internal));
    assert_eq!(served.ended(), [("Unary", Code::Cancelled, 1)]);
    assert_eq!(served.stage.entered(), 0);
    served.assert_settled();
}

#[tokio::test]
async fn k9_what_is_not_grpc_passes_uncounted() {
    let served = Served::scripted().await;
    let before = served.scrape().text;
    for content_type in
        ["application/json", "application/grpc-web", "application/grpcx", "text/plain"]
    {
        served.send("/testing.v1.Scripted/Unary", content_type, Bytes::from_static(b"{}")).await;
    }
    assert_eq!(served.scrape().text, before);
    for content_type in ["application/grpc+proto", "application/grpc;x=1", "application/grpc"] {
        served.send("/testing.v1.Scripted/Unary", content_type, Bytes::from_static(&[0; 5])).await;
    }
    assert_eq!(served.ended(), [("Unary", Code::Ok, 3)]);
    served.assert_settled();
}

pub(super) struct Half;

#[instrument_grpc(service = streams_server::SERVICE_NAME)]
#[tonic::async_trait]
impl Streams for Half {
    type ReadStream = BoxStream<Answer>;
    type TailStream = BoxStream<Answer>;

    async fn read(&self, _: Request<Ask>) -> Result<Response<Self::ReadStream>, Status> {
        Err(Status::not_found("nothing to read"))
    }

    #[skip_metrics]
    async fn tail(&self, _: Request<Ask>) -> Result<Response<Self::TailStream>, Status> {
        Err(Status::not_found("nothing to follow"))
    }
}

#[tokio::test]
async fn k5_skipped_methods_stay_unmeasured() {
    let served = Served::with(|layer| layer, |_, _| Routes::new(StreamsServer::new(Half))).await;
    let before = served.scrape().text;
    let tail = served.send_grpc("/testing.shapes.v1.Streams/Tail", b"").await;
    assert_eq!(tail, Some(Code::NotFound));
    assert_eq!(served.scrape().text, before);
    let read = served.send_grpc("/testing.shapes.v1.Streams/Read", b"").await;
    assert_eq!(read, Some(Code::NotFound));
    let global = GrpcMetrics::global().snapshot();
    let methods = global.methods().iter().filter(|of| of.service() == streams_server::SERVICE_NAME);
    let counted = methods.map(|of| (of.method(), of.requests(Code::NotFound)));
    assert_eq!(counted.collect::<Vec<_>>(), [("Read", 1)]);
}

struct Relabelled;

#[instrument_grpc(service = "relabelled")]
#[tonic::async_trait]
impl Plain for Relabelled {
    async fn first(&self, _: Request<Ask>) -> Result<Response<Answer>, Status> {
        Err(Status::not_found("no first"))
    }

    #[skip_metrics]
    async fn second(&self, _: Request<Ask>) -> Result<Response<Answer>, Status> {
        Err(Status::not_found("no second"))
    }
}

/// Nothing tells the layer the path that a label is for. A handler without the attribute doesn't, either.
#[tokio::test]
async fn k5_skipped_methods_of_a_service_under_another_label_are_other() {
    let served =
        Served::with(|layer| layer, |_, _| Routes::new(PlainServer::new(Relabelled))).await;
    for method in ["First", "Second"] {
        let path = format!("/testing.shapes.v1.Plain/{method}");
        assert_eq!(served.send_grpc(&path, b"").await, Some(Code::NotFound));
    }
    assert_eq!(served.requests("other", "other", Code::NotFound), 1);
    let global = GrpcMetrics::global().snapshot();
    let first = global.method("relabelled", "First").expect("an instrumented method");
    assert_eq!(first.requests(Code::NotFound), 1);
    served.assert_settled();
}
