//! What measuring one unary RPC costs: the floor, ours, and what one would write instead, in one run.
//!
//! `cargo bench -p tests --bench record`

use std::hint::black_box;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Barrier, LazyLock};
use std::task::{Context, Waker};
use std::time::{Duration, Instant};
use std::{future, pin, thread};

use grpc_metrics_runtime::__private::{Method, MethodKind, Service, rpc, until_return};
use grpc_metrics_runtime::prometheus::{
    Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts,
};
use grpc_metrics_runtime::{GrpcMetrics, RequestGuard};
use quanta::Clock;
use tonic::{Code, Request, Response, Status};

const RPCS: u32 = 100_000;
const ROUNDS: usize = 41;
const THREADS: [usize; 2] = [1, 2];

fn main() {
    GrpcMetrics::global();
    let contenders: [(&str, fn()); 8] = [
        ("floor: two reads of the same clock", floor),
        ("a handler that is ready at once", bare),
        ("the same, instrumented", instrumented),
        ("the same, instrumented, with metadata", instrumented_with_metadata),
        ("the same, with metadata", bare_with_metadata),
        ("RequestGuard", request_guard),
        ("resolved prometheus handles", resolved_handles),
        ("hand-written guard", hand_written),
    ];
    // In turns, so that a slower minute of the machine slows all of them.
    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        rounds.push(contenders.map(|(_, rpc)| THREADS.map(|threads| time(threads, rpc))));
    }
    let median = |of: &dyn Fn(&[[f64; 2]; 8]) -> f64| {
        let mut samples: Vec<f64> = rounds.iter().map(of).collect();
        samples.sort_by(f64::total_cmp);
        samples[samples.len() / 2]
    };
    let both = |of: &dyn Fn(&[[f64; 2]; 8], usize) -> f64| {
        [0, 1].map(|threads| median(&|round| of(round, threads)))
    };
    let floor = both(&|round, threads| round[0][threads]);
    // What the attribute adds to a handler: start, end, and all families.
    let ours = both(&|round, threads| round[2][threads] - round[1][threads]);
    let ours_with_metadata = both(&|round, threads| round[3][threads] - round[4][threads]);

    println!("ns per RPC, median of {ROUNDS} rounds of {RPCS} RPCs on each thread\n");
    println!("{:<46}{:>9}{:>10}", "", "1 thread", "2 threads");
    let line = |name: &str, [one, two]: [f64; 2]| println!("{name:<46}{one:>9.2}{two:>10.2}");
    for (i, (name, _)) in contenders.iter().enumerate() {
        line(name, both(&|round, threads| round[i][threads]));
    }
    line("#[instrument_grpc]: the difference", ours);
    line("#[instrument_grpc]: with metadata", ours_with_metadata);

    println!("\n{:<46}{:>9}{:>10}", "ratios", "1 thread", "2 threads");
    let ratio = |name: &str, a: [f64; 2], b: [f64; 2]| line(name, [a[0] / b[0], a[1] / b[1]]);
    ratio("#[instrument_grpc] ÷ floor", ours, floor);
    ratio("#[instrument_grpc] ÷ itself on 1 thread", ours, [ours[0]; 2]);
    ratio("RequestGuard ÷ #[instrument_grpc]", both(&|round, t| round[5][t]), ours);
    ratio("prometheus handles ÷ #[instrument_grpc]", both(&|round, t| round[6][t]), ours);
    ratio("hand-written guard ÷ #[instrument_grpc]", both(&|round, t| round[7][t]), ours);
}

/// Nanoseconds per call, with so many threads calling at once.
fn time(threads: usize, rpc: fn()) -> f64 {
    let barrier = Arc::new(Barrier::new(threads));
    let run = move || {
        for _ in 0..RPCS / 10 {
            rpc();
        }
        barrier.wait();
        let start = Instant::now();
        for _ in 0..RPCS {
            rpc();
        }
        start.elapsed().as_secs_f64() * 1e9 / f64::from(RPCS)
    };
    let running: Vec<_> = (0..threads).map(|_| thread::spawn(run.clone())).collect();
    let times: Vec<f64> =
        running.into_iter().map(|thread| thread.join().expect("no contender panics")).collect();
    #[allow(clippy::cast_precision_loss)]
    let mean = times.iter().sum::<f64>() / threads as f64;
    mean
}

fn floor() {
    static CLOCK: LazyLock<Clock> = LazyLock::new(Clock::new);
    let clock = &*CLOCK;
    let start = clock.raw();
    black_box(clock.delta_as_nanos(start, clock.raw()));
}

