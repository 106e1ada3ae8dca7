//! What a span adds to measuring one unary RPC: nothing that anybody wants, and then what is wanted.
//!
//! `cargo bench -p traces --bench span`

use std::hint::black_box;
use std::sync::LazyLock;
use std::time::Instant;

use grpc_metrics_runtime::__private::{Method, method, rpc, service};
use grpc_metrics_runtime::GrpcMetrics;
use opentelemetry::global;
use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
use tonic::{Code, Request};
use traces::Caller;
use tracing::Subscriber;
use tracing::subscriber::with_default;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry;

const RPCS: u32 = 20_000;
const ROUNDS: usize = 41;

static WITHOUT: Method = method("bench.Service", "Without", false, false).without_span().build();
static WITH: Method = method("bench.Service", "With", false, false).build();

grpc_metrics_runtime::__private::submit! {
    service("bench.Service", "Service for Bench", false, &[&WITHOUT, &WITH])
}

static ALONE: LazyLock<Request<()>> = LazyLock::new(|| Request::new(()));
static WITH_CALLER: LazyLock<Request<()>> = LazyLock::new(|| Caller::new(true).request(()));

fn measure(method: &'static Method, request: &Request<()>) {
    let mut rpc = rpc(method, request);
    rpc.enter().leave();
    rpc.end(black_box(Code::Ok));
}

/// Nanoseconds per RPC.
fn time(method: &'static Method, request: &Request<()>) -> f64 {
    let start = Instant::now();
    for _ in 0..RPCS {
        measure(method, request);
    }
    start.elapsed().as_secs_f64() * 1e9 / f64::from(RPCS)
}

fn median(mut samples: Vec<f64>) -> f64 {
    samples.sort_by(f64::total_cmp);
    samples[samples.len() / 2]
}

/// One method without a span and one with, in turns.
fn compare(what: &str, request: &Request<()>) {
    let rounds: Vec<_> =
        (0..ROUNDS).map(|_| (time(&WITHOUT, request), time(&WITH, request))).collect();
    let without = median(rounds.iter().map(|(without, _)| *without).collect());
    let with = median(rounds.iter().map(|(_, with)| *with).collect());
    println!("{what:<44}{without:>8.1}{with:>8.1}{:>+8.1}", with - without);
}

fn main() {
    GrpcMetrics::global();
    println!("ns per RPC, median of {ROUNDS} rounds of {RPCS} RPCs; feature `opentelemetry` on\n");
    println!("{:<44}{:>8}{:>8}", "", "span off", "on");
    compare("no subscriber", &ALONE);
    with_default(registry(), || compare("a subscriber that keeps spans", &ALONE));
    for (what, sampler) in
        [("OpenTelemetry, not sampled", Sampler::AlwaysOff), ("sampled", Sampler::AlwaysOn)]
    {
        with_default(opentelemetry(sampler, LevelFilter::TRACE), || compare(what, &ALONE));
    }
    println!("\nwith a caller's trace, and a propagator that reads it\n");
    global::set_text_map_propagator(TraceContextPropagator::new());
    compare("no subscriber", &WITH_CALLER);
    let filtered = opentelemetry(Sampler::AlwaysOn, LevelFilter::ERROR);
    with_default(filtered, || compare("OpenTelemetry, the span filtered out", &WITH_CALLER));
    let sampled = opentelemetry(Sampler::AlwaysOn, LevelFilter::TRACE);
    with_default(sampled, || compare("sampled", &WITH_CALLER));
}

/// No exporter, so that only the making of spans is measured.
fn opentelemetry(sampler: Sampler, ours: LevelFilter) -> impl Subscriber + Send + Sync {
    let provider = SdkTracerProvider::builder().with_sampler(sampler).build();
    let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("bench"));
    // The program's own are wanted, whatever becomes of the RPCs'.
    let filter = Targets::new()
        .with_target("bench", LevelFilter::INFO)
        .with_target("grpc_metrics_runtime", ours);
    registry().with(filter).with(layer)
}
