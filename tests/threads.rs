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
use support::watcher::{Tally, Watcher};
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

fn count(tally: &Tally, method: &'static str, n: u64) {
    // One after another would make threads wait for the tally.
    const AT_ONCE: u64 = 100;
    for counted in (0..n).step_by(100) {
        let burst = AT_ONCE.min(n - counted);
        tally.begin(burst);
        for _ in 0..burst {
            RequestGuard::new("by.Hand", method).complete(Code::Ok);
        }
        tally.end(burst);
    }
}

/// Of a method of the process-wide instance.
fn watch(method: &'static str, tally: &'static Tally) -> Watcher {
    Watcher::of_method(GrpcMetrics::global(), "by.Hand", method, tally)
}

#[test]
fn a5_scrapes_hold_while_threads_count_as_fast_as_they_can() {
    const EACH: u64 = 200_000;
    static TALLY: Tally = Tally::new();
    let watcher = watch("Fast", &TALLY);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| count(&TALLY, "Fast", EACH));
        }
    });
    watcher.stop();
    assert_all_ended(&method("Fast"), Code::Ok, 4 * EACH);
}

#[test]
fn a5_rpcs_end_on_other_threads_than_they_started_on() {
    const EACH: u64 = 30_000;
    static TALLY: Tally = Tally::new();
    let watcher = watch("HandedOver", &TALLY);
    let (hand_over, taken) = mpsc::sync_channel(64);
    let taken = Mutex::new(taken);
    thread::scope(|scope| {
        for _ in 0..2 {
            let hand_over = hand_over.clone();
            scope.spawn(move || {
                for _ in 0..EACH {
                    TALLY.begin(1);
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
                    TALLY.end(1);
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
    static TALLY: Tally = Tally::new();
    let watcher = watch("ShortLived", &TALLY);
    for _ in 0..THREADS / 30 {
        thread::scope(|scope| {
            for _ in 0..30 {
                scope.spawn(|| count(&TALLY, "ShortLived", 3));
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
    static TALLY: Tally = Tally::new();
    let (started, ended) = (Barrier::new(THREADS + 1), Barrier::new(THREADS + 1));
    let watcher = watch("AtOnce", &TALLY);
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                TALLY.begin(1);
                let guard = RequestGuard::new("by.Hand", "AtOnce");
                started.wait();
                ended.wait();
                guard.complete(Code::Ok);
                TALLY.end(1);
                count(&TALLY, "AtOnce", EACH);
            });
        }
        started.wait();
        let running = method("AtOnce");
        ended.wait();
        // Not before: the threads would wait for ever.
        assert_eq!((running.started(), running.finished()), (THREADS as u64, 0));
    });
    watcher.stop();
    assert_all_ended(&method("AtOnce"), Code::Ok, THREADS as u64 * (1 + EACH));
}

thread_local! {
    static GUARD: RefCell<Option<RequestGuard>> = const { RefCell::new(None) };
}

/// Runs this many threads that each leave a guard to the destructors of their locals.
fn leave_guards(tally: &'static Tally, threads: u64, method: &'static str, counted_before: bool) {
    let each = 1 + u64::from(counted_before);
    for _ in 0..threads {
        tally.begin(each);
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
        tally.end(each);
    }
}

#[test]
fn a5_a_guard_ends_while_its_thread_s_locals_are_destroyed() {
    static FIRST: Tally = Tally::new();
    static LAST: Tally = Tally::new();
    let watchers = [watch("LocalsFirst", &FIRST), watch("LocalsLast", &LAST)];
    leave_guards(&FIRST, 200, "LocalsFirst", false);
    assert_all_ended(&method("LocalsFirst"), Code::Cancelled, 200);
    leave_guards(&LAST, 200, "LocalsLast", true);
    assert_all_ended(&method("LocalsLast"), Code::Cancelled, 400);
    watchers.into_iter().for_each(Watcher::stop);
}

/// Starts RPCs when it is destroyed with its thread's locals.
struct StartsLate(&'static Tally, &'static str, u64);

impl Drop for StartsLate {
    fn drop(&mut self) {
        count(self.0, self.1, self.2);
    }
}

thread_local! {
    static STARTS_LATE: RefCell<Option<StartsLate>> = const { RefCell::new(None) };
}

#[test]
fn a5_an_rpc_starts_while_its_thread_s_locals_are_destroyed() {
    static TALLY: Tally = Tally::new();
    let watcher = watch("StartsLate", &TALLY);
    for n in 0..200 {
        thread::spawn(move || {
            STARTS_LATE.set(Some(StartsLate(&TALLY, "StartsLate", 1)));
            // Makes the runtime's own locals, which are gone first then, in every other thread.
            count(&TALLY, "StartsLate", n % 2);
        })
        .join()
        .unwrap();
    }
    watcher.stop();
    assert_all_ended(&method("StartsLate"), Code::Ok, 300);
}

/// Threads count to their very end, while others begin with the counters that they leave behind.
#[test]
fn a5_threads_end_and_begin_side_by_side() {
    const AT_ONCE: u64 = 8;
    const ROUNDS: u64 = 60;
    const BURST: u64 = 1_000;
    static TALLY: Tally = Tally::new();
    let watcher = watch("SideBySide", &TALLY);
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                for _ in 0..ROUNDS {
                    thread::spawn(|| {
                        STARTS_LATE.set(Some(StartsLate(&TALLY, "SideBySide", BURST)));
                        count(&TALLY, "SideBySide", BURST);
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
    static TALLY: Tally = Tally::new();
    let (service, metrics) = service();
    let watcher = Watcher::of_method(&metrics, SERVICE, "Watch", &TALLY);
    for _ in 0..RPCS {
        TALLY.begin(1);
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
        TALLY.end(1);
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
