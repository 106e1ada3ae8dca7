//! Contract, sections B and F: clients that go away, connections that are lost, servers that end, deadlines
//! that pass, and panics.

use std::any::Any;
use std::time::Duration;

use support::clients::{self, Kind};
use support::faults::{Proxy, panic_id, panics_of};
use support::pb::scripted_client::ScriptedClient;
use support::pb::scripted_server::ScriptedServer;
use support::script::{
    Script, block, drain, fail, gate, hang, panics, panics_in_drop, script, send,
};
use support::scripted::Scripted;
use support::server::{Server, connect};
use support::wait::until_eq;
use tokio_stream::{StreamExt, iter, pending};
use tonic::body::Body;
use tonic::metadata::MetadataValue;
use tonic::service::Routes;
use tonic::{Code, Request, Status};
use tower_http::catch_panic::CatchPanicLayer;

use super::Bed;

#[tokio::test]
async fn b6_client_is_gone_while_the_handler_runs() {
    let bed = Bed::new().await;
    for (kind, n) in Kind::ALL.into_iter().zip(1..) {
        let call = bed.spawn(kind, script([hang()], []));
        bed.until_waiting(n).await;
        assert_eq!(bed.in_flight(kind), 1);
        call.abort();
    }
    bed.close(&Kind::ALL.map(|kind| (kind, Code::Cancelled, 1))).await;
}

/// tonic shows a handler that reads an upload which the client breaks off the end of the messages, and no
/// error. What the handler makes of it is the ending.
#[tokio::test]
async fn b1_an_upload_broken_off_is_what_its_handler_makes_of_it() {
    let bed = Bed::new().await;
    for (code, n) in [(Code::Ok, 1), (Code::DataLoss, 2)] {
        let after = (code != Code::Ok).then(|| fail(code));
        let script = script([drain()].into_iter().chain(after), []);
        let mut client = ScriptedClient::new(bed.channel.clone());
        let messages = iter([script]).chain(pending());
        let call = tokio::spawn(async move { client.upload(messages).await });
        bed.until_waiting(n).await;
        assert_eq!(bed.in_flight(Kind::Upload), 1);
        call.abort();
    }
    // The layer sees that the client is gone.
    let to_nobody = if bed.is_layered() { Code::Cancelled } else { Code::Ok };
    bed.close(&[(Kind::Upload, to_nobody, 1), (Kind::Upload, Code::DataLoss, 1)]).await;
}

#[tokio::test]
async fn b6_client_is_gone_amid_the_stream() {
    let bed = Bed::new().await;
    for kind in Kind::STREAMS {
        let opened = bed.open(kind, script([], [send(), hang()])).await;
        let mut stream = opened.unwrap().into_inner();
        stream.message().await.unwrap();
        assert_eq!(bed.in_flight(kind), 1);
        drop(stream);
    }
    bed.close(&Kind::STREAMS.map(|kind| (kind, Code::Cancelled, 1))).await;
}

#[tokio::test]
async fn b6_connection_is_lost_while_the_handler_runs() {
    let bed = Bed::new().await;
    let proxy = Proxy::to(bed.server.address()).await;
    let mut calls = Vec::new();
    for kind in Kind::ALL {
        let channel = connect(proxy.address()).await;
        calls.push(tokio::spawn(async move {
            clients::call(&channel, kind, Request::new(script([hang()], []))).await
        }));
    }
    bed.until_waiting(Kind::ALL.len()).await;
    proxy.cut();
    for call in calls {
        assert_ne!(call.await.unwrap().code(), Code::Ok);
    }
    bed.close(&Kind::ALL.map(|kind| (kind, Code::Cancelled, 1))).await;
}

#[tokio::test]
async fn b6_connection_is_lost_amid_the_stream() {
    let bed = Bed::new().await;
    let proxy = Proxy::to(bed.server.address()).await;
    let mut streams = Vec::new();
    for kind in Kind::STREAMS {
        let channel = connect(proxy.address()).await;
        let request = Request::new(script([], [send(), hang()]));
        let opened = clients::open(&channel, kind, request).await;
        let mut stream = opened.unwrap().into_inner();
        stream.message().await.unwrap();
        streams.push(stream);
    }
    bed.until_waiting(Kind::STREAMS.len()).await;
    proxy.cut();
    for mut stream in streams {
        assert!(stream.message().await.is_err());
    }
    bed.close(&Kind::STREAMS.map(|kind| (kind, Code::Cancelled, 1))).await;
}

