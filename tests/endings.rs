//! Contract, section B: endings that a handler or its stream comes to by itself, and how long they took.
//! Faults are in `faults.rs`, calls without a server in `direct_calls.rs`.

use std::sync::Arc;
use std::time::{Duration, Instant};

use quanta::Mock;
use support::clients::Kind;
use support::script::{Way, fail, fail_by, gate, script, send};
use support::wait::until;
use tonic::{Code, Request};

use super::Bed;

#[tokio::test]
async fn b1_ok_of_a_handler_that_answers_with_one_message() {
    let bed = Bed::new().await;
    for kind in Kind::SINGLE {
        let seen = bed.call(kind, script([], [])).await;
        assert_eq!((seen.code(), seen.messages), (Code::Ok, vec![1]));
    }
    // At once: what the client has seen, the metrics have counted.
    let expected = Kind::SINGLE.map(|kind| (kind, Code::Ok, 1));
    bed.assert_ended(&expected);
    bed.close(&expected).await;
}

#[tokio::test]
async fn b2_error_of_a_handler_in_every_way_and_with_every_code() {
    let bed = Bed::new().await;
    let mut expected = Vec::new();
    for kind in Kind::ALL {
        for way in [Way::Tail, Way::QuestionMark, Way::Return, Way::Macro] {
            for code in (1..=16).map(Code::from) {
                let seen = bed.call(kind, script([fail_by(way, code)], [send()])).await;
                assert_eq!(seen.code(), code, "{kind:?} {way:?}");
                expected.push((kind, code, 1));
                bed.assert_ended(&expected);
            }
        }
    }
    bed.close(&expected).await;
}

#[tokio::test]
async fn b3_error_that_says_ok_where_the_client_waits_for_a_message() {
    let bed = Bed::new().await;
    let mut expected = Vec::new();
    for kind in Kind::SINGLE {
        for way in [Way::Tail, Way::QuestionMark] {
            let seen = bed.call(kind, script([fail_by(way, Code::Ok)], [])).await;
            let failure = seen.failure.expect("no failure");
            assert_eq!(failure.code, Code::Internal);
            assert_eq!(failure.message, "Missing response message.");
            expected.push((kind, Code::Internal, 1));
            bed.assert_ended(&expected);
        }
    }
    bed.close(&expected).await;
}

/// To a client that waits for a stream, the same is an empty one.
#[tokio::test]
async fn b3_error_that_says_ok_instead_of_a_stream_is_an_empty_stream() {
    let bed = Bed::new().await;
    for kind in Kind::STREAMS {
        let seen = bed.call(kind, script([fail(Code::Ok)], [])).await;
        assert_eq!((seen.code(), seen.messages), (Code::Ok, vec![]));
    }
    let expected = Kind::STREAMS.map(|kind| (kind, Code::Ok, 1));
    bed.assert_ended(&expected);
    bed.close(&expected).await;
}

#[tokio::test]
async fn b4_response_stream_ends() {
    let bed = Bed::new().await;
    for kind in Kind::STREAMS {
        let seen = bed.call(kind, script([], [send(), send()])).await;
        assert_eq!((seen.code(), seen.messages), (Code::Ok, vec![1, 2]));
        let seen = bed.call(kind, script([], [])).await;
        assert_eq!((seen.code(), seen.messages), (Code::Ok, vec![]));
    }
    let expected = Kind::STREAMS.map(|kind| (kind, Code::Ok, 2));
    bed.assert_ended(&expected);
    bed.close(&expected).await;
}

#[tokio::test]
async fn b4_an_rpc_runs_until_its_stream_has_ended() {
    let bed = Bed::new().await;
    for (kind, n) in Kind::STREAMS.into_iter().zip(1..) {
        let opened = bed.open(kind, script([], [send(), gate()])).await;
        let mut stream = opened.unwrap().into_inner();
        stream.message().await.unwrap();
        bed.until_waiting(n).await;
        assert_eq!(bed.in_flight(kind), 1, "the handler has returned");
        bed.stage.let_through(1);
        assert!(stream.message().await.unwrap().is_none());
        assert_eq!(bed.in_flight(kind), 0);
    }
    bed.close(&Kind::STREAMS.map(|kind| (kind, Code::Ok, 1))).await;
}

