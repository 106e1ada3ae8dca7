//! Whether memory stays flat: RPCs with random endings, new connections, threads that come and go, new values of a
//! label, and scrapes in all formats, for an hour.
//!
//! `cargo bench -p tests --bench soak -- 60`, in minutes, on Linux. Fails if memory grows after the first sixth, or if a
//! count is not exact at the end.

use std::collections::BTreeMap;
use std::fs;
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use grpc_metrics_runtime::{RequestGuard, metadata};
use support::bed::{BedOf, Layered};
use support::clients::Kind;
use support::faults::forget_panics;
use support::random::{CLIENT, any_rpc, run};
use support::rng::Rng;
use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::{MissedTickBehavior, interval};
use tonic::Code;

/// RPCs per second, in as many tasks as there are connections.
const RATE: u64 = 240;
const CHANNELS: u64 = 8;
/// What an allocator and a histogram of new durations may still take, in KiB.
const SLACK: u64 = 2_048;

fn main() -> ExitCode {
    let minutes = std::env::args().find_map(|arg| arg.parse().ok()).unwrap_or(60);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.expect("a runtime").block_on(soak(Duration::from_secs(60 * minutes)))
}

async fn soak(time: Duration) -> ExitCode {
    let settings = |builder: grpc_metrics_runtime::GrpcMetricsBuilder| {
        builder.native_histograms().label("client", metadata(CLIENT)).at_most(4)
    };
    let bed = BedOf::<Layered>::with(settings).await;
    let mut rng = Rng::new(1);
    let mut expected = BTreeMap::<(Kind, i32), u64>::new();
    let (start, mut shown) = (Instant::now(), 0);
    let mut early = None;
    let mut ticks = interval(Duration::from_secs(1));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    println!("{:>7}{:>12}{:>12}{:>14}", "minutes", "RPCs", "KiB", "scrapes, ms");
    while start.elapsed() < time {
        ticks.tick().await;
        let mut tasks = JoinSet::new();
        for _ in 0..CHANNELS {
            let (channel, stage) = (bed.server.connect().await, bed.stage.clone());
            let rpcs: Vec<_> = (0..RATE / CHANNELS).map(|_| any_rpc(&mut rng)).collect();
            for rpc in &rpcs {
                *expected.entry((rpc.kind, i32::from(rpc.code))).or_default() += 1;
            }
            tasks.spawn(async move {
                for rpc in rpcs {
                    run(&channel, &stage, rpc).await;
                }
            });
        }
        let metrics = bed.metrics.clone();
        let guards = move || {
            let guard = RequestGuard::builder("soak.Service", "Get").metrics(&metrics);
            guard.start().complete(Code::Ok);
        };
        thread::spawn(guards).join().expect("a guard");
        while let Some(task) = tasks.join_next().await {
            task.expect("an RPC");
        }
        bed.stage.forget_hanging();
        forget_panics();
        let metrics = bed.metrics.clone();
        let scrapes = spawn_blocking(move || {
            let start = Instant::now();
            let text = metrics.encode().expect("valid").len();
            let open = metrics.encode_openmetrics().expect("valid").len();
            let protobuf = metrics.encode_protobuf().expect("valid").len();
            assert!(text > 0 && open > 0 && protobuf > 0);
            start.elapsed()
        });
        let scrapes = scrapes.await.expect("three scrapes");
        let memory = resident();
        if early.is_none() && start.elapsed() > time / 6 {
            early = Some(memory);
        }
        let minute = start.elapsed().as_secs() / 60;
        if minute >= shown {
            let rpcs: u64 = expected.values().sum();
            println!("{minute:>7}{rpcs:>12}{memory:>12}{:>14.1}", scrapes.as_secs_f64() * 1e3);
            shown = minute + 1;
        }
    }
    let grown = resident().saturating_sub(early.unwrap_or(0));
    let expected: Vec<_> =
        expected.into_iter().map(|((kind, code), n)| (kind, Code::from(code), n)).collect();
    bed.close(&expected).await;
    println!("all counts are exact; {grown} KiB came after the first sixth");
    if grown > SLACK { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// Resident memory in KiB.
fn resident() -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a size");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}