#[tokio::test]
async fn b6_server_ends_with_rpcs_running() {
    let bed = Bed::new().await;
    let mut calls = Vec::new();
    for kind in Kind::ALL {
        calls.push(bed.spawn(kind, script([hang()], [])));
    }
    for kind in Kind::STREAMS {
        calls.push(bed.spawn(kind, script([], [send(), hang()])));
    }
    bed.until_waiting(calls.len()).await;
    let Bed { server, registry, .. } = bed;
    server.kill().await;
    for call in calls {
        assert_ne!(call.await.unwrap().code(), Code::Ok);
    }
    let scrape = support::scrape::Scrape::of(&registry);
    for (kind, n) in Kind::ALL.into_iter().zip([1.0, 1.0, 2.0, 2.0]) {
        let labels = [("method", kind.method()), ("code", "1")];
        let requests = scrape.value("grpc_server_requests_total", &labels);
        assert_eq!(requests, Some(n), "{kind:?}");
        assert_eq!(support::bed::in_flight(&scrape, kind), 0);
    }
    let all = support::bed::ledger(&scrape);
    assert_eq!(all.values().sum::<u64>(), 6, "{all:?}");
}

#[tokio::test]
async fn b6_graceful_shutdown_lets_rpcs_come_to_their_own_end() {
    let mut bed = Bed::new().await;
    let calls = Kind::ALL.map(|kind| bed.spawn(kind, script([gate()], [])));
    bed.until_waiting(calls.len()).await;
    bed.server.stop();
    bed.stage.open();
    for call in calls {
        assert_eq!(call.await.unwrap().code(), Code::Ok);
    }
    bed.server.stopped().await;
    bed.close(&Kind::ALL.map(|kind| (kind, Code::Ok, 1))).await;
}

fn with_timeout(script: Script, timeout: Duration) -> Request<Script> {
    let mut request = Request::new(script);
    request.set_timeout(timeout);
    request
}

/// Of tonic's timer on the server. Long enough for every request to have come to its handler by then.
const TIMEOUT: Duration = Duration::from_millis(600);

const HOUR: Duration = Duration::from_secs(3600);

#[tokio::test]
async fn b7_deadline_passes_in_the_handler() {
    let (bed, time) = Bed::with_clock(|builder| builder).await;
    let calls = Kind::ALL.map(|kind| {
        let request = with_timeout(script([hang()], []), TIMEOUT);
        bed.spawn_request(kind, request)
    });
    bed.until_waiting(calls.len()).await;
    time.increment(TIMEOUT);
    for call in calls {
        call.await.unwrap();
    }
    bed.close(&Kind::ALL.map(|kind| (kind, Code::DeadlineExceeded, 1))).await;
}

#[tokio::test]
async fn b7_deadline_passes_amid_the_stream() {
    let (bed, time) = Bed::with_clock(|builder| builder).await;
    let mut streams = Vec::new();
    for kind in Kind::STREAMS {
        let request = with_timeout(script([], [send(), hang()]), HOUR);
        let opened = clients::open(&bed.channel, kind, request).await;
        let mut stream = opened.unwrap().into_inner();
        stream.message().await.unwrap();
        streams.push(stream);
    }
    // tonic has no timer for streams; the client drops it when the time is up.
    time.increment(HOUR);
    drop(streams);
    bed.close(&Kind::STREAMS.map(|kind| (kind, Code::DeadlineExceeded, 1))).await;
}

#[tokio::test]
async fn b7_a_drop_before_the_deadline_is_cancelled() {
    let bed = Bed::new().await;
    for (kind, n) in Kind::ALL.into_iter().zip(1..) {
        let call = bed.spawn_request(kind, with_timeout(script([hang()], []), HOUR));
        bed.until_waiting(n).await;
        call.abort();
    }
    for kind in Kind::STREAMS {
        let request = with_timeout(script([], [send(), hang()]), HOUR);
        let opened = clients::open(&bed.channel, kind, request).await;
        opened.unwrap().into_inner().message().await.unwrap();
    }
    let handlers = Kind::ALL.map(|kind| (kind, Code::Cancelled, 1));
    let streams = Kind::STREAMS.map(|kind| (kind, Code::Cancelled, 1));
    bed.close(&[&handlers[..], &streams].concat()).await;
}

