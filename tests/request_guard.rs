//! `RequestGuard`, for code that no attribute can reach. Its lines of the contract are those of section B.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;
use std::time::Duration;

use grpc_metrics_runtime::{GrpcMetrics, GrpcStatus, MethodKind, MethodSnapshot, RequestGuard};
use support::bed::own_metrics;
use support::faults::expect_panics;
use support::scripted::SERVICE;
use tonic::metadata::MetadataMap;
use tonic::{Code, Request, Status};

/// One method of the process-wide instance. Each test has its own.
fn global(method: &'static str) -> MethodSnapshot {
    let snapshot = GrpcMetrics::global().snapshot();
    snapshot.method("by.Hand", method).unwrap().clone()
}

/// Asserts that RPCs have ended with these codes, and no others have started.
fn assert_ended(method: &MethodSnapshot, codes: &[(Code, u64)]) {
    for code in (0..=16).map(Code::from) {
        let of_code = codes.iter().filter(|(of, _)| *of == code);
        let expected: u64 = of_code.map(|(_, n)| n).sum();
        assert_eq!(method.requests(code), expected, "{code:?}: {method:?}");
    }
    assert_eq!(method.started(), method.finished(), "{method:?}");
}

#[test]
fn an_rpc_runs_from_new_to_complete() {
    let guard = RequestGuard::new("by.Hand", "Complete");
    let running = global("Complete");
    assert_eq!((running.in_flight(), running.finished()), (1, 0));
    assert_eq!(running.kind(), MethodKind::Unary);
    guard.complete(Code::PermissionDenied);
    assert_ended(&global("Complete"), &[(Code::PermissionDenied, 1)]);
    drop(guard);
    assert_ended(&global("Complete"), &[(Code::PermissionDenied, 1)]);
}

#[test]
fn every_code_is_counted_as_itself() {
    for code in (0..=16).map(Code::from) {
        RequestGuard::new("by.Hand", "Codes").complete(code);
    }
    let each: Vec<_> = (0..=16).map(|code| (Code::from(code), 1)).collect();
    assert_ended(&global("Codes"), &each);
}

#[test]
fn b12_the_first_completion_counts() {
    let guard = RequestGuard::new("by.Hand", "First");
    guard.complete(Code::NotFound);
    guard.complete(Code::Ok);
    guard.clone().complete(Code::Internal);
    drop(guard);
    assert_ended(&global("First"), &[(Code::NotFound, 1)]);
}

#[test]
fn b12_one_of_many_completions_on_many_threads_counts() {
    const RPCS: u64 = 200_000;
    let guards: Vec<_> = (0..RPCS).map(|_| RequestGuard::new("by.Hand", "Race")).collect();
    // Whoever is ahead has more to do, so that they meet again and again.
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| guards.iter().for_each(|guard| guard.complete(Code::Aborted)));
        }
    });
    assert_ended(&global("Race"), &[(Code::Aborted, RPCS)]);
}

#[test]
fn clones_are_one_rpc_and_the_last_one_dropped_ends_it() {
    let guard = RequestGuard::new("by.Hand", "Clones");
    let clone = guard.clone();
    assert_eq!(global("Clones").started(), 1);
    drop(guard);
    assert_eq!(global("Clones").in_flight(), 1);
    drop(clone);
    assert_ended(&global("Clones"), &[(Code::Cancelled, 1)]);
}

#[test]
fn complete_is_callable_from_a_closure() {
    let guard = RequestGuard::new("by.Hand", "Closure");
    let handle = || -> Result<(), Code> { Err(Code::DataLoss) };
    handle().inspect_err(|code| guard.complete(*code)).unwrap_err();
    assert_ended(&global("Closure"), &[(Code::DataLoss, 1)]);
}

#[test]
fn b6_dropped_without_completion() {
    drop(RequestGuard::new("by.Hand", "Dropped"));
    assert_ended(&global("Dropped"), &[(Code::Cancelled, 1)]);
}

