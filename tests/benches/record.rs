//! What measuring one unary RPC costs: the floor, ours, and what one would write instead, in one run.
//!
//! `cargo bench -p tests --bench record`

use std::hint::black_box;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Barrier, LazyLock};
use std::task::{Context, Waker};
use std::thread;
use std::time::{Duration, Instant};

use grpc_metrics_runtime::__private::{
    self as private, Method, at_return, method, rpc, rpc_in, service,
};
use grpc_metrics_runtime::prometheus::{
    Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts,
    Registry,
};
use grpc_metrics_runtime::{GrpcMetrics, GrpcMetricsBuilder, RequestGuard};
use quanta::Clock;
use tonic::{Code, Request, Response, Status};

const RPCS: u32 = 100_000;
const ROUNDS: usize = 41;
const CONTENDERS: usize = 13;
const THREADS: [usize; 2] = [1, 2];

fn main() {
    GrpcMetrics::global();
    let contenders: [(&str, fn()); CONTENDERS] = [
        ("control: arithmetic on registers", arithmetic),
        ("floor: two reads of the same clock", floor),
        ("ours: deadline, start, end", ours),
        ("ours, of a request with metadata", ours_with_metadata),
        ("RequestGuard", request_guard),
        ("resolved prometheus handles", resolved_handles),
        ("hand-written guard", hand_written),
        ("a handler that is ready at once", bare),
        ("the same under #[instrument_grpc]", instrumented),
        ("a handler, of a request with metadata", bare_with_metadata),
        ("the same under #[instrument_grpc]", instrumented_with_metadata),
        ("ours, in an instance of one's own", ours_in_own),
        ("the same with native histograms", ours_with_native),
    ];
    // In turns, so that a slower minute of the machine slows all of them.
    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        rounds.push(contenders.map(|(_, rpc)| THREADS.map(|threads| time(threads, rpc))));
    }
    let median = |of: &dyn Fn(&[[f64; 2]; CONTENDERS]) -> f64| {
        let mut samples: Vec<f64> = rounds.iter().map(of).collect();
        samples.sort_by(f64::total_cmp);
        samples[samples.len() / 2]
    };
    let both = |of: &dyn Fn(&[[f64; 2]; CONTENDERS], usize) -> f64| {
        [0, 1].map(|threads| median(&|round| of(round, threads)))
    };
    println!("ns per RPC, median of {ROUNDS} rounds of {RPCS} RPCs on each thread\n");
    println!("{:<46}{:>9}{:>10}", "", "1 thread", "2 threads");
    let line = |name: &str, [one, two]: [f64; 2]| println!("{name:<46}{one:>9.2}{two:>10.2}");
    for (i, (name, _)) in contenders.iter().enumerate() {
        line(name, both(&|round, threads| round[i][threads]));
    }

    let medians: Vec<[f64; 2]> =
        (0..contenders.len()).map(|i| both(&|round, threads| round[i][threads])).collect();
    println!("\n{:<46}{:>9}{:>10}", "ratios of the medians", "1 thread", "2 threads");
    let ratio = |name: &str, of: &dyn Fn(usize) -> f64| line(name, [of(0), of(1)]);
    let [control, floor, ours, with_metadata, guard, handles, by_hand, bare, ..] = medians[..]
    else {
        unreachable!("there are that many contenders")
    };
    let [.., instrumented, bare_with_metadata, instrumented_with_metadata, own, native] =
        medians[..]
    else {
        unreachable!("there are that many contenders")
    };
    ratio("ours ÷ floor", &|t| ours[t] / floor[t]);
    ratio("ours, with metadata ÷ floor", &|t| with_metadata[t] / floor[t]);
    ratio("ours ÷ ours on 1 thread", &|t| ours[t] / ours[0]);
    ratio("control ÷ control on 1 thread", &|t| control[t] / control[0]);
    ratio("with native histograms ÷ without", &|t| native[t] / own[t]);
    ratio("RequestGuard ÷ ours", &|t| guard[t] / ours[t]);
    ratio("prometheus handles ÷ ours", &|t| handles[t] / ours[t]);
    ratio("hand-written guard ÷ ours", &|t| by_hand[t] / ours[t]);
    ratio("hand-written guard ÷ floor", &|t| by_hand[t] / floor[t]);
    println!("\nns that the attribute adds to a handler, the medians' difference");
    ratio("", &|t| instrumented[t] - bare[t]);
    ratio("of a request with metadata", &|t| instrumented_with_metadata[t] - bare_with_metadata[t]);
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