static METHOD: Method = Method::new("bench.Service", "Method", MethodKind::Unary);

grpc_metrics_runtime::__private::submit! {
    Service {
        name: "bench.Service",
        implementation: "Service for Bench",
        file: file!(),
        line: line!(),
        chooses_instance: false,
        methods: &[&METHOD],
    }
}

static PLAIN: LazyLock<Request<()>> = LazyLock::new(|| Request::new(()));

/// What a request brings along that a tonic client has sent with a timeout.
static WITH_METADATA: LazyLock<Request<()>> = LazyLock::new(|| {
    let mut request = Request::new(());
    request.set_timeout(Duration::from_secs(1));
    let metadata = request.metadata_mut();
    for (key, value) in
        [("content-type", "application/grpc"), ("te", "trailers"), ("user-agent", "bench")]
    {
        metadata.insert(key, value.parse().expect("these are ASCII"));
    }
    request
});

type Returned = Result<Response<()>, Status>;

fn handler(request: &Request<()>) -> impl Future<Output = Returned> + use<> {
    black_box(request);
    future::ready(Ok(Response::new(())))
}

/// As a server polls it.
#[inline]
fn poll<F: Future>(future: F) {
    let mut context = Context::from_waker(Waker::noop());
    assert!(black_box(pin::pin!(future).as_mut().poll(&mut context)).is_ready());
}

fn bare() {
    poll(handler(&PLAIN));
}

fn instrumented() {
    poll(until_return::<Returned, _>(rpc(&METHOD, &*PLAIN), handler(&PLAIN)));
}

fn bare_with_metadata() {
    poll(handler(&WITH_METADATA));
}

fn instrumented_with_metadata() {
    poll(until_return::<Returned, _>(rpc(&METHOD, &*WITH_METADATA), handler(&WITH_METADATA)));
}

fn request_guard() {
    RequestGuard::new("bench.Service", "ByHand").complete(Code::Ok);
}

fn resolved_handles() {
    struct Handles {
        ok: IntCounter,
        duration: Histogram,
        in_flight: IntGauge,
    }
    static HANDLES: LazyLock<Handles> = LazyLock::new(|| Handles {
        ok: IntCounter::new("ok", "ok").expect("a legal name"),
        duration: Histogram::with_opts(HistogramOpts::new("duration", "duration"))
            .expect("a legal name"),
        in_flight: IntGauge::new("in_flight", "in_flight").expect("a legal name"),
    });
    let handles = &*HANDLES;
    handles.in_flight.inc();
    let start = Instant::now();
    handles.duration.observe(black_box(start).elapsed().as_secs_f64());
    handles.ok.inc();
    handles.in_flight.dec();
}

/// The guard that such services write by hand: owned labels, a flag for the first completion, every
/// series looked up by its labels.
struct HandWritten {
    service: String,
    method: String,
    start: Instant,
    completed: Arc<AtomicBool>,
}

struct Vectors {
    requests: IntCounterVec,
    duration: HistogramVec,
    in_flight: IntGaugeVec,
}

static VECTORS: LazyLock<Vectors> = LazyLock::new(|| Vectors {
    requests: IntCounterVec::new(Opts::new("r", "r"), &["service", "method", "code"])
        .expect("legal names"),
    duration: HistogramVec::new(HistogramOpts::new("d", "d"), &["service", "method"])
        .expect("legal names"),
    in_flight: IntGaugeVec::new(Opts::new("f", "f"), &["service", "method"]).expect("legal names"),
});

impl HandWritten {
    fn new(service: &str, method: &str) -> Self {
        VECTORS.in_flight.with_label_values(&[service, method]).inc();
        Self {
            service: service.to_owned(),
            method: method.to_owned(),
            start: Instant::now(),
            completed: Arc::new(AtomicBool::new(false)),
        }
    }

    fn complete(&self, code: &str) {
        if self.completed.swap(true, Ordering::SeqCst) {
            return;
        }
        let labels = [self.service.as_str(), self.method.as_str()];
        VECTORS.requests.with_label_values(&[labels[0], labels[1], code]).inc();
        VECTORS.duration.with_label_values(&labels).observe(self.start.elapsed().as_secs_f64());
    }
}

impl Drop for HandWritten {
    fn drop(&mut self) {
        VECTORS.in_flight.with_label_values(&[&self.service, &self.method]).dec();
    }
}

fn hand_written() {
    HandWritten::new("bench.Service", "Method").complete("0");
}