#[tokio::test]
async fn b5_response_stream_fails_and_the_first_error_counts() {
    let bed = Bed::new().await;
    let mut expected = Vec::new();
    for kind in Kind::STREAMS {
        for code in (1..=16).map(Code::from) {
            let stream = [send(), fail(code), fail(Code::Unavailable), send()];
            let seen = bed.call(kind, script([], stream)).await;
            assert_eq!((seen.code(), seen.messages), (code, vec![1]));
            expected.push((kind, code, 1));
            bed.assert_ended(&expected);
        }
    }
    bed.close(&expected).await;
}

#[tokio::test]
async fn b5_response_stream_fails_with_a_status_that_says_ok() {
    let bed = Bed::new().await;
    for kind in Kind::STREAMS {
        let seen = bed.call(kind, script([], [send(), fail(Code::Ok)])).await;
        assert_eq!((seen.code(), seen.messages), (Code::Ok, vec![1]));
    }
    let expected = Kind::STREAMS.map(|kind| (kind, Code::Ok, 1));
    bed.assert_ended(&expected);
    bed.close(&expected).await;
}

/// How long RPCs last by a clock that the tests move.
const LIFE: Duration = Duration::from_millis(60);

async fn bed_with_bounds_around_life() -> (Bed, Arc<Mock>) {
    Bed::with_clock(|builder| builder.buckets([0.059_999_999, LIFE.as_secs_f64()])).await
}

/// Asserts that one RPC of this kind took as long as [`LIFE`], in sum and bucket.
fn assert_lasted_a_life(bed: &Bed, kind: Kind) {
    let scrape = bed.scrape();
    let value = |part: &str, le: Option<&str>| {
        let name = format!("grpc_server_request_duration_seconds_{part}");
        let labels = [("method", kind.method())].into_iter();
        let labels: Vec<_> = labels.chain(le.map(|le| ("le", le))).collect();
        scrape.value(&name, &labels)
    };
    assert_eq!(value("count", None), Some(1.0), "{kind:?}");
    assert_eq!(value("sum", None), Some(LIFE.as_secs_f64()), "{kind:?}");
    for (le, below) in [("0.059999999", 0.0), ("0.06", 1.0), ("+Inf", 1.0)] {
        assert_eq!(value("bucket", Some(le)), Some(below), "{kind:?} {le}");
    }
}

#[tokio::test]
async fn b11_duration_of_a_handler() {
    let (bed, time) = bed_with_bounds_around_life().await;
    for (kind, n) in Kind::ALL.into_iter().zip(1..) {
        let call = bed.spawn(kind, script([gate()], []));
        bed.until_waiting(n).await;
        time.increment(LIFE);
        bed.stage.let_through(1);
        call.await.unwrap();
        // It has ended.
        time.increment(LIFE);
        assert_lasted_a_life(&bed, kind);
    }
}

#[tokio::test]
async fn b11_duration_of_a_response_stream_is_its_whole_life() {
    let (bed, time) = bed_with_bounds_around_life().await;
    for (kind, first) in Kind::STREAMS.into_iter().zip([1, 3]) {
        let call = bed.spawn(kind, script([gate()], [send(), gate(), send()]));
        for waiting in [first, first + 1] {
            bed.until_waiting(waiting).await;
            time.increment(LIFE / 2);
            bed.stage.let_through(1);
        }
        assert_eq!(call.await.unwrap().messages, [1, 2]);
        assert_lasted_a_life(&bed, kind);
    }
}

