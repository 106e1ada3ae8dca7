//! Throughput and latency, the variants in turns.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinSet;

use crate::Failure;
use crate::server::{Variant, listen};
use crate::table::{median, quantile};
use crate::workload::{Client, Workload, connect};

const ROUNDS: usize = 15;
const ROUND: Duration = Duration::from_millis(200);
/// RPCs at a time, on one connection.
const AT_A_TIME: usize = 16;
const STREAM: u32 = 500;

/// RPCs (or messages) per second, and microseconds per RPC (or message of a stream).
type Sample = [f64; 3];

pub(crate) fn run() -> Result<(), Failure> {
    // A server on a thread of its own, and the clients on another.
    let servers = Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let mut clients = Vec::new();
    for variant in Variant::ALL {
        let address = start(&servers, variant)?;
        clients.push(runtime.block_on(connect(address))?);
    }

    println!(
        "Wall clock: {AT_A_TIME} RPCs at a time, server and clients on a thread each; medians of \
         {ROUNDS} rounds of {} ms.\nStreams have {STREAM} messages; what is said of them is per \
         message, their time from start to end divided.\nRatios to bare: the median of the rounds' \
         own, and their lowest and highest for throughput.\n",
        ROUND.as_millis(),
    );
    for workload in Workload::ALL {
        let mut rounds = Vec::new();
        for round in 0..=ROUNDS {
            let mut samples = [Sample::default(); Variant::ALL.len()];
            // Who begins changes, so that nobody always follows the same one.
            for turn in 0..samples.len() {
                let i = (round + turn) % samples.len();
                samples[i] = runtime.block_on(load(&clients[i], workload))?;
            }
            rounds.push(samples);
        }
        // The first one was for the caches.
        print(workload, &rounds[1..]);
    }
    servers.shutdown_background();
    Ok(())
}

/// Serves in the background.
pub(crate) fn start(servers: &Runtime, variant: Variant) -> Result<SocketAddr, Failure> {
    let (listener, address) = servers.block_on(listen())?;
    servers.spawn(async move {
        if let Err(error) = variant.serve(listener).await {
            eprintln!("{}: {error}", variant.name());
        }
    });
    Ok(address)
}

async fn load(client: &Client, workload: Workload) -> Result<Sample, Failure> {
    let start = Instant::now();
    let callers: JoinSet<Result<Vec<f64>, Failure>> = (0..AT_A_TIME)
        .map(|_| {
            let mut client = client.clone();
            async move {
                let mut micros = Vec::new();
                while start.elapsed() < ROUND {
                    let start = Instant::now();
                    workload.call(&mut client, STREAM).await?;
                    micros.push(start.elapsed().as_secs_f64() * 1e6);
                }
                Ok(micros)
            }
        })
        .collect();
    let mut micros = Vec::new();
    for of_caller in callers.join_all().await {
        micros.extend(of_caller?);
    }
    let elapsed = start.elapsed().as_secs_f64();
    let per_rpc = if workload.streams() { f64::from(STREAM) } else { 1.0 };
    #[allow(clippy::cast_precision_loss)]
    let per_second = micros.len() as f64 * per_rpc / elapsed;
    let mut latency = |share| quantile(&mut micros, share) / per_rpc;
    Ok([per_second, latency(0.5), latency(0.99)])
}

fn print(workload: Workload, rounds: &[[Sample; Variant::ALL.len()]]) {
    println!(
        "{:<46}{:>9}{:>9}{:>9}   ÷ bare:{:>6}{:>6}{:>6}",
        workload.name(),
        if workload.streams() { "msgs/s" } else { "RPCs/s" },
        "P50 µs",
        "P99 µs",
        "/s",
        "P50",
        "P99"
    );
    for (i, variant) in Variant::ALL.into_iter().enumerate() {
        let [per_second, p50, p99] =
            [0, 1, 2].map(|what| median(rounds.iter().map(|round| round[i][what])));
        print!("  {:<44}{per_second:>9.0}{p50:>9.2}{p99:>9.2}", variant.name());
        if variant != Variant::Bare {
            let ratio =
                |what: usize| rounds.iter().map(move |round| round[i][what] / round[0][what]);
            let [per_second, p50, p99] = [0, 1, 2].map(|what| median(ratio(what)));
            let (low, high) =
                (ratio(0).fold(f64::NAN, f64::min), ratio(0).fold(f64::NAN, f64::max));
            print!("          {per_second:>6.2}{p50:>6.2}{p99:>6.2}   {low:.2} to {high:.2}");
        }
        println!();
    }
    println!();
}