/// The header as a client may write it, of 600 ms; tonic's server ends the call by it.
async fn deadline_passes(request: impl Fn(&mut tonic::metadata::MetadataMap)) {
    let (bed, time) = Bed::with_clock(|builder| builder).await;
    let mut asking = Request::new(script([hang()], []));
    request(asking.metadata_mut());
    let call = bed.spawn_request(Kind::Unary, asking);
    bed.until_waiting(1).await;
    time.increment(TIMEOUT);
    bed.until_ended(&[(Kind::Unary, Code::DeadlineExceeded, 1)]).await;
    call.abort();
}

#[tokio::test]
async fn b7_a_plus_sign_before_the_timeout_is_read_as_tonic_reads_it() {
    deadline_passes(|metadata| {
        metadata.insert("grpc-timeout", MetadataValue::from_static("+600m"));
    })
    .await;
}

#[tokio::test]
async fn b7_the_timeout_is_found_among_many_headers() {
    deadline_passes(|metadata| {
        for i in 0..20 {
            let key = format!("x-header-{i}").parse::<tonic::metadata::AsciiMetadataKey>();
            metadata.insert(key.expect("a legal key"), MetadataValue::from_static("value"));
        }
        metadata.insert("grpc-timeout", MetadataValue::from_static("600m"));
    })
    .await;
}

#[tokio::test]
async fn b7_a_timeout_that_cannot_be_read_is_none() {
    let bed = Bed::new().await;
    let timeouts = ["soon", "0", "1s", "-1m", "1.5S"];
    for (timeout, n) in timeouts.into_iter().zip(1..) {
        let mut request = Request::new(script([hang()], []));
        let value = MetadataValue::from_static(timeout);
        request.metadata_mut().insert("grpc-timeout", value);
        let call = bed.spawn_request(Kind::Unary, request);
        bed.until_waiting(n).await;
        call.abort();
    }
    bed.close(&[(Kind::Unary, Code::Cancelled, 5)]).await;
}

#[tokio::test]
async fn b8_panic_in_the_handler() {
    let bed = Bed::new().await;
    for kind in Kind::ALL {
        let id = panic_id();
        let seen = bed.call(kind, script([panics(id)], [])).await;
        assert_ne!(seen.code(), Code::Ok);
        assert_eq!(panics_of(id), 1);
    }
    let expected = Kind::ALL.map(|kind| (kind, Code::Unknown, 1));
    bed.close(&expected).await;
}

#[tokio::test]
async fn b8_panic_in_the_stream() {
    let bed = Bed::new().await;
    for kind in Kind::STREAMS {
        let id = panic_id();
        let seen = bed.call(kind, script([], [send(), panics(id)])).await;
        assert_ne!(seen.code(), Code::Ok);
        assert_eq!(panics_of(id), 1);
    }
    bed.close(&Kind::STREAMS.map(|kind| (kind, Code::Unknown, 1))).await;
}

#[tokio::test]
async fn b8_panic_when_the_handler_is_dropped() {
    let bed = Bed::new().await;
    for (kind, n) in Kind::ALL.into_iter().zip(1..) {
        let id = panic_id();
        let call = bed.spawn(kind, script([panics_in_drop(id), hang()], []));
        bed.until_waiting(n).await;
        call.abort();
        until_eq(|| panics_of(id), 1).await;
    }
    bed.close(&Kind::ALL.map(|kind| (kind, Code::Unknown, 1))).await;
}

#[tokio::test]
async fn b8_panic_when_the_stream_is_dropped() {
    let bed = Bed::new().await;
    for kind in Kind::STREAMS {
        let id = panic_id();
        let script = script([], [panics_in_drop(id), send(), hang()]);
        let mut stream = bed.open(kind, script).await.unwrap().into_inner();
        stream.message().await.unwrap();
        drop(stream);
        until_eq(|| panics_of(id), 1).await;
    }
    bed.close(&Kind::STREAMS.map(|kind| (kind, Code::Unknown, 1))).await;
}

