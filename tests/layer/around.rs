//! Other layers between the server layer and the service, and two server layers.

use std::convert::Infallible;
use std::fmt;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use http_body_util::{BodyExt, Full, StreamBody};
use support::clients::{self, Kind};
use support::pb::scripted_server::Scripted as _;
use support::script::{fail, gate, hang, script, send};
use support::scripted::SERVICE;
use support::wait::{until, until_eq};
use tokio_stream::pending;
use tonic::body::Body;
use tonic::service::Routes;
use tonic::{Code, Request, Status};
use tower::util::{MapFutureLayer, MapResponseLayer};
use tower::{Layer, ServiceExt, service_fn};

use super::served::{Served, scripted};

type Answer = http::Response<Body>;
type BoxError = Box<dyn std::error::Error + Send + Sync>;

#[tokio::test]
async fn k2_of_two_layers_the_outer_one_counts() {
    let served = Served::by(|layer, routes, incoming, stopped| async {
        let mut server = tonic::transport::Server::builder().layer(layer.clone()).layer(layer);
        server.add_routes(routes).serve_with_incoming_shutdown(incoming, stopped).await
    })
    .await;
    let running = served.spawn(Request::new(script([gate()], [])));
    until_eq(|| served.stage.waiting(), 1).await;
    assert_eq!(served.in_flight(), 1);
    served.stage.let_through(1);
    running.await.expect("no panic");
    assert_eq!(served.ended(), [("Unary", Code::Ok, 1)]);
    served.send_grpc("/invented.Service/Get", b"").await;
    assert_eq!(served.requests("other", "other", Code::Unimplemented), 1);
    served.assert_settled();
}

/// Answers every request in the service's stead.
async fn answering(answer: impl Fn() -> Answer + Clone + Send + Sync + 'static) -> Served {
    let answer = MapResponseLayer::new(move |_: Answer| answer());
    Served::by(|layer, routes, incoming, stopped| async {
        let mut server = tonic::transport::Server::builder().layer(layer).layer(answer);
        server.add_routes(routes).serve_with_incoming_shutdown(incoming, stopped).await
    })
    .await
}

async fn unary(served: &Served) -> Code {
    clients::call(&served.channel, Kind::Unary, Request::new(script([], []))).await.code()
}

#[tokio::test]
async fn k1_a_body_that_ends_without_a_status_is_unknown() {
    let served = answering(|| {
        http::Response::new(Body::new(Full::new("what is this?".into()).map_err(never)))
    })
    .await;
    unary(&served).await;
    until(|| served.in_flight(), |n| *n == 0).await;
    assert_eq!(served.ended(), [("Unary", Code::Unknown, 1)]);
    served.assert_settled();
}

fn never(never: Infallible) -> Status {
    match never {}
}

/// hyper resets the stream, whatever the error is.
#[tokio::test]
async fn k1_an_error_of_the_body_counts_as_the_client_has_it() {
    let served = answering(|| {
        let body = StreamBody::new(tokio_stream::iter([
            Ok(http_body::Frame::data(bytes::Bytes::from_static(b"\0\0\0\0\0"))),
            Err(Status::not_found("the rest of it")),
        ]));
        http::Response::new(Body::new(body))
    })
    .await;
    let code = unary(&served).await;
    until(|| served.in_flight(), |n| *n == 0).await;
    assert_eq!(served.ended(), [("Unary", code, 1)]);
    served.assert_settled();
}

/// tonic answers with the status in the error, and resets the stream if there is none.
#[tokio::test]
async fn k3_an_error_of_a_layer_counts_as_the_client_has_it() {
    for (is_status, expected) in [(true, Code::ResourceExhausted), (false, Code::Internal)] {
        let fail = tower::util::ThenLayer::new(move |_: Result<Answer, Infallible>| async move {
            let status = Status::resource_exhausted("later");
            let error: BoxError = if is_status { status.into() } else { "broken".into() };
            Err::<Answer, _>(error)
        });
        let served = Served::by(|layer, routes, incoming, stopped| async {
            let mut server = tonic::transport::Server::builder().layer(layer).layer(fail);
            server.add_routes(routes).serve_with_incoming_shutdown(incoming, stopped).await
        })
        .await;
        assert_eq!(unary(&served).await, expected);
        until(|| served.in_flight(), |n| *n == 0).await;
        assert_eq!(served.ended(), [("Unary", expected, 1)]);
        served.assert_settled();
    }
}

