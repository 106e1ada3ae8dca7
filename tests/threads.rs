//! Contract, A5, across threads: RPCs that change threads, threads that come and go, and scrapes all the
//! while.

use std::cell::RefCell;
use std::pin::Pin;
use std::sync::{Barrier, Mutex, mpsc};
use std::task::{Context, Waker};
use std::thread;

use grpc_metrics_runtime::{GrpcMetrics, MethodSnapshot, RequestGuard};
use support::bed::own_metrics;
use support::pb::scripted_server::Scripted as _;
use support::script::{hang, script, send};
use support::scripted::{SERVICE, Scripted};
use support::stage::Stage;
use support::watcher::Watcher;
use tokio_stream::Stream;
use tonic::{Code, Request};

/// Each test has a method of its own in the process-wide instance.
fn method(name: &str) -> MethodSnapshot {
    let snapshot = GrpcMetrics::global().snapshot();
    snapshot.method("by.Hand", name).unwrap().clone()
}

fn assert_all_ended(method: &MethodSnapshot, code: Code, n: u64) {
    assert_eq!(method.started(), n, "{method:?}");
    assert_eq!(method.finished(), n, "{method:?}");
    assert_eq!(method.requests(code), n, "{method:?}");
    assert_eq!(method.durations().count(), n, "{method:?}");
}

fn count(method: &'static str, n: u64) {
    for _ in 0..n {
        RequestGuard::new("by.Hand", method).complete(Code::Ok);
    }
}

#[test]
fn a5_scrapes_hold_while_threads_count_as_fast_as_they_can() {
    const EACH: u64 = 200_000;
    let watcher = Watcher::of_snapshots(GrpcMetrics::global());
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| count("Fast", EACH));
        }
    });
    watcher.stop();
    assert_all_ended(&method("Fast"), Code::Ok, 4 * EACH);
}

#[test]
fn a5_rpcs_end_on_other_threads_than_they_started_on() {
    const EACH: u64 = 30_000;
    let watcher = Watcher::of_snapshots(GrpcMetrics::global());
    let (hand_over, taken) = mpsc::sync_channel(64);
    let taken = Mutex::new(taken);
    thread::scope(|scope| {
        for _ in 0..2 {
            let hand_over = hand_over.clone();
            scope.spawn(move || {
                for _ in 0..EACH {
                    let guard = RequestGuard::new("by.Hand", "HandedOver");
                    hand_over.send(guard).unwrap();
                }
            });
        }
        drop(hand_over);
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let guard = taken.lock().unwrap().recv();
                    let Ok(guard) = guard else { return };
                    guard.complete(Code::NotFound);
                }
            });
        }
    });
    watcher.stop();
    assert_all_ended(&method("HandedOver"), Code::NotFound, 2 * EACH);
}

#[test]
fn a5_many_short_lived_threads() {
    const THREADS: u64 = 3_000;
    let watcher = Watcher::of_snapshots(GrpcMetrics::global());
    for _ in 0..THREADS / 30 {
        thread::scope(|scope| {
            for _ in 0..30 {
                scope.spawn(|| {
                    for _ in 0..3 {
                        RequestGuard::new("by.Hand", "ShortLived").complete(Code::Ok);
                    }
                });
            }
        });
    }
    watcher.stop();
    assert_all_ended(&method("ShortLived"), Code::Ok, 3 * THREADS);
}

/// More than there is room for in the first places that counters are kept in.
#[test]
fn a5_many_threads_at_once() {
    const THREADS: usize = 300;
    const EACH: u64 = 2_000;
    let (started, ended) = (Barrier::new(THREADS + 1), Barrier::new(THREADS + 1));
    let watcher = Watcher::of_snapshots(GrpcMetrics::global());
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                let guard = RequestGuard::new("by.Hand", "AtOnce");
                started.wait();
                ended.wait();
                guard.complete(Code::Ok);
                count("AtOnce", EACH);
            });
        }
        started.wait();
        let in_flight = method("AtOnce").in_flight();
        ended.wait();
        // Not before: the threads would wait for ever.
        assert_eq!(in_flight, THREADS as u64);
    });
    watcher.stop();
    assert_all_ended(&method("AtOnce"), Code::Ok, THREADS as u64 * (1 + EACH));
}

thread_local! {
    static GUARD: RefCell<Option<RequestGuard>> = const { RefCell::new(None) };
}

/// Runs this many threads that each leave a guard to the destructors of their locals.
fn leave_guards(threads: u64, method: &'static str, counted_before: bool) {
    for _ in 0..threads {
        thread::spawn(move || {
            // Locals are destroyed in the reverse of their first use: with this, the runtime's own come
            // last, without it, first.
            if counted_before {
                RequestGuard::new("by.Hand", method).complete(Code::Cancelled);
            }
            GUARD.with_borrow_mut(|guard| {
                *guard = Some(RequestGuard::new("by.Hand", method));
            });
        })
        .join()
        .unwrap();
    }
}