/// What threads can't slow by what they share in memory: xorshifts side by side. If this takes longer, the
/// processor gives less.
fn arithmetic() {
    let mut numbers = black_box([1_u64, 2, 3, 4, 5, 6]);
    for _ in 0..8 {
        for x in &mut numbers {
            *x ^= *x << 13;
            *x ^= *x >> 7;
            *x ^= *x << 17;
        }
    }
    black_box(numbers);
}

fn floor() {
    static CLOCK: LazyLock<Clock> = LazyLock::new(Clock::new);
    let clock = &*CLOCK;
    let start = clock.raw();
    black_box(clock.delta_as_nanos(start, clock.raw()));
}

static METHOD: Method = method("bench.Service", "Method", false, false).build();

grpc_metrics_runtime::__private::submit! {
    service("bench.Service", "Service for Bench", false, &[&METHOD])
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

fn measure(request: &Request<()>) {
    let mut rpc = rpc(&METHOD, request);
    rpc.enter().leave();
    rpc.end(black_box(Code::Ok));
}

fn ours() {
    measure(&PLAIN);
}

fn ours_with_metadata() {
    measure(&WITH_METADATA);
}

/// An instance in a registry of its own.
fn instance(settings: fn(GrpcMetricsBuilder) -> GrpcMetricsBuilder) -> GrpcMetrics {
    let builder = GrpcMetrics::builder().registry(&Registry::new());
    settings(builder).build().expect("the settings are right")
}

fn measure_in(metrics: &GrpcMetrics) {
    let mut rpc = rpc_in(metrics, &METHOD, &*PLAIN);
    rpc.enter().leave();
    rpc.end(black_box(Code::Ok));
}

fn ours_in_own() {
    static OWN: LazyLock<GrpcMetrics> = LazyLock::new(|| instance(|builder| builder));
    measure_in(&OWN);
}

fn ours_with_native() {
    static NATIVE: LazyLock<GrpcMetrics> =
        LazyLock::new(|| instance(GrpcMetricsBuilder::native_histograms));
    measure_in(&NATIVE);
}

/// A handler as `#[tonic::async_trait]` makes it.
type Handler = Pin<Box<dyn Future<Output = Returned> + Send>>;

#[inline(never)]
fn handler(request: &'static Request<()>) -> Handler {
    Box::pin(async move {
        black_box(request);
        Ok(Response::new(()))
    })
}

/// The same with what the attribute adds.
#[inline(never)]
fn instrumented_handler(request: &'static Request<()>) -> Handler {
    private::measure_boxed(at_return::<Returned>(), rpc(&METHOD, request), async move {
        black_box(request);
        Ok(Response::new(()))
    })
}

/// As a server polls it.
#[inline(never)]
fn poll(mut handler: Handler) {
    let mut context = Context::from_waker(Waker::noop());
    assert!(black_box(handler.as_mut().poll(&mut context)).is_ready());
}

fn bare() {
    poll(handler(&PLAIN));
}

fn instrumented() {
    poll(instrumented_handler(&PLAIN));
}

fn bare_with_metadata() {
    poll(handler(&WITH_METADATA));
}

fn instrumented_with_metadata() {
    poll(instrumented_handler(&WITH_METADATA));
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
        VECTORS.in_flight.with_label_values(&labels).dec();
    }
}

impl Drop for HandWritten {
    fn drop(&mut self) {
        let in_flight = VECTORS.in_flight.with_label_values(&[&self.service, &self.method]);
        if !self.completed.load(Ordering::SeqCst) {
            in_flight.dec();
        }
    }
}

fn hand_written() {
    HandWritten::new("bench.Service", "Method").complete("0");
}
