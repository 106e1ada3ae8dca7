//! When pushes happen, and what they tell.

use std::time::{Duration, Instant};

use grpc_metrics_runtime::otlp::{Error, PushError, Pusher};
use support::bed::Bed;
use support::clients::Kind;
use support::collector::{Answer, Collector};
use support::script::{fail, script};
use support::wait::until;
use tokio::runtime::Handle;
use tonic::Code;

use super::{large_metrics, metrics, pusher};

#[tokio::test]
async fn n2_pushes_come_at_the_interval() {
    let (metrics, collector) = (metrics(), Collector::start().await);
    let start = Instant::now();
    let interval = Duration::from_millis(30);
    let pusher = pusher(&metrics, &collector).interval(interval).start().expect("right");
    collector.until_arrived(3).await;
    assert!(start.elapsed() >= 3 * interval, "the first one is after an interval, too");
    pusher.shutdown().await.expect("accepted");
}

#[tokio::test]
async fn n2_the_last_rpcs_are_in_the_push_at_the_shutdown() {
    let (bed, collector) = (Bed::new().await, Collector::start().await);
    let pusher = pusher(&bed.metrics, &collector).start().expect("right");
    bed.call(Kind::Unary, script([fail(Code::NotFound)], [])).await;
    bed.until_ended(&[(Kind::Unary, Code::NotFound, 1)]).await;
    assert!(collector.arrived().is_empty());
    pusher.shutdown().await.expect("accepted");
    let counts = collector.last().series();
    let counts = counts.iter().filter(|((name, labels), _)| {
        name == "grpc_server_requests_total" && labels.get("code").is_some_and(|code| code == "5")
    });
    assert_eq!(counts.map(|(_, count)| *count).collect::<Vec<_>>(), [1.0]);
    assert_eq!(collector.arrived().len(), 1, "once");
}

#[tokio::test]
async fn n2_a_dropped_pusher_stops_without_a_push() {
    let (metrics, collector) = (metrics(), Collector::start().await);
    let tasks = || Handle::current().metrics().num_alive_tasks();
    let before = tasks();
    let interval = Duration::from_millis(5);
    let pusher = pusher(&metrics, &collector).interval(interval).start().expect("right");
    collector.until_arrived(2).await;
    assert!(tasks() > before);
    // At a time at which none is on its way, but for the handle.
    collector.answer(Answer::Hang);
    let n = collector.arrived().len();
    collector.until_arrived(n + 1).await;
    drop(pusher);
    // Neither it nor its connection is left.
    until(tasks, |tasks| *tasks == before).await;
    assert_eq!(collector.arrived().len(), n + 1);
}

#[tokio::test]
async fn n2_a_push_that_fails_is_made_up_for_by_the_next() {
    let (metrics, collector) = (metrics(), Collector::start().await);
    let pusher = pusher(&metrics, &collector).start().expect("right");
    collector.answer(Answer::Fail(Code::ResourceExhausted));
    let failed = pusher.flush().await;
    let Err(PushError::Failed(status)) = &failed else { panic!("{failed:?}") };
    assert_eq!(status.code(), Code::ResourceExhausted);
    collector.answer(Answer::Reject(3, "too old"));
    let rejected = pusher.flush().await;
    let Err(PushError::PartlyRejected { data_points: 3, message, .. }) = &rejected else {
        panic!("{rejected:?}")
    };
    assert_eq!(message, "too old");
    // A warning, which rejects nothing.
    collector.answer(Answer::Reject(0, "soon deprecated"));
    pusher.flush().await.expect("accepted");
    metrics.guard("pkg.Service", "Method").complete(Code::Ok);
    collector.answer(Answer::Accept);
    pusher.shutdown().await.expect("accepted");
    let arrived = collector.arrived();
    assert_eq!(arrived.len(), 4, "none is sent again");
    let last = collector.last();
    let points = last.histogram("grpc_server_request_duration_seconds").into_iter();
    assert_eq!(points.map(|point| point.count).sum::<u64>(), 2);
}

#[tokio::test]
async fn n2_pushes_of_several_callers_all_arrive() {
    let (metrics, collector) = (metrics(), Collector::start().await);
    let pusher = pusher(&metrics, &collector).start().expect("right");
    let (first, second, third) = tokio::join!(pusher.flush(), pusher.flush(), pusher.flush());
    for result in [first, second, third] {
        result.expect("accepted");
    }
    assert_eq!(collector.arrived().len(), 3);
}

#[test]
fn n2_without_a_runtime_it_does_not_start() {
    let pusher = Pusher::builder(&metrics()).start();
    assert!(matches!(pusher, Err(Error::NoRuntime)), "{pusher:?}");
}

#[test]
fn n2_without_its_runtime_a_pusher_says_so() {
    let metrics = metrics();
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let first = runtime();
    let start = async || Pusher::builder(&metrics).start().expect("right");
    let [flushed, shut_down] = [first.block_on(start()), first.block_on(start())];
    drop(first);
    let second = runtime();
    let result = second.block_on(flushed.flush());
    assert!(matches!(result, Err(PushError::Stopped)), "{result:?}");
    let result = second.block_on(shut_down.shutdown());
    assert!(matches!(result, Err(PushError::Stopped)), "{result:?}");
}

#[tokio::test]
async fn n2_a_collector_that_restarts_gets_the_next_push() {
    let metrics = metrics();
    let collector = Collector::start().await;
    let address = collector.address();
    let pusher = pusher(&metrics, &collector).start().expect("right");
    pusher.flush().await.expect("accepted");
    collector.server.kill().await;
    let down = pusher.flush().await;
    assert!(matches!(down, Err(PushError::Failed(_))), "{down:?}");
    let collector = Collector::start_at(address).await;
    pusher.flush().await.expect("accepted");
    until(|| collector.arrived().len(), |n| *n == 1).await;
}

/// Also if what the collector says can't be true.
#[tokio::test]
async fn n2_rejections_of_all_requests_of_a_push_are_added_up() {
    let (metrics, collector) = (large_metrics(), Collector::start().await);
    let pusher = pusher(&metrics, &collector).start().expect("right");
    for (each, sum) in [(2, None), (i64::MAX, Some(u64::MAX))] {
        collector.answer(Answer::Reject(each, "too old"));
        let before = collector.arrived().len();
        let rejected = pusher.flush().await;
        let requests = collector.arrived().len() - before;
        assert!(requests > 2, "{requests}");
        let Err(PushError::PartlyRejected { data_points, message, .. }) = &rejected else {
            panic!("{rejected:?}")
        };
        assert_eq!(*data_points, sum.unwrap_or(2 * requests as u64));
        assert_eq!(message, "too old", "once");
    }
}
