//! What counting on many threads costs: resident memory, and a scrape's time.
//!
//! `cargo bench -p tests --bench memory`, on Linux. Each row comes from a process of its own.

mod timing;

use std::fs;
use std::hint::black_box;
use std::process::Command;
use std::sync::Barrier;
use std::thread;

use grpc_metrics_runtime::__private::{Method, method, rpc};
use grpc_metrics_runtime::GrpcMetrics;
use tonic::{Code, Request};

use self::timing::median_millis;

const METHODS: usize = 1_000;
const THREADS: [usize; 4] = [1, 2, 8, 64];
/// How many codes each method ends with on each thread, the likely ones first.
const CODES: [usize; 3] = [1, 2, 5];
const LIKELY: [Code; 5] =
    [Code::Ok, Code::NotFound, Code::Cancelled, Code::Internal, Code::InvalidArgument];
const SCRAPES: usize = 21;

fn main() {
    let args: Vec<usize> = std::env::args().filter_map(|arg| arg.parse().ok()).collect();
    match args[..] {
        [threads, codes] => child(threads, codes),
        _ => parent(),
    }
}

fn parent() {
    println!(
        "{METHODS} methods, counted on so many threads with so many codes each. Resident bytes that came"
    );
    println!(
        "with it, for each method, thread and code; a snapshot's and a scrape's time, medians of"
    );
    println!("{SCRAPES}; and the process's resident memory.\n");
    println!(
        "{:>8}{:>7}{:>13}{:>14}{:>12}{:>12}{:>12}",
        "threads", "codes", "bytes each", "snapshot, ms", "scrape, ms", "memory, MB", "peak, MB"
    );
    for threads in THREADS {
        for codes in CODES {
            let program = std::env::current_exe().expect("the program has a path");
            let args = [threads, codes].map(|n| n.to_string());
            let status = Command::new(program).args(args).status().expect("the program runs");
            assert!(status.success(), "a row failed");
        }
    }
}

/// One row of the table.
#[allow(clippy::cast_precision_loss)]
fn child(threads: usize, codes: usize) {
    GrpcMetrics::global();
    let new = |i| method("bench.Service", format!("Method{i:04}").leak(), false, false).build();
    let methods: Vec<&'static Method> =
        (0..METHODS).map(|i| &*Box::leak(Box::new(new(i)))).collect();
    let count = || {
        for method in &methods {
            for code in &LIKELY[..codes] {
                let mut rpc = rpc(method, &Request::new(()));
                rpc.enter().leave();
                rpc.end(*code);
            }
        }
    };
    // The threads are there before, and stay until all is read.
    let [ready, go, counted, read] = [(); 4].map(|()| Barrier::new(threads + 1));
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                ready.wait();
                go.wait();
                count();
                counted.wait();
                read.wait();
            });
        }
        ready.wait();
        let before = status("VmRSS");
        go.wait();
        counted.wait();
        let grown = (status("VmRSS") - before) as f64;
        let all = (METHODS * threads * codes) as f64;
        let snapshot = median_millis(SCRAPES, || drop(black_box(GrpcMetrics::global().snapshot())));
        let encode = || drop(black_box(GrpcMetrics::global().encode().expect("it is text")));
        let scrape = median_millis(SCRAPES, encode);
        println!(
            "{threads:>8}{codes:>7}{:>13.0}{snapshot:>14.2}{scrape:>12.2}{:>12.1}{:>12.1}",
            grown / all,
            status("VmRSS") as f64 / 1e6,
            status("VmHWM") as f64 / 1e6,
        );
        read.wait();
    });
}

/// In bytes.
fn status(name: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("this is Linux");
    let line = status.lines().find_map(|line| line.strip_prefix(name)).expect("Linux tells it");
    let kib = line.trim_matches(|c: char| !c.is_ascii_digit());
    kib.parse::<u64>().expect("a number of KiB") * 1024
}