#[test]
fn a5_a_guard_ends_while_its_thread_s_locals_are_destroyed() {
    let watcher = Watcher::of_snapshots(GrpcMetrics::global());
    leave_guards(200, "LocalsFirst", false);
    assert_all_ended(&method("LocalsFirst"), Code::Cancelled, 200);
    leave_guards(200, "LocalsLast", true);
    assert_all_ended(&method("LocalsLast"), Code::Cancelled, 400);
    watcher.stop();
}

/// Starts RPCs when it is destroyed with its thread's locals.
struct StartsLate(&'static str, u64);

impl Drop for StartsLate {
    fn drop(&mut self) {
        count(self.0, self.1);
    }
}

thread_local! {
    static STARTS_LATE: RefCell<Option<StartsLate>> = const { RefCell::new(None) };
}

#[test]
fn a5_an_rpc_starts_while_its_thread_s_locals_are_destroyed() {
    for n in 0..200 {
        thread::spawn(move || {
            STARTS_LATE.set(Some(StartsLate("Late", 1)));
            // Makes the runtime's own locals, which are gone first then, in every other thread.
            count("Late", n % 2);
        })
        .join()
        .unwrap();
    }
    assert_all_ended(&method("Late"), Code::Ok, 300);
}

/// Threads count to their very end, while others begin with the counters that they leave behind.
#[test]
fn a5_threads_end_and_begin_side_by_side() {
    const AT_ONCE: u64 = 8;
    const ROUNDS: u64 = 60;
    const BURST: u64 = 1_000;
    let watcher = Watcher::of_snapshots(GrpcMetrics::global());
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                for _ in 0..ROUNDS {
                    thread::spawn(|| {
                        STARTS_LATE.set(Some(StartsLate("SideBySide", BURST)));
                        count("SideBySide", BURST);
                    })
                    .join()
                    .unwrap();
                }
            });
        }
    });
    watcher.stop();
    let expected = 2 * BURST * ROUNDS * AT_ONCE;
    assert_all_ended(&method("SideBySide"), Code::Ok, expected);
}

fn service() -> (Scripted, GrpcMetrics) {
    let (_registry, metrics) = own_metrics(|builder| builder);
    let service = Scripted { metrics: metrics.clone(), stage: Stage::default() };
    (service, metrics)
}

/// Handler, stream and drop each on a thread of its own.
#[test]
fn a5_a_response_stream_changes_threads() {
    const RPCS: u64 = 100;
    let (service, metrics) = service();
    let watcher = Watcher::of_snapshots(&metrics);
    for _ in 0..RPCS {
        let service = service.clone();
        let handler = thread::spawn(move || {
            let request = Request::new(script([], [send(), send(), hang()]));
            let mut future = service.watch(request);
            let polled = future.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            assert!(polled.is_ready());
            polled.map(|answer| answer.unwrap().into_inner())
        });
        let mut stream = Box::pin(match handler.join().unwrap() {
            std::task::Poll::Ready(stream) => stream,
            std::task::Poll::Pending => panic!("the handler waits"),
        });
        for ready in [true, true, false] {
            stream = thread::spawn(move || {
                let polled =
                    Pin::new(&mut stream).poll_next(&mut Context::from_waker(Waker::noop()));
                assert_eq!(polled.is_ready(), ready);
                stream
            })
            .join()
            .unwrap();
        }
        thread::spawn(move || drop(stream)).join().unwrap();
    }
    watcher.stop();
    let snapshot = metrics.snapshot();
    let method = snapshot.method(SERVICE, "Watch").unwrap();
    assert_all_ended(method, Code::Cancelled, RPCS);
    assert_eq!(method.messages_sent(), 2 * RPCS);
}

type Held = Pin<Box<dyn Future<Output = ()>>>;

thread_local! {
    static FUTURE: RefCell<Option<Held>> = const { RefCell::new(None) };
}

#[test]
fn a5_a_handler_ends_while_its_thread_s_locals_are_destroyed() {
    const THREADS: u64 = 100;
    let (service, metrics) = service();
    for _ in 0..THREADS {
        let service = service.clone();
        thread::spawn(move || {
            FUTURE.with_borrow_mut(|held| {
                let mut future: Held = Box::pin(async move {
                    drop(service.unary(Request::new(script([hang()], []))).await);
                });
                let polled = future.as_mut().poll(&mut Context::from_waker(Waker::noop()));
                assert!(polled.is_pending());
                *held = Some(future);
            });
        })
        .join()
        .unwrap();
    }
    let snapshot = metrics.snapshot();
    let method = snapshot.method(SERVICE, "Unary").unwrap();
    assert_all_ended(method, Code::Cancelled, THREADS);
}