#[tokio::test]
async fn b11_duration_of_what_is_dropped_goes_up_to_the_drop() {
    let (bed, time) = bed_with_bounds_around_life().await;
    let call = bed.spawn(Kind::Unary, script([gate()], []));
    bed.until_waiting(1).await;
    time.increment(LIFE);
    call.abort();
    bed.until_ended(&[(Kind::Unary, Code::Cancelled, 1)]).await;
    assert_lasted_a_life(&bed, Kind::Unary);
}

/// By the machine's clock, as programs have it.
#[tokio::test]
async fn b11_durations_are_real_time() {
    let bed = Bed::new().await;
    let start = Instant::now();
    let call = bed.spawn(Kind::Unary, script([gate()], []));
    bed.until_waiting(1).await;
    let running = Instant::now();
    let least = until(|| running.elapsed(), |elapsed| *elapsed >= LIFE).await;
    bed.stage.let_through(1);
    call.await.unwrap();
    let most = start.elapsed();
    let sum = bed.method(Kind::Unary).duration_sum();
    // The two clocks agree to far better than a tenth.
    assert!(sum >= least.as_secs_f64() * 0.9, "{sum} s of {least:?} and more");
    assert!(sum <= most.as_secs_f64() * 1.1, "{sum} s of {most:?} and less");
}

#[tokio::test]
async fn b11_in_flight_is_one_from_start_to_ending() {
    let bed = Bed::new().await;
    for (kind, first) in Kind::ALL.into_iter().zip([1, 2, 3, 5]) {
        assert_eq!(bed.in_flight(kind), 0);
        let steps = kind.streams().then(gate);
        let call = bed.spawn(kind, script([gate()], steps));
        bed.until_waiting(first).await;
        assert_eq!(bed.in_flight(kind), 1, "{kind:?} in its handler");
        bed.stage.let_through(1);
        if kind.streams() {
            bed.until_waiting(first + 1).await;
            assert_eq!(bed.in_flight(kind), 1, "{kind:?} in its stream");
            bed.stage.let_through(1);
        }
        assert_eq!(call.await.unwrap().code(), Code::Ok);
        assert_eq!(bed.in_flight(kind), 0, "{kind:?} has ended");
    }
    bed.close(&Kind::ALL.map(|kind| (kind, Code::Ok, 1))).await;
}

#[tokio::test]
async fn b11_in_flight_counts_rpcs_that_run_side_by_side() {
    let bed = Bed::new().await;
    let calls: Vec<_> = (0..5).map(|_| bed.spawn(Kind::Unary, script([gate()], []))).collect();
    bed.until_waiting(5).await;
    assert_eq!(bed.in_flight(Kind::Unary), 5);
    assert_eq!(bed.in_flight(Kind::Upload), 0);
    bed.stage.let_through(2);
    support::wait::until_eq(|| bed.in_flight(Kind::Unary), 3).await;
    bed.stage.open();
    for call in calls {
        call.await.unwrap();
    }
    bed.close(&[(Kind::Unary, Code::Ok, 5)]).await;
}

/// The deadline concerns RPCs that are dropped, not those that come to an end of their own.
#[tokio::test]
async fn b7_an_rpc_that_ends_by_itself_after_its_deadline_has_its_own_code() {
    let (bed, time) = Bed::with_clock(|builder| builder).await;
    for (kind, last) in [(Kind::Watch, None), (Kind::Chat, Some(fail(Code::NotFound)))] {
        let timeout = Duration::from_secs(3600);
        let steps = [send(), gate()].into_iter().chain(last);
        let mut request = Request::new(script([], steps));
        request.set_timeout(timeout);
        let opened = support::clients::open(&bed.channel, kind, request).await;
        let mut stream = opened.unwrap().into_inner();
        stream.message().await.unwrap();
        time.increment(timeout);
        bed.stage.let_through(1);
        let end = stream.message().await;
        assert_eq!(end.is_err(), kind == Kind::Chat);
    }
    bed.close(&[(Kind::Watch, Code::Ok, 1), (Kind::Chat, Code::NotFound, 1)]).await;
}
