//! Contract, sections B and F: what is seen best without a server. Handlers are called as unit tests call them.

use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use grpc_metrics_runtime::prometheus::Registry;
use grpc_metrics_runtime::{GrpcMetrics, GrpcMetricsBuilder, ResponseStream};
use quanta::{Clock, Mock};
use support::bed::{assert_consistent, ledger, own_metrics};
use support::clients::Kind;
use support::faults::{expect_panics, panic_id};
use support::pb::scripted_server::Scripted as _;
use support::pb::{Reply, Script};
use support::scrape::Scrape;
use support::script::{fail, hang, panics, panics_in_drop, script, send, wait};
use support::scripted::{SERVICE, Scripted, ScriptedStream, panic_message};
use support::stage::Stage;
use support::wait::until;
use tokio::time::advance;
use tokio_stream::{Stream, StreamExt};
use tonic::body::Body;
use tonic::metadata::MetadataValue;
use tonic::{Code, Request, Streaming};
use tonic_prost::ProstDecoder;

struct Direct {
    service: Scripted,
    metrics: GrpcMetrics,
    registry: Registry,
}

impl Direct {
    fn new() -> Self {
        Self::with(|builder| builder)
    }

    /// With a clock that stands still unless the test moves it.
    fn with_clock() -> (Self, Arc<Mock>) {
        let (clock, time) = Clock::mock();
        (Self::with(|builder| builder.clock(clock)), time)
    }

    fn with(settings: impl FnOnce(GrpcMetricsBuilder) -> GrpcMetricsBuilder) -> Self {
        expect_panics();
        let (registry, metrics) = own_metrics(settings);
        let service = Scripted { metrics: metrics.clone(), stage: Stage::default() };
        Self { service, metrics, registry }
    }

    /// Asserts that RPCs of this method have ended with these codes, and all others not begun.
    fn assert_ended(&self, kind: Kind, codes: &[(Code, u64)]) {
        let scrape = Scrape::of(&self.registry);
        let expected = codes.iter().map(|(code, n)| {
            let labels = (kind.method().to_owned(), i32::from(*code).to_string());
            (labels, *n)
        });
        assert_eq!(ledger(&scrape), expected.collect(), "{}", scrape.text);
        assert_consistent(&scrape);
        for method in self.metrics.snapshot().methods() {
            assert_eq!(method.started(), method.finished(), "{method:?}");
        }
    }

    fn in_flight(&self, kind: Kind) -> u64 {
        let snapshot = self.metrics.snapshot();
        let method = snapshot.method(SERVICE, kind.method()).unwrap();
        method.started().checked_sub(method.finished()).expect("no more have ended than started")
    }

    async fn watch(&self, script: Script) -> ResponseStream<ScriptedStream> {
        let watched = self.service.watch(Request::new(script)).await;
        watched.unwrap().into_inner()
    }
}

/// A request whose stream has no message.
fn no_messages() -> Request<Streaming<Script>> {
    let decoder = ProstDecoder::default();
    Request::new(Streaming::new_request(decoder, Body::empty(), None, None))
}

fn poll<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    Pin::new(future).poll(&mut Context::from_waker(Waker::noop()))
}

fn poll_next<S: Stream + Unpin>(stream: &mut S) -> Poll<Option<S::Item>> {
    Pin::new(stream).poll_next(&mut Context::from_waker(Waker::noop()))
}

fn panic_of(what: impl FnOnce()) -> String {
    let payload = catch_unwind(AssertUnwindSafe(what)).expect_err("no panic");
    *payload.downcast::<String>().expect("another payload")
}

#[test]
fn b10_a_future_that_is_dropped_without_being_polled_is_no_rpc() {
    let direct = Direct::new();
    let before = Scrape::of(&direct.registry);
    drop(direct.service.unary(Request::new(script([], []))));
    drop(direct.service.upload(no_messages()));
    drop(direct.service.watch(Request::new(script([], []))));
    drop(direct.service.chat(no_messages()));
    assert_eq!(Scrape::of(&direct.registry), before);
    for method in direct.metrics.snapshot().methods() {
        assert_eq!(method.started(), 0, "{method:?}");
    }
}