/// It had ended before: nothing is counted twice or otherwise.
#[tokio::test]
async fn b8_panic_when_a_stream_is_dropped_that_has_ended() {
    let bed = Bed::new().await;
    for kind in Kind::STREAMS {
        let id = panic_id();
        bed.call(kind, script([], [panics_in_drop(id)])).await;
        until_eq(|| panics_of(id), 1).await;
    }
    // tonic drops the stream before it sends the status, so that the client gets none.
    let code = if bed.is_layered() { Code::Unknown } else { Code::Ok };
    bed.close(&Kind::STREAMS.map(|kind| (kind, code, 1))).await;
}

#[tokio::test]
async fn f1_a_layer_that_catches_panics_gives_the_client_another_code() {
    let bed = Bed::new().await;
    let service = Scripted { metrics: bed.metrics.clone(), stage: bed.stage.clone() };
    let catch = CatchPanicLayer::custom(|_: Box<dyn Any + Send>| {
        Status::internal("caught").into_http::<Body>()
    });
    let router = Routes::new(ScriptedServer::new(service)).into_axum_router().layer(catch);
    let server = Server::start(Routes::from(router)).await;
    let channel = server.connect().await;
    for kind in Kind::ALL {
        let request = Request::new(script([panics(panic_id())], []));
        assert_eq!(clients::call(&channel, kind, request).await.code(), Code::Internal);
    }
    bed.close(&Kind::ALL.map(|kind| (kind, Code::Unknown, 1))).await;
}

#[tokio::test]
async fn b8_the_server_goes_on_after_a_panic() {
    let bed = Bed::new().await;
    bed.call(Kind::Unary, script([panics(panic_id())], [])).await;
    let seen = bed.call(Kind::Unary, script([], [])).await;
    assert_eq!(seen.code(), Code::Ok);
    bed.close(&[(Kind::Unary, Code::Unknown, 1), (Kind::Unary, Code::Ok, 1)]).await;
}

/// Calls a handler that holds its thread until the client is gone, and gives a stream then, which the
/// server finds nobody to send to.
async fn stream_for_nobody(
    bed: &Bed,
    kind: Kind,
    request: Request<Script>,
    before_the_abort: impl FnOnce(),
) {
    let waiting = bed.stage.waiting();
    let call = bed.spawn_request(kind, request);
    bed.until_waiting(waiting + 1).await;
    before_the_abort();
    call.abort();
    // Not sooner than its request is dropped.
    drop(call.await);
    // Over the same connection, so the server has heard of the abort when this returns.
    bed.call(Kind::Unary, script([], [])).await;
    bed.stage.unblock();
}

#[tokio::test]
async fn b9_response_stream_is_dropped_without_being_polled() {
    for kind in Kind::STREAMS {
        let bed = Bed::new().await;
        let request = Request::new(script([block()], [send()]));
        stream_for_nobody(&bed, kind, request, || ()).await;
        until_eq(|| bed.stage.dropped(), 1).await;
        assert_eq!(bed.stage.stream_polls(), 0);
        bed.close(&[(kind, Code::Cancelled, 1), (Kind::Unary, Code::Ok, 1)]).await;
    }
}

#[tokio::test]
async fn b9_response_stream_is_dropped_unpolled_after_the_deadline() {
    for kind in Kind::STREAMS {
        let (bed, time) = Bed::with_clock(|builder| builder).await;
        let request = with_timeout(script([block()], [send()]), HOUR);
        stream_for_nobody(&bed, kind, request, || time.increment(HOUR)).await;
        until_eq(|| bed.stage.dropped(), 1).await;
        assert_eq!(bed.stage.stream_polls(), 0);
        bed.close(&[(kind, Code::DeadlineExceeded, 1), (Kind::Unary, Code::Ok, 1)]).await;
    }
}

#[tokio::test]
async fn b13_the_client_is_told_cancelled_when_the_deadline_passes() {
    let (bed, time) = Bed::with_clock(|builder| builder).await;
    for (kind, n) in Kind::ALL.into_iter().zip(1..) {
        let call = bed.spawn_request(kind, with_timeout(script([hang()], []), TIMEOUT));
        bed.until_waiting(n).await;
        time.increment(TIMEOUT);
        let seen = call.await.unwrap();
        let failure = seen.failure.expect("no failure");
        assert_eq!(failure.code, Code::Cancelled);
        assert_eq!(failure.message, "Timeout expired");
    }
    bed.close(&Kind::ALL.map(|kind| (kind, Code::DeadlineExceeded, 1))).await;
}