/// An error of a layer, with the status that is its cause.
#[derive(Debug, thiserror::Error)]
#[error("too busy")]
struct Busy(#[source] Status);

/// Layers around this one see the status that the code is taken from, and any other error as it is.
#[tokio::test]
async fn k11_a_status_takes_the_place_of_the_error_that_it_is_found_in() {
    let (_registry, metrics) = support::bed::own_metrics(|builder| builder);
    let fail = async |error: fn() -> BoxError| {
        let failing = service_fn(move |_| async move { Err::<Answer, _>(error()) });
        let request = http::Request::post("/testing.v1.Scripted/Unary");
        let request =
            request.header("content-type", "application/grpc").body(Body::empty()).expect("legal");
        let answer = metrics.server_layer().layer(failing).oneshot(request).await;
        answer.map(drop).expect_err("an error")
    };
    let error = fail(|| Busy(Status::resource_exhausted("later")).into()).await;
    let status = error.downcast_ref::<Status>().expect("a status");
    assert_eq!((status.code(), status.message()), (Code::ResourceExhausted, "later"));
    let error = fail(|| fmt::Error.into()).await;
    assert!(error.is::<fmt::Error>(), "{error:?}");
    let snapshot = metrics.snapshot();
    let unary = snapshot.method(SERVICE, "Unary").expect("an instrumented method");
    let codes = [Code::ResourceExhausted, Code::Internal].map(|code| unary.requests(code));
    assert_eq!((codes, unary.finished()), ([1, 1], 2));
}

/// `Server::timeout` ends with the response's headers.
#[tokio::test]
async fn k8_a_stream_is_not_under_the_server_s_timeout() {
    let timeout = Duration::from_millis(1);
    let (served, time) = Served::timed(|layer| layer.server_timeout(timeout)).await;
    let request = Request::new(script([], [send(), hang()]));
    let opened = clients::open(&served.channel, Kind::Watch, request).await;
    let mut stream = opened.expect("a stream").into_inner();
    stream.message().await.expect("no error").expect("a message");
    time.increment(timeout);
    drop(stream);
    until(|| served.in_flight(), |n| *n == 0).await;
    assert_eq!(served.requests(SERVICE, "Watch", Code::Cancelled), 1);
    served.assert_settled();
}

/// A layer that asks another service in the program, before the handler is called.
#[tokio::test]
async fn k2_a_handler_that_a_layer_calls_counts_by_itself() {
    let served = Served::with(
        |layer| layer,
        |metrics, stage| {
            let asked =
                support::scripted::Scripted { metrics: metrics.clone(), stage: stage.clone() };
            let ask = MapFutureLayer::new(move |handled| {
                let asked = asked.clone();
                async move {
                    asked.unary(Request::new(script([], []))).await.expect("it answers");
                    let answer: Result<http::Response<_>, Infallible> = handled.await;
                    answer
                }
            });
            let router = Routes::new(scripted(metrics, stage)).into_axum_router();
            Routes::from(router.layer(ask))
        },
    )
    .await;
    let request = Request::new(script([fail(Code::NotFound)], []));
    let seen = clients::call(&served.channel, Kind::Upload, request).await;
    assert_eq!(seen.code(), Code::NotFound);
    assert_eq!(served.ended(), [("Unary", Code::Ok, 1), ("Upload", Code::NotFound, 1)]);
    served.assert_settled();
}

/// As in an RPC, a panic that began elsewhere is not the RPC's.
#[tokio::test]
async fn k1_an_rpc_that_is_dropped_by_a_panic_elsewhere_is_cancelled() {
    let (_registry, metrics) = support::bed::own_metrics(|builder| builder);
    let request = || {
        let request = http::Request::post("/testing.v1.Scripted/Watch");
        request.header("content-type", "application/grpc").body(Body::empty()).expect("legal")
    };
    let hanging = service_fn(|_| std::future::pending::<Result<Answer, Infallible>>());
    let open = service_fn(|_| async {
        let messages = pending::<Result<http_body::Frame<bytes::Bytes>, Status>>();
        Ok::<_, Infallible>(http::Response::new(Body::new(StreamBody::new(messages))))
    });
    let mut called = Box::pin(metrics.server_layer().layer(hanging).oneshot(request()));
    let waker = &mut std::task::Context::from_waker(std::task::Waker::noop());
    assert!(called.as_mut().poll(waker).is_pending());
    let answered = metrics.server_layer().layer(open).oneshot(request()).await;
    let dropped = std::panic::catch_unwind(AssertUnwindSafe(|| {
        let _dropped = (called, answered.expect("an answer"));
        std::panic::resume_unwind(Box::new(()));
    }));
    assert!(dropped.is_err());
    let snapshot = metrics.snapshot();
    let watch = snapshot.method(SERVICE, "Watch").expect("an instrumented method");
    assert_eq!((watch.requests(Code::Cancelled), watch.finished()), (2, 2));
}

/// axum takes layers whose errors are those of its routes: none.
#[tokio::test]
async fn k12_a_router_of_axum_takes_the_layer() {
    let served = Served::by(|layer, routes, incoming, stopped| async {
        let router = routes.into_axum_router().layer(layer);
        let mut server = tonic::transport::Server::builder();
        let server = server.add_routes(Routes::from(router));
        server.serve_with_incoming_shutdown(incoming, stopped).await
    })
    .await;
    assert_eq!(unary(&served).await, Code::Ok);
    served.send_grpc("/testing.v1.Scripted/Unary", &[0xff; 3]).await;
    served.send_grpc("/invented.Service/Get", b"").await;
    assert_eq!(served.ended(), [("Unary", Code::Ok, 1), ("Unary", Code::Internal, 1)]);
    assert_eq!(served.requests("other", "other", Code::Unimplemented), 1);
    served.assert_settled();
}
