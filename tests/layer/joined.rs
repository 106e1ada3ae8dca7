//! The layer and the handler are one RPC.

use std::time::Duration;

use grpc_metrics_runtime::{GrpcMetrics, MethodSnapshot, RequestGuard, server_layer};
use support::clients::{self, Kind};
use support::faults::panic_id;
use support::pb::scripted_server::{self, Scripted as _, ScriptedServer};
use support::pb::{Reply, Script};
use support::script::{fail, gate, hang, panics, script, send};
use support::scripted::SERVICE;
use support::wait::{until, until_eq};
use tokio::sync::Semaphore;
use tonic::service::{InterceptorLayer, LayerExt, Routes};
use tonic::{Code, Request, Response, Status, Streaming};
use tower::ServiceBuilder;

use super::served::{Served, scripted};

async fn call_all(served: &Served) {
    for kind in Kind::ALL {
        let ok = script([], [send()]);
        let seen = clients::call(&served.channel, kind, Request::new(ok)).await;
        assert_eq!(seen.code(), Code::Ok);
        let failing = script([fail(Code::NotFound)], []);
        let seen = clients::call(&served.channel, kind, Request::new(failing)).await;
        assert_eq!(seen.code(), Code::NotFound);
    }
}

fn assert_all_counted_once(served: &Served) {
    for kind in Kind::ALL {
        let requests = |code| served.requests(SERVICE, kind.method(), code);
        assert_eq!((requests(Code::Ok), requests(Code::NotFound)), (1, 1), "{kind:?}");
    }
    assert_eq!(served.ended().len(), 8);
    served.assert_settled();
}

#[tokio::test]
async fn k2_one_request_is_one_rpc() {
    let served = Served::scripted().await;
    call_all(&served).await;
    assert_all_counted_once(&served);
}

#[tokio::test]
async fn k2_an_interceptor_that_drops_extensions_breaks_nothing() {
    let served = Served::with(
        |layer| layer,
        |metrics, stage| {
            let forget = |mut request: Request<()>| -> Result<Request<()>, Status> {
                request.extensions_mut().clear();
                Ok(request)
            };
            let layer = ServiceBuilder::new().layer(InterceptorLayer::new(forget)).into_inner();
            Routes::new(layer.named_layer(scripted(metrics, stage)))
        },
    )
    .await;
    call_all(&served).await;
    assert_all_counted_once(&served);
}

/// The layer expects the service's RPCs in an instance, and its handler counts in another one.
#[tokio::test]
async fn k2_the_handler_says_which_instance_counts() {
    let (_registry, metrics) = support::bed::own_metrics(|builder| builder);
    let of_handler = metrics.clone();
    let served =
        Served::with(|layer| layer, move |_, stage| Routes::new(scripted(&of_handler, stage)))
            .await;
    let running = served.spawn(Request::new(script([gate()], [])));
    until_eq(|| served.stage.waiting(), 1).await;
    let of = |metrics: &GrpcMetrics| {
        let snapshot = metrics.snapshot();
        let unary = snapshot.method(SERVICE, "Unary").expect("an instrumented method").clone();
        (unary.started() - unary.finished(), unary.requests(Code::Ok))
    };
    assert_eq!((of(&served.metrics), of(&metrics)), ((0, 0), (1, 0)));
    served.stage.let_through(1);
    running.await.expect("no panic");
    assert_eq!((of(&served.metrics), of(&metrics)), ((0, 0), (0, 1)));
    served.assert_settled();
}

#[tokio::test]
async fn k1_an_rpc_runs_from_its_headers_and_has_its_deadline_from_there() {
    static GATE: Semaphore = Semaphore::const_new(0);
    let served = Served::with(
        |layer| layer,
        |metrics, stage| {
            let wait = tower::util::MapFutureLayer::new(|handled| async move {
                // A queue in front of the service.
                GATE.acquire().await.expect("it stays open").forget();
                let answer: Result<http::Response<_>, std::convert::Infallible> = handled.await;
                answer
            });
            let router = Routes::new(scripted(metrics, stage)).into_axum_router();
            Routes::from(router.layer(wait))
        },
    )
    .await;
    let call = |timeout: Option<Duration>| {
        let mut request = Request::new(script([], []));
        if let Some(timeout) = timeout {
            request.set_timeout(timeout);
        }
        served.spawn(request)
    };
    let waiting = call(None);
    until_eq(|| served.in_flight(), 1).await;
    assert_eq!(served.stage.entered(), 0);
    GATE.add_permits(1);
    assert_eq!(waiting.await.expect("no panic").code(), Code::Ok);
    // One that waits until it is too late.
    call(Some(Duration::from_millis(500))).await.expect("no panic");
    until(|| served.in_flight(), |n| *n == 0).await;
    assert_eq!(served.ended(), [("Unary", Code::Ok, 1), ("Unary", Code::DeadlineExceeded, 1)]);
    assert_eq!(served.stage.entered(), 1);
    served.assert_settled();
}