#[test]
fn b10_an_rpc_starts_with_the_first_poll() {
    let direct = Direct::new();
    let mut future = direct.service.unary(Request::new(script([hang()], [])));
    assert_eq!(direct.in_flight(Kind::Unary), 0);
    for _ in 0..3 {
        assert!(poll(&mut future).is_pending());
        assert_eq!(direct.in_flight(Kind::Unary), 1);
    }
    drop(future);
    direct.assert_ended(Kind::Unary, &[(Code::Cancelled, 1)]);
}

#[test]
fn b6_a_future_that_is_dropped_unfinished() {
    let direct = Direct::new();
    let mut future = direct.service.watch(Request::new(script([hang()], [])));
    assert!(poll(&mut future).is_pending());
    drop(future);
    direct.assert_ended(Kind::Watch, &[(Code::Cancelled, 1)]);
}

fn with_timeout(script: Script, timeout: Duration) -> Request<Script> {
    let mut request = Request::new(script);
    request.set_timeout(timeout);
    request
}

/// The hours that tokio lets pass at once are none: neither for the duration nor for the deadline.
#[tokio::test(start_paused = true)]
async fn f2_the_paused_clock_of_tokio_is_not_seen() {
    const HOUR: Duration = Duration::from_secs(3600);
    let direct = Direct::new();
    let millis = u32::try_from(HOUR.as_millis()).unwrap();
    direct.service.unary(Request::new(script([wait(millis)], []))).await.unwrap();
    let snapshot = direct.metrics.snapshot();
    let seconds = snapshot.method(SERVICE, Kind::Unary.method()).unwrap().duration_sum();
    assert!(seconds < HOUR.as_secs_f64(), "{seconds}");

    let request = with_timeout(script([hang()], []), HOUR);
    let mut future = direct.service.unary(request);
    assert!(poll(&mut future).is_pending());
    advance(2 * HOUR).await;
    drop(future);
    direct.assert_ended(Kind::Unary, &[(Code::Ok, 1), (Code::Cancelled, 1)]);
}

/// From a tenth of it, or 50 ms, before it is up.
#[test]
fn b7_a_drop_is_the_deadline_s_from_the_time_on_that_it_passes() {
    for (timeout, late) in [(20, 18), (400, 360), (600, 550), (3_600_000, 3_599_950)] {
        let (timeout, late) = (Duration::from_millis(timeout), late * 1_000_000);
        for (after, code) in [
            (0, Code::Cancelled),
            (late - 1, Code::Cancelled),
            (late, Code::DeadlineExceeded),
            (2 * late, Code::DeadlineExceeded),
        ] {
            let (direct, time) = Direct::with_clock();
            let mut future = direct.service.unary(with_timeout(script([hang()], []), timeout));
            assert!(poll(&mut future).is_pending());
            time.increment::<u64>(after);
            drop(future);
            direct.assert_ended(Kind::Unary, &[(code, 1)]);
        }
    }
}

/// By the machine's clock, as programs have it.
#[tokio::test]
async fn b7_a_deadline_passes_in_real_time() {
    let timeout = Duration::from_millis(20);
    let direct = Direct::new();
    let mut future = direct.service.unary(with_timeout(script([hang()], []), timeout));
    assert!(poll(&mut future).is_pending());
    let start = Instant::now();
    until(|| start.elapsed(), |elapsed| *elapsed >= timeout).await;
    drop(future);
    direct.assert_ended(Kind::Unary, &[(Code::DeadlineExceeded, 1)]);
}

/// Waiting for the first poll is none of the handler's time.
#[test]
fn b7_the_time_runs_from_the_start() {
    let (direct, time) = Direct::with_clock();
    let timeout = Duration::from_secs(1);
    let mut future = direct.service.unary(with_timeout(script([hang()], []), timeout));
    time.increment(timeout);
    assert!(poll(&mut future).is_pending());
    drop(future);
    direct.assert_ended(Kind::Unary, &[(Code::Cancelled, 1)]);
}

#[test]
fn b7_any_unit_of_the_timeout_is_understood() {
    for (timeout, code) in [
        ("0n", Code::DeadlineExceeded),
        ("1n", Code::DeadlineExceeded),
        ("0S", Code::DeadlineExceeded),
        ("99999999u", Code::Cancelled),
        ("3600000m", Code::Cancelled),
        ("3600S", Code::Cancelled),
        ("60M", Code::Cancelled),
        ("1H", Code::Cancelled),
        ("99999999H", Code::Cancelled),
    ] {
        let direct = Direct::new();
        let mut request = Request::new(script([hang()], []));
        let value = MetadataValue::from_static(timeout);
        request.metadata_mut().insert("grpc-timeout", value);
        let mut future = direct.service.unary(request);
        assert!(poll(&mut future).is_pending());
        drop(future);
        direct.assert_ended(Kind::Unary, &[(code, 1)]);
    }
}

