//! Contract, section G: handlers that return errors of their own, and the causes that the metrics show.

mod derive;
mod errors;
mod services;

use std::error::Error as _;

use grpc_metrics_runtime::prometheus::{Registry, TextEncoder};
use grpc_metrics_runtime::{CodeLabel, GrpcMetrics, MethodSnapshot};
use support::shapes::pb::Ask;
use support::shapes::pb::shapes_client::ShapesClient;
use support::shapes::pb::shapes_server::ShapesServer;
use support::shapes::stubs::shapes_server::ShapesServer as StubsServer;
use support::shapes::{check_shapes, serve};
use tonic::service::Routes;
use tonic::transport::Channel;
use tonic::{Code, Status};

use errors::{AppError, StoreError};
use services::{ByQuestionMark, Nested, Own};

async fn client(service: Routes) -> ShapesClient<Channel> {
    ShapesClient::new(serve(service).await)
}

/// What asks for this error, see [`errors::fail`].
fn ask(error: u32) -> Ask {
    Ask { count: error, code: -1 }
}

async fn failure(client: &mut ShapesClient<Channel>, error: u32) -> Status {
    client.one(ask(error)).await.expect_err("an error was asked for")
}

/// All causes of a method, as code, cause and count.
fn causes(metrics: &GrpcMetrics, service: &str, method: &str) -> Vec<(Code, &'static str, u64)> {
    let counted = counted(metrics, service, method);
    // Never more than there are RPCs.
    for code in (0..=16).map(Code::from) {
        let known: u64 = counted
            .errors()
            .iter()
            .filter(|error| error.code == code)
            .map(|error| error.count)
            .sum();
        assert!(known <= counted.requests(code), "{code:?}");
    }
    counted.errors().iter().map(|error| (error.code, error.cause, error.count)).collect()
}

fn counted(metrics: &GrpcMetrics, service: &str, method: &str) -> MethodSnapshot {
    metrics.snapshot().method(service, method).expect("a method of the service").clone()
}

fn instance() -> GrpcMetrics {
    GrpcMetrics::builder().registry(&Registry::new()).build().expect("settings that are right")
}

#[tokio::test]
async fn g1_handlers_of_every_kind_return_errors_of_their_own() {
    check_shapes(Routes::new(ShapesServer::new(services::Converted)), "own.converted").await;
    for method in ["One", "Upload", "Watch", "Chat"] {
        let snapshot = GrpcMetrics::global().snapshot();
        let counted = snapshot.method("own.converted", method).expect("it was called");
        // Hand-written conversions have no cause that anybody could know.
        assert_eq!(counted.errors(), []);
    }
}

#[tokio::test]
async fn g3_clients_see_the_code_and_a_message_that_tells_nothing_of_the_inside() {
    let mut client = client(Routes::new(ShapesServer::new(Own(instance())))).await;
    for (error, code, message) in [
        (0, Code::NotFound, "no post 7"),
        (1, Code::AlreadyExists, "e-mail a@b.c is taken"),
        (2, Code::Internal, "storage failed"),
        (3, Code::ResourceExhausted, "slow down"),
        (4, Code::Internal, "Internal error"),
        (5, Code::Unknown, "Unknown error"),
        (6, Code::DataLoss, "Unrecoverable data loss or corruption"),
        (7, Code::Unavailable, "no disk"),
    ] {
        let status = failure(&mut client, error).await;
        assert_eq!((status.code(), status.message()), (code, message), "{error}");
        assert!(!format!("{status:?}").contains("secret"), "{status:?}");
    }
}

#[tokio::test]
async fn g3_a_status_that_passes_through_is_what_it_was() {
    let mut client = client(Routes::new(ShapesServer::new(Own(instance())))).await;
    let status = failure(&mut client, 3).await;
    assert_eq!(status.details(), b"details");
    let retry_after = status.metadata().get("retry-after").expect("it was set");
    assert_eq!(retry_after.as_bytes(), b"7");
}