#[test]
fn b8_dropped_by_a_panic_that_goes_on() {
    expect_panics();
    let unwound = catch_unwind(|| {
        let _guard = RequestGuard::new("by.Hand", "Panic");
        panic!("scripted panic");
    });
    let payload = unwound.unwrap_err();
    assert_eq!(payload.downcast_ref(), Some(&"scripted panic"));
    assert_ended(&global("Panic"), &[(Code::Unknown, 1)]);
}

#[test]
fn b8_completed_before_the_panic() {
    expect_panics();
    let guard = RequestGuard::new("by.Hand", "PanicAfter");
    let unwound = catch_unwind(AssertUnwindSafe(|| {
        let guard = guard;
        guard.complete(Code::Ok);
        panic!("scripted panic");
    }));
    unwound.unwrap_err();
    assert_ended(&global("PanicAfter"), &[(Code::Ok, 1)]);
}

/// Up as soon as it begins.
const NO_TIME: Duration = Duration::ZERO;

fn with_timeout(timeout: Duration) -> Request<()> {
    let mut request = Request::new(());
    request.set_timeout(timeout);
    request
}

#[test]
fn b7_dropped_after_the_request_s_deadline() {
    let guard = RequestGuard::for_request("by.Hand", "Late", &with_timeout(NO_TIME));
    drop(guard);
    assert_ended(&global("Late"), &[(Code::DeadlineExceeded, 1)]);
}

#[test]
fn b7_dropped_before_the_request_s_deadline() {
    let request = with_timeout(Duration::from_secs(3600));
    drop(RequestGuard::for_request("by.Hand", "Early", &request));
    drop(RequestGuard::for_request("by.Hand", "Early", &Request::new(())));
    assert_ended(&global("Early"), &[(Code::Cancelled, 2)]);
}

#[test]
fn b7_completed_after_the_deadline() {
    let guard = RequestGuard::for_request("by.Hand", "LateEnd", &with_timeout(NO_TIME));
    guard.complete(Code::Ok);
    assert_ended(&global("LateEnd"), &[(Code::Ok, 1)]);
}

#[test]
fn b7_deadline_out_of_metadata_alone() {
    let mut metadata = MetadataMap::new();
    metadata.insert("grpc-timeout", "1n".parse().unwrap());
    drop(RequestGuard::for_metadata("by.Hand", "Metadata", &metadata));
    let none = MetadataMap::new();
    drop(RequestGuard::for_metadata("by.Hand", "Metadata", &none));
    assert_ended(&global("Metadata"), &[(Code::DeadlineExceeded, 1), (Code::Cancelled, 1)]);
}

#[test]
fn b11_duration_runs_from_new_to_complete() {
    let life = Duration::from_millis(60);
    let (clock, time) = quanta::Clock::mock();
    let (_registry, metrics) = own_metrics(|builder| builder.clock(clock));
    let guard = metrics.guard("by.Hand", "Duration");
    time.increment(life);
    guard.complete(Code::Ok);
    time.increment(life);
    let snapshot = metrics.snapshot();
    let method = snapshot.method("by.Hand", "Duration").unwrap();
    assert_eq!(Duration::from_secs_f64(method.duration_sum()), life);
}

#[test]
fn an_instance_has_guards_of_its_own() {
    let (_registry, metrics) = own_metrics(|builder| builder);
    let guard = metrics.guard("by.Hand", "Own");
    guard.complete(Code::Ok);
    drop(metrics.guard("by.Hand", "Own"));
    let snapshot = metrics.snapshot();
    let own = snapshot.method("by.Hand", "Own").unwrap();
    assert_ended(own, &[(Code::Ok, 1), (Code::Cancelled, 1)]);
    let global = GrpcMetrics::global().snapshot();
    assert!(global.method("by.Hand", "Own").is_none());
}

#[test]
fn a_guard_outlives_the_handle_to_its_instance() {
    let (registry, metrics) = own_metrics(|builder| builder);
    let guard = metrics.guard("by.Hand", "Outlives");
    drop(metrics);
    guard.complete(Code::Ok);
    let scrape = support::scrape::Scrape::of(&registry);
    let labels = [("method", "Outlives"), ("code", "0")];
    let requests = scrape.value("grpc_server_requests_total", &labels);
    assert_eq!(requests, Some(1.0));
}

