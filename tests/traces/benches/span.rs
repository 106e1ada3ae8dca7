//! What a span adds to measuring one unary RPC: nothing that anybody wants, and then what is wanted.
//!
//! `cargo bench -p traces --bench span`

use std::hint::black_box;
use std::sync::LazyLock;
use std::time::Instant;

use grpc_metrics_runtime::__private::{Method, Service, method, rpc};
use grpc_metrics_runtime::GrpcMetrics;
use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
use tonic::{Code, Request};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry;

const RPCS: u32 = 20_000;
const ROUNDS: usize = 41;

static WITHOUT: Method = method("bench.Service", "Without", false, false).without_span().build();
static WITH: Method = method("bench.Service", "With", false, false).build();

grpc_metrics_runtime::__private::submit! {
    Service {
        name: "bench.Service",
        implementation: "Service for Bench",
        file: file!(),
        line: line!(),
        chooses_instance: false,
        methods: &[&WITHOUT, &WITH],
    }
}

static REQUEST: LazyLock<Request<()>> = LazyLock::new(|| Request::new(()));

fn measure(method: &'static Method) {
    let mut rpc = rpc(method, &*REQUEST);
    rpc.enter().leave();
    rpc.end(black_box(Code::Ok));
}

/// Nanoseconds per RPC.
fn time(method: &'static Method) -> f64 {
    let start = Instant::now();
    for _ in 0..RPCS {
        measure(method);
    }
    start.elapsed().as_secs_f64() * 1e9 / f64::from(RPCS)
}

fn median(mut samples: Vec<f64>) -> f64 {
    samples.sort_by(f64::total_cmp);
    samples[samples.len() / 2]
}

/// One method without a span and one with, in turns.
fn compare(what: &str) {
    let rounds: Vec<_> = (0..ROUNDS).map(|_| (time(&WITHOUT), time(&WITH))).collect();
    let without = median(rounds.iter().map(|(without, _)| *without).collect());
    let with = median(rounds.iter().map(|(_, with)| *with).collect());
    println!("{what:<44}{without:>8.1}{with:>8.1}{:>+8.1}", with - without);
}

fn main() {
    GrpcMetrics::global();
    println!("ns per RPC, median of {ROUNDS} rounds of {RPCS} RPCs; feature `opentelemetry` on\n");
    println!("{:<44}{:>8}{:>8}", "", "span off", "on");
    compare("no subscriber");
    tracing::subscriber::with_default(registry(), || compare("a subscriber that keeps spans"));
    for (what, sampler) in
        [("OpenTelemetry, not sampled", Sampler::AlwaysOff), ("sampled", Sampler::AlwaysOn)]
    {
        // No exporter, so that only the making of spans is measured.
        let provider = SdkTracerProvider::builder().with_sampler(sampler).build();
        let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("bench"));
        tracing::subscriber::with_default(registry().with(layer), || compare(what));
    }
}
