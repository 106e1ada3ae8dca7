//! As a program whose default registry holds a collector of its own that meddles with the first use of the
//! metrics. The arguments say what that collector does, and what comes first. The text of the default
//! registry goes to stdout.

use std::panic::catch_unwind;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;

use grpc_metrics_runtime::prometheus::core::{Collector, Desc};
use grpc_metrics_runtime::prometheus::proto::MetricFamily;
use grpc_metrics_runtime::prometheus::{default_registry, gather};
use grpc_metrics_runtime::{GrpcMetrics, RequestGuard};
use support::pb::names::{Nothing, bare_server::Bare as _};
use support::scrape::text;
use tokio::runtime::Builder;
use tonic::{Code, Request};

use crate::Echo;

/// One RPC, without a server.
fn call() {
    let runtime = Builder::new_current_thread().build().unwrap();
    runtime.block_on(Echo.say(Request::new(Nothing {}))).unwrap();
}

/// Does this whenever a scrape asks it for its metrics, of which it has none.
struct Meddler(fn());

impl Collector for Meddler {
    fn desc(&self) -> Vec<&Desc> {
        Vec::new()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        (self.0)();
        Vec::new()
    }
}

fn panics_once() {
    static HAS_PANICKED: AtomicBool = AtomicBool::new(false);
    assert!(HAS_PANICKED.swap(true, Ordering::Relaxed), "the collector's first scrape");
}

fn asks_for_the_metrics() {
    GrpcMetrics::global();
}

fn opens_a_guard() {
    RequestGuard::new("meddler", "Collect").complete(Code::Ok);
}

pub(crate) fn run(meddler: &str, first: &str) {
    let meddler = match meddler {
        "panics once" => panics_once,
        "asks for the metrics" => asks_for_the_metrics,
        "opens a guard" => opens_a_guard,
        other => panic!("no such collector: {other}"),
    };
    default_registry().register(Box::new(Meddler(meddler))).unwrap();
    match first {
        "scrape" => {
            // What it gives, and whether it panics, is this collector's own affair.
            let _ = catch_unwind(gather);
            call();
        }
        "call" => drop(catch_unwind(call)),
        "calls at once" => {
            let all = Arc::new(Barrier::new(8));
            let callers = [(); 8].map(|()| {
                let all = all.clone();
                thread::spawn(move || {
                    all.wait();
                    call();
                    let _ = catch_unwind(gather);
                })
            });
            for caller in callers {
                caller.join().unwrap();
            }
        }
        other => panic!("nothing of that name comes first: {other}"),
    }
    // Registered when the scrape has ended that was going on.
    let shown = loop {
        match catch_unwind(|| text(default_registry())) {
            Ok(text) if text.contains("grpc_server_requests_total") => break text,
            _ => thread::yield_now(),
        }
    };
    println!("{shown}--");
}