#[tokio::test]
async fn g4_the_cause_is_the_variant_by_whichever_way_the_error_became_a_status() {
    let own = instance();
    let mut client_of_own = client(Routes::new(ShapesServer::new(Own(own.clone())))).await;
    let by_question_mark = instance();
    let service = ByQuestionMark(by_question_mark.clone());
    let mut other = client(Routes::new(ShapesServer::new(service))).await;
    for client in [&mut client_of_own, &mut other] {
        for error in [0, 0, 1, 2, 3, 7, 8, 9] {
            failure(client, error).await;
            let stream = client.watch(ask(error)).await.expect("it fails later").into_inner();
            assert!(drained(stream).await.is_err());
        }
        client.one(Ask { count: 1, code: 0 }).await.expect("nothing was asked for");
        client.chat(tokio_stream::iter([ask(0)])).await.expect_err("fails at once");
        client.upload(tokio_stream::iter([ask(0)])).await.expect_err("fails at once");
    }
    let expected = [
        (Code::NotFound, "no_account", 1),
        (Code::NotFound, "no_post", 2),
        (Code::AlreadyExists, "email", 1),
        (Code::ResourceExhausted, "upstream", 1),
        (Code::Internal, "db", 1),
        (Code::Unavailable, "db", 1),
        (Code::Unavailable, "disk_missing", 1),
    ];
    for (metrics, service) in [(&own, "own.own"), (&by_question_mark, "own.by_question_mark")] {
        // In the handler's result, and in its stream.
        for method in ["One", "Watch"] {
            assert_eq!(causes(metrics, service, method), expected, "{method}");
        }
        for method in ["Upload", "Chat"] {
            assert_eq!(
                causes(metrics, service, method),
                [(Code::NotFound, "no_post", 1)],
                "{method}"
            );
        }
    }
}

async fn drained(mut stream: tonic::Streaming<support::shapes::pb::Answer>) -> Result<(), Status> {
    while stream.message().await?.is_some() {}
    Ok(())
}

#[tokio::test]
async fn g4_an_error_inside_another_keeps_its_own_cause() {
    let metrics = instance();
    let mut client = client(Routes::new(StubsServer::new(Nested(metrics.clone())))).await;
    assert_eq!(failure(&mut client, 0).await.code(), Code::NotFound);
    assert_eq!(failure(&mut client, 3).await.code(), Code::ResourceExhausted);
    assert_eq!(failure(&mut client, 100).await.code(), Code::Aborted);
    assert_eq!(
        causes(&metrics, "own.nested", "One"),
        [
            (Code::NotFound, "no_post", 1),
            (Code::ResourceExhausted, "upstream", 1),
            (Code::Aborted, "conflict", 1)
        ]
    );
}

#[tokio::test]
async fn g1_a_conversion_that_panics_ends_the_rpc_as_a_panic_does() {
    let metrics = instance();
    let service = services::Panics(metrics.clone());
    let mut client = client(Routes::new(StubsServer::new(service))).await;
    let status = client.one(ask(0)).await.expect_err("its connection is gone");
    assert_ne!(status.message(), "");
    let counted = counted(&metrics, "own.panics", "One");
    assert_eq!((counted.requests(Code::Unknown), counted.started(), counted.finished()), (1, 1, 1));
}

#[tokio::test]
async fn g4_a_scrape_shows_causes_once_they_were_seen_and_codes_as_the_setting_has_it() {
    let registry = Registry::new();
    let metrics = GrpcMetrics::builder()
        .registry(&registry)
        .prefix("shop")
        .code_label(CodeLabel::Name)
        .build()
        .expect("settings that are right");
    let mut client = client(Routes::new(ShapesServer::new(Own(metrics.clone())))).await;
    client.one(Ask { count: 1, code: 0 }).await.expect("nothing was asked for");
    let family = |text: &str| -> Vec<String> {
        let lines = text.lines().filter(|line| line.starts_with("shop_errors_total"));
        lines.map(str::to_owned).collect()
    };
    assert!(family(&metrics.encode().expect("legal families")).is_empty());
    for error in [0, 2, 2] {
        failure(&mut client, error).await;
    }
    let text = metrics.encode().expect("legal families");
    assert_eq!(
        family(&text),
        [
            r#"shop_errors_total{service="own.own",method="One",code="INTERNAL",error="db"} 2"#,
            r#"shop_errors_total{service="own.own",method="One",code="NOT_FOUND",error="no_post"} 1"#,
        ]
    );
    let gathered = TextEncoder::new().encode_to_string(&registry.gather());
    assert_eq!(gathered.expect("legal families"), text);
}

#[test]
fn g3_the_error_itself_is_the_source_of_its_status() {
    let status = Status::from(AppError::Db(StoreError("secret".to_owned())));
    let source = status.source().and_then(|source| source.downcast_ref::<AppError>());
    let Some(error @ AppError::Db(_)) = source else { panic!("{status:?}") };
    assert_eq!(error.to_string(), "database: secret");
    assert_eq!(error.source().map(ToString::to_string), Some("secret".to_owned()));
}

