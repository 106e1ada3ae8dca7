//! What 1,000 methods with all 17 codes cost: time and bytes of a scrape, and memory.
//!
//! `cargo bench -p tests --bench scrape`

mod timing;

use std::hint::black_box;
use std::sync::Barrier;
use std::thread;

use allocation_counter::measure;
use grpc_metrics_runtime::prometheus::core::Collector;
use grpc_metrics_runtime::prometheus::{Registry, TextEncoder};
use grpc_metrics_runtime::tonic::Code;
use grpc_metrics_runtime::{GrpcMetrics, GrpcMetricsBuilder, Naming, RequestGuard};

use self::timing::median_millis;

const METHODS: usize = 1_000;
const CODES: i32 = 17;
const THREADS: usize = 2;
const ROUNDS: usize = 21;

fn main() {
    let registry = Registry::new();
    let metrics =
        GrpcMetrics::builder().registry(&registry).build().expect("the settings are right");
    metrics.install().expect("nothing was installed before");
    let methods: Vec<&'static str> =
        (0..METHODS).map(|i| &*Box::leak(format!("Method{i:04}").into_boxed_str())).collect();

    // Each thread counts the bytes that it allocates; it keeps its lease until all have counted.
    let (barrier, methods) = (&Barrier::new(THREADS), &methods);
    let bytes: Vec<u64> = thread::scope(|scope| {
        let count = move || {
            let all_codes = || {
                for method in methods {
                    for code in 0..CODES {
                        RequestGuard::new("bench.Service", method).complete(Code::from_i32(code));
                    }
                }
            };
            let held = measure(all_codes).bytes_current;
            barrier.wait();
            u64::try_from(held).expect("counts stay")
        };
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(count)).collect();
        threads.into_iter().map(|thread| thread.join().expect("counting does not panic")).collect()
    });
    #[allow(clippy::cast_precision_loss)]
    let bytes = bytes.iter().sum::<u64>() as f64;
    #[allow(clippy::cast_precision_loss)]
    let combinations = (METHODS * 17) as f64;

    let collect = median_millis(ROUNDS, || drop(black_box(GrpcMetrics::global().collect())));
    let gather = median_millis(ROUNDS, || drop(black_box(registry.gather())));
    let encode = || GrpcMetrics::global().encode().expect("it is text");
    let whole = median_millis(ROUNDS, || drop(black_box(encode())));
    let text_encoder =
        || TextEncoder::new().encode_to_string(&registry.gather()).expect("it is text");
    let theirs = median_millis(ROUNDS, || drop(black_box(text_encoder())));
    let openmetrics = || GrpcMetrics::global().encode_openmetrics().expect("it is OpenMetrics");
    let open = median_millis(ROUNDS, || drop(black_box(openmetrics())));
    let snapshot = median_millis(ROUNDS, || drop(black_box(GrpcMetrics::global().snapshot())));
    let text = encode();

    println!(
        "{METHODS} methods with {CODES} codes, counted on {THREADS} threads; medians of {ROUNDS}\n"
    );
    println!("a scrape                     {whole:>8.2} ms");
    println!("  of which reading the cells {snapshot:>8.2} ms");
    println!("the same in OpenMetrics      {open:>8.2} ms");
    println!("the same with TextEncoder    {theirs:>8.2} ms");
    println!("  of which in the registry   {gather:>8.2} ms");
    println!("  of which our collector     {collect:>8.2} ms");
    println!(
        "its text                     {:>8} bytes in {} lines",
        text.len(),
        text.lines().count()
    );
    #[allow(clippy::cast_precision_loss)]
    let per_method = bytes / METHODS as f64;
    println!("memory per method            {per_method:>8.0} bytes");
    println!("memory per label combination {:>8.0} bytes", bytes / combinations);

    println!("\nan instance in each naming, counted on one thread");
    for naming in
        [Naming::Default, Naming::GoGrpcPrometheus, Naming::OpenTelemetry, Naming::GrpcA66]
    {
        let metrics = counted(methods, |builder| builder.naming(naming));
        let encode = || metrics.encode().expect("it is text");
        let whole = median_millis(ROUNDS, || drop(black_box(encode())));
        let name = format!("{naming:?}");
        println!("{name:<29}{whole:>8.2} ms, {:>9} bytes", encode().len());
    }
    let native = counted(methods, GrpcMetricsBuilder::native_histograms);
    let encode = || native.encode_protobuf().expect("it is valid");
    let whole = median_millis(ROUNDS, || drop(black_box(encode())));
    println!("protobuf, native histograms  {whole:>8.2} ms, {:>9} bytes", encode().len());
}

/// Returns an instance that has counted all methods with all codes.
fn counted(
    methods: &[&'static str],
    settings: impl FnOnce(GrpcMetricsBuilder) -> GrpcMetricsBuilder,
) -> GrpcMetrics {
    let builder = settings(GrpcMetrics::builder().registry(&Registry::new()));
    let metrics = builder.build().expect("the settings are right");
    for method in methods {
        for code in 0..CODES {
            metrics.guard("bench.Service", method).complete(Code::from_i32(code));
        }
    }
    metrics
}