#[test]
fn labels_are_the_arguments() {
    RequestGuard::new("by.Hand", "Labels").complete(Code::Ok);
    RequestGuard::new("by.Others", "Labels").complete(Code::NotFound);
    assert_ended(&global("Labels"), &[(Code::Ok, 1)]);
    let snapshot = GrpcMetrics::global().snapshot();
    let others = snapshot.method("by.Others", "Labels").unwrap();
    assert_ended(others, &[(Code::NotFound, 1)]);
}

/// Whoever comes first.
#[test]
fn a3_a_guard_with_the_labels_of_an_instrumented_method_leaves_its_kind() {
    let (_registry, metrics) = own_metrics(|builder| builder);
    metrics.guard(SERVICE, "Watch").complete(Code::Ok);
    let snapshot = metrics.snapshot();
    let method = snapshot.method(SERVICE, "Watch").unwrap();
    assert_eq!(method.kind(), MethodKind::ServerStream);
    assert_ended(method, &[(Code::Ok, 1)]);
}

/// What a guard's builder sets, on an instance of its own.
#[test]
fn a3_the_first_guard_of_a_method_gives_its_kind() {
    let (_registry, metrics) = own_metrics(|builder| builder);
    for kind in [MethodKind::ServerStream, MethodKind::BidiStream] {
        let guard = RequestGuard::builder("by.Hand", "Kind").kind(kind).metrics(&metrics).start();
        guard.complete(Code::Ok);
    }
    let snapshot = metrics.snapshot();
    let method = snapshot.method("by.Hand", "Kind").unwrap();
    assert_eq!(method.kind(), MethodKind::ServerStream);
    assert_ended(method, &[(Code::Ok, 2)]);
}

#[test]
fn b7_a_guard_that_is_dropped_after_its_timeout_is_late() {
    let (_registry, metrics) = own_metrics(|builder| builder);
    let dropped = |timeout| {
        drop(RequestGuard::builder("by.Hand", "Late").timeout(timeout).metrics(&metrics).start());
    };
    dropped(Duration::ZERO);
    dropped(Duration::from_secs(3600));
    let snapshot = metrics.snapshot();
    let method = snapshot.method("by.Hand", "Late").unwrap();
    assert_ended(method, &[(Code::DeadlineExceeded, 1), (Code::Cancelled, 1)]);
}

#[derive(Debug, thiserror::Error, GrpcStatus)]
enum StoreError {
    #[error("no such row")]
    #[status(NotFound)]
    NoRow,
}

#[test]
fn g4_a_guard_counts_the_cause_of_its_end_once() {
    let (_registry, metrics) = own_metrics(|builder| builder);
    let by_status = metrics.guard("by.Hand", "Cause");
    let status = Status::from(StoreError::NoRow);
    by_status.complete_with(&status);
    by_status.complete_with(&status);
    by_status.complete_with_cause(Code::Internal, "late");
    let by_name = metrics.guard("by.Hand", "Cause");
    by_name.complete_with_cause(Code::Unavailable, "replica_down");
    by_name.complete_with(&status);
    metrics.guard("by.Hand", "Cause").complete_with(&Status::aborted("no cause is known"));
    metrics.guard("by.Hand", "Cause").complete_with_cause(Code::Ok, "none");
    let snapshot = metrics.snapshot();
    let method = snapshot.method("by.Hand", "Cause").unwrap();
    let codes = [Code::Ok, Code::NotFound, Code::Unavailable, Code::Aborted];
    assert_ended(method, &codes.map(|code| (code, 1)));
    let errors = method.errors().iter().map(|error| (error.code, error.cause, error.count));
    let expected = [(Code::NotFound, "no_row", 1), (Code::Unavailable, "replica_down", 1)];
    assert_eq!(errors.collect::<Vec<_>>(), expected);
}