#[test]
fn b8_a_panic_in_the_handler_goes_on_unwinding() {
    let (direct, id) = (Direct::new(), panic_id());
    let mut future = direct.service.unary(Request::new(script([panics(id)], [])));
    let message = panic_of(|| drop(poll(&mut future)));
    assert_eq!(message, panic_message(id));
    direct.assert_ended(Kind::Unary, &[(Code::Unknown, 1)]);
    drop(future);
    direct.assert_ended(Kind::Unary, &[(Code::Unknown, 1)]);
}

#[test]
fn b8_a_panic_when_the_handler_is_dropped_goes_on_unwinding() {
    let (direct, id) = (Direct::new(), panic_id());
    let script = script([panics_in_drop(id), hang()], []);
    let mut future = direct.service.watch(Request::new(script));
    assert!(poll(&mut future).is_pending());
    let message = panic_of(|| drop(future));
    assert_eq!(message, panic_message(id));
    direct.assert_ended(Kind::Watch, &[(Code::Unknown, 1)]);
}

#[tokio::test]
async fn b8_a_panic_in_the_stream_goes_on_unwinding() {
    let (direct, id) = (Direct::new(), panic_id());
    let mut stream = direct.watch(script([], [send(), panics(id)])).await;
    assert!(matches!(poll_next(&mut stream), Poll::Ready(Some(Ok(_)))));
    let message = panic_of(|| drop(poll_next(&mut stream)));
    assert_eq!(message, panic_message(id));
    drop(stream);
    direct.assert_ended(Kind::Watch, &[(Code::Unknown, 1)]);
}

#[tokio::test]
async fn b8_a_panic_when_the_stream_is_dropped_goes_on_unwinding() {
    let (direct, id) = (Direct::new(), panic_id());
    let script = script([], [panics_in_drop(id), hang()]);
    let mut stream = direct.watch(script).await;
    assert!(poll_next(&mut stream).is_pending());
    let message = panic_of(|| drop(stream));
    assert_eq!(message, panic_message(id));
    direct.assert_ended(Kind::Watch, &[(Code::Unknown, 1)]);
}

/// A panic that began elsewhere, a layer's for instance, drops the RPC like anything else that does.
#[tokio::test]
async fn b6_dropped_by_the_panic_of_another() {
    let (direct, id) = (Direct::new(), panic_id());
    let mut future = direct.service.unary(Request::new(script([hang()], [])));
    assert!(poll(&mut future).is_pending());
    let stream = direct.watch(script([], [hang()])).await;
    let message = panic_of(|| {
        let _dropped = (future, stream);
        panic!("{}", panic_message(id));
    });
    assert_eq!(message, panic_message(id));
    let snapshot = direct.metrics.snapshot();
    for method in ["Unary", "Watch"] {
        let method = snapshot.method(SERVICE, method).unwrap();
        assert_eq!(method.requests(Code::Cancelled), 1, "{method:?}");
        assert_eq!((method.started(), method.finished()), (1, 1));
    }
}

#[tokio::test]
async fn b9_a_stream_that_is_dropped_without_being_polled() {
    let direct = Direct::new();
    let stream = direct.watch(script([], [send()])).await;
    assert_eq!(direct.in_flight(Kind::Watch), 1);
    drop(stream);
    direct.assert_ended(Kind::Watch, &[(Code::Cancelled, 1)]);
}

#[tokio::test]
async fn b9_a_stream_that_is_dropped_unpolled_after_the_deadline() {
    let (direct, time) = Direct::with_clock();
    let timeout = Duration::from_secs(1);
    let request = with_timeout(script([], [send()]), timeout);
    let stream = direct.service.watch(request).await.unwrap();
    time.increment(timeout);
    drop(stream);
    direct.assert_ended(Kind::Watch, &[(Code::DeadlineExceeded, 1)]);
}