#[test]
fn g3_a_status_that_passes_through_keeps_its_source() {
    let mut status = Status::resource_exhausted("slow down");
    status.set_source(std::sync::Arc::new(StoreError("deep inside".to_owned())));
    let passed = Status::from(AppError::Upstream(status));
    let first = passed.source().expect("it was set");
    let shown = [Some(first.to_string()), first.source().map(ToString::to_string)];
    let expected = ["upstream: slow down", "deep inside"].map(|shown| Some(shown.to_owned()));
    assert_eq!(shown, expected);
}

/// What the source is decides, and not what was converted before.
#[tokio::test]
async fn g4_a_status_by_hand_with_such_an_error_as_its_source_has_its_cause() {
    let metrics = instance();
    let mut client =
        client(Routes::new(ShapesServer::new(services::ByHand(metrics.clone())))).await;
    assert_eq!(failure(&mut client, 0).await.message(), "by hand");
    assert_eq!(causes(&metrics, "own.by_hand", "One"), [(Code::Internal, "never_converted", 1)]);
}

/// The client of an RPC that says `Ok` without a message gets INTERNAL, and the cause goes with it.
#[tokio::test]
async fn g4_an_error_that_says_ok_keeps_its_cause() {
    let metrics = instance();
    let mut client =
        client(Routes::new(ShapesServer::new(services::ByHand(metrics.clone())))).await;
    assert_eq!(failure(&mut client, 1).await.code(), Code::Internal);
    assert_eq!(causes(&metrics, "own.by_hand", "One"), [(Code::Internal, "never_converted", 1)]);
}

#[tokio::test]
async fn g1_a_conversion_in_a_stream_that_panics_ends_the_rpc_as_a_panic_does() {
    use support::shapes::pb::shapes_server::Shapes;
    use tokio_stream::StreamExt;
    support::faults::expect_panics();
    let metrics = instance();
    let service = services::ByHand(metrics.clone());
    let stream = service.watch(tonic::Request::new(ask(0))).await.expect("a stream");
    let mut stream = stream.into_inner();
    // Kept, so that it is not the drop that ends the RPC.
    let polled = tokio::task::LocalSet::new()
        .run_until(async move {
            let next = std::panic::AssertUnwindSafe(async { stream.next().await.is_some() });
            let caught = futures_catch(next).await;
            let counted = counted(&metrics, "own.by_hand", "Watch");
            (caught, counted.requests(Code::Unknown), counted.started(), counted.finished())
        })
        .await;
    assert_eq!(polled, (None, 1, 1, 1));
}

/// What the future gives, or `None` if it panics.
async fn futures_catch<F: Future>(future: F) -> Option<F::Output> {
    let mut future = Box::pin(future);
    std::future::poll_fn(|cx| {
        let poll = || future.as_mut().poll(cx);
        match std::panic::catch_unwind(std::panic::AssertUnwindSafe(poll)) {
            Ok(polled) => polled.map(Some),
            Err(_) => std::task::Poll::Ready(None),
        }
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn g4_causes_are_exact_and_never_more_than_rpcs_while_threads_count() {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    use support::shapes::pb::shapes_server::Shapes;

    let metrics = instance();
    let done = Arc::new(AtomicBool::new(false));
    let scraper = std::thread::spawn({
        let (metrics, done) = (metrics.clone(), Arc::clone(&done));
        move || {
            let mut scrapes = 0;
            while !done.load(Ordering::Relaxed) {
                // Asserts that there are no more causes than RPCs.
                causes(&metrics, "own.own", "One");
                scrapes += 1;
            }
            scrapes
        }
    });
    let callers = (0..4).map(|_| {
        let service = Own(metrics.clone());
        tokio::spawn(async move {
            for error in [0, 2, 8].repeat(500) {
                let answer = service.one(tonic::Request::new(ask(error))).await;
                assert!(answer.is_err());
            }
        })
    });
    for caller in callers.collect::<Vec<_>>() {
        caller.await.expect("no panic");
    }
    done.store(true, Ordering::Relaxed);
    assert!(scraper.join().expect("no panic") > 0);
    assert_eq!(
        causes(&metrics, "own.own", "One"),
        [
            (Code::NotFound, "no_account", 2_000),
            (Code::NotFound, "no_post", 2_000),
            (Code::Internal, "db", 2_000)
        ]
    );
}