#[tokio::test]
async fn k2_a_panic_is_the_end() {
    let served = Served::scripted().await;
    for kind in Kind::ALL {
        let request = Request::new(script([panics(panic_id())], []));
        clients::call(&served.channel, kind, request).await;
        until(|| served.in_flight(), |n| *n == 0).await;
    }
    for kind in Kind::ALL {
        assert_eq!(served.requests(SERVICE, kind.method(), Code::Unknown), 1, "{kind:?}");
    }
    assert_eq!(served.ended().len(), 4);
}

#[tokio::test]
async fn k8_the_server_s_timeout_counts_as_a_deadline_if_the_layer_is_told() {
    const TIMEOUT: Duration = Duration::from_millis(50);
    const BEFORE: Duration = Duration::from_millis(49);
    let (served, time) = Served::timed(|layer| layer.server_timeout(TIMEOUT)).await;
    // Not by the server's own timer: the layer sees of it what is dropped after that time.
    for (n, lasted) in [(1, BEFORE), (2, TIMEOUT)] {
        let call = served.spawn(Request::new(script([hang()], [])));
        until_eq(|| served.stage.waiting(), n).await;
        time.increment(lasted);
        call.abort();
        until(|| served.in_flight(), |n| *n == 0).await;
    }
    let ended = [("Unary", Code::Cancelled, 1), ("Unary", Code::DeadlineExceeded, 1)];
    assert_eq!(served.ended(), ended);
}

/// A handler that is called by another one counts by itself, and so does one that no layer is around.
#[tokio::test]
async fn k2_handlers_called_otherwise_count_by_themselves() {
    let served = Served::scripted().await;
    let _global = server_layer();
    let service = support::scripted::Scripted {
        metrics: served.metrics.clone(),
        stage: served.stage.clone(),
    };
    service.unary(Request::new(script([], []))).await.expect("it answers");
    assert_eq!(served.ended(), [("Unary", Code::Ok, 1)]);
    served.assert_settled();
}

/// A service by hand, whose RPCs have guards.
#[derive(Clone)]
struct ByHand(GrpcMetrics);

#[tonic::async_trait]
impl scripted_server::Scripted for ByHand {
    async fn unary(&self, request: Request<Script>) -> Result<Response<Reply>, Status> {
        let builder = RequestGuard::builder("by.Hand", "Unary").metrics(&self.0);
        let guard = builder.request(&request).start();
        guard.complete_with_cause(Code::NotFound, "no_row");
        Err(Status::not_found("no such row"))
    }

    async fn upload(&self, _: Request<Streaming<Script>>) -> Result<Response<Reply>, Status> {
        Err(Status::unimplemented("not here"))
    }

    type WatchStream = tokio_stream::Empty<Result<Reply, Status>>;

    async fn watch(&self, _: Request<Script>) -> Result<Response<Self::WatchStream>, Status> {
        Err(Status::unimplemented("not here"))
    }

    type ChatStream = tokio_stream::Empty<Result<Reply, Status>>;

    async fn chat(
        &self,
        _: Request<Streaming<Script>>,
    ) -> Result<Response<Self::ChatStream>, Status> {
        Err(Status::unimplemented("not here"))
    }
}

#[tokio::test]
async fn k2_a_guard_for_the_request_takes_the_rpc_over() {
    let served = Served::with(
        |layer| layer,
        |metrics, _| Routes::new(ScriptedServer::new(ByHand(metrics.clone()))),
    )
    .await;
    clients::call(&served.channel, Kind::Unary, Request::new(script([], []))).await;
    assert_eq!(served.requests("by.Hand", "Unary", Code::NotFound), 1);
    let snapshot = served.metrics.snapshot();
    let errors = snapshot.method("by.Hand", "Unary").expect("its guard").errors().to_vec();
    let errors: Vec<_> =
        errors.iter().map(|error| (error.code, error.cause, error.count)).collect();
    assert_eq!(errors, [(Code::NotFound, "no_row", 1)]);
    let finished: u64 = snapshot.methods().iter().map(MethodSnapshot::finished).sum();
    assert_eq!(finished, 1);
    served.assert_settled();
}