#[tokio::test]
async fn b12_a_stream_that_has_ended_counts_no_more() {
    let direct = Direct::new();
    let mut stream = direct.watch(script([], [send()])).await;
    assert!(stream.next().await.unwrap().is_ok());
    for _ in 0..3 {
        assert!(stream.next().await.is_none());
        direct.assert_ended(Kind::Watch, &[(Code::Ok, 1)]);
    }
    drop(stream);
    direct.assert_ended(Kind::Watch, &[(Code::Ok, 1)]);
}

#[tokio::test]
async fn b12_a_stream_that_has_failed_counts_no_more() {
    let direct = Direct::new();
    let steps = [send(), fail(Code::NotFound), send(), fail(Code::DataLoss)];
    let mut stream = direct.watch(script([], steps)).await;
    let mut items = Vec::new();
    while let Some(item) = stream.next().await {
        items.push(item.map_err(|status| status.code()));
    }
    // The stream passes on all that it is polled for.
    let expected = [
        Ok(Reply { number: 1 }),
        Err(Code::NotFound),
        Ok(Reply { number: 2 }),
        Err(Code::DataLoss),
    ];
    assert_eq!(items, expected);
    drop(stream);
    direct.assert_ended(Kind::Watch, &[(Code::NotFound, 1)]);
    let snapshot = direct.metrics.snapshot();
    let method = snapshot.method(SERVICE, "Watch").unwrap();
    assert_eq!(method.messages_sent(), 1);
}

#[tokio::test]
async fn b12_a_stream_that_has_panicked_counts_no_more() {
    let (direct, id) = (Direct::new(), panic_id());
    let mut stream = direct.watch(script([], [panics(id), send()])).await;
    panic_of(|| drop(poll_next(&mut stream)));
    assert!(stream.next().await.unwrap().is_ok());
    assert!(stream.next().await.is_none());
    drop(stream);
    direct.assert_ended(Kind::Watch, &[(Code::Unknown, 1)]);
}

#[tokio::test]
async fn b15_unary_handlers_are_called_directly() {
    let direct = Direct::new();
    let answer = direct.service.unary(Request::new(script([wait(1)], [])));
    assert_eq!(answer.await.unwrap().into_inner(), Reply { number: 1 });
    let failed = script([fail(Code::Aborted)], []);
    let answer = direct.service.unary(Request::new(failed));
    assert_eq!(answer.await.unwrap_err().code(), Code::Aborted);
    direct.assert_ended(Kind::Unary, &[(Code::Ok, 1), (Code::Aborted, 1)]);
}

#[tokio::test]
async fn b15_client_streaming_handlers_are_called_directly() {
    let direct = Direct::new();
    let answer = direct.service.upload(no_messages()).await;
    assert_eq!(answer.unwrap().into_inner(), Reply { number: 1 });
    direct.assert_ended(Kind::Upload, &[(Code::Ok, 1)]);
}

#[tokio::test]
async fn b15_server_streaming_handlers_are_called_directly() {
    let direct = Direct::new();
    let stream = direct.watch(script([], [send(), wait(1), send()])).await;
    assert_eq!(direct.in_flight(Kind::Watch), 1);
    let replies: Result<Vec<_>, _> = stream.collect().await;
    let numbers = replies.unwrap().into_iter().map(|reply| reply.number);
    assert_eq!(numbers.collect::<Vec<_>>(), [1, 2]);
    direct.assert_ended(Kind::Watch, &[(Code::Ok, 1)]);
}

#[tokio::test]
async fn b15_bidirectional_handlers_are_called_directly() {
    let direct = Direct::new();
    let stream = direct.service.chat(no_messages()).await.unwrap();
    let mut stream = stream.into_inner();
    assert!(poll_fn(|cx| Pin::new(&mut stream).poll_next(cx)).await.is_none());
    direct.assert_ended(Kind::Chat, &[(Code::Ok, 1)]);
}

#[tokio::test]
async fn b15_the_handler_s_own_stream_is_within_reach() {
    let direct = Direct::new();
    let mut stream = direct.watch(script([], [send(), send()])).await;
    assert_eq!(format!("{:?}", stream.get_ref()), format!("{:?}", stream.get_mut()));
    assert!(poll_next(stream.get_mut()).is_ready());
    let reply = stream.next().await.unwrap().unwrap();
    assert_eq!(reply, Reply { number: 2 });
    assert!(stream.next().await.is_none());
    direct.assert_ended(Kind::Watch, &[(Code::Ok, 1)]);
}
