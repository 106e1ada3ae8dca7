//! Contract, N1: what the real Prometheus makes of native histograms.

use std::sync::Arc;
use std::time::Duration;

use grpc_metrics_runtime::{GrpcMetrics, http, instrument_grpc};
use quanta::{Clock, Mock};
use support::bed::own_metrics;
use support::pb::names::Nothing;
use support::pb::names::literal_client::LiteralClient;
use support::pb::names::literal_server::{Literal, LiteralServer};
use support::prometheus::Prometheus;
use support::rng::Rng;
use support::server::Server;
use support::wait::until;
use tokio::net::TcpListener;
use tokio::task::spawn_blocking;
use tonic::service::Routes;
use tonic::{Request, Response, Status};

/// A service whose RPCs take as long as their metadata says, by a clock of its own.
struct Timed {
    metrics: GrpcMetrics,
    time: Arc<Mock>,
}

#[instrument_grpc(service = "native.Timed", metrics = self.metrics)]
#[tonic::async_trait]
impl Literal for Timed {
    async fn say(&self, request: Request<Nothing>) -> Result<Response<Nothing>, Status> {
        let nanos = request.metadata().get("nanos").expect("it is sent");
        let nanos = nanos.to_str().expect("a number").parse().expect("a number");
        self.time.increment(Duration::from_nanos(nanos));
        if u64::is_multiple_of(nanos, 3) {
            Err(Status::not_found("scripted"))
        } else {
            Ok(Response::new(Nothing {}))
        }
    }
}

/// Returns the smallest value that this share of the sorted values is not above.
fn exact(sorted: &[u64], quantile: f64) -> f64 {
    #[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss, clippy::cast_sign_loss)]
    let rank = (quantile * sorted.len() as f64).ceil() as usize;
    Duration::from_nanos(sorted[rank - 1]).as_secs_f64()
}

/// Returns durations in nanoseconds: most around two milliseconds, and one in ten around half a second.
fn load(rng: &mut Rng) -> u64 {
    let around = if rng.below(10) == 0 { 500_000_000 } else { 2_000_000 };
    // Up to a factor of four to either side, more often near the middle.
    let factor = (0..4).map(|_| 1 + rng.below(1_000)).sum::<u64>();
    around * factor / 2_000
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the prometheus and promtool programs"]
async fn n1_prometheus_has_the_quantiles_of_a_known_load() {
    const RPCS: usize = 3_000;
    let (clock, time) = Clock::mock();
    let (_, metrics) = own_metrics(|builder| builder.native_histograms().clock(clock));
    let service = Timed { metrics: metrics.clone(), time };
    let server = Server::start(Routes::new(LiteralServer::new(service))).await;
    let mut client = LiteralClient::new(server.connect().await);
    // Known, so that no quantile is where there are no values.
    let mut rng = Rng::new(1);
    let mut durations = Vec::new();
    for _ in 0..RPCS {
        let nanos = load(&mut rng);
        let mut request = Request::new(Nothing {});
        request.metadata_mut().insert("nanos", nanos.into());
        assert_eq!(client.say(request).await.is_err(), nanos.is_multiple_of(3));
        durations.push(nanos);
    }
    durations.sort_unstable();
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let target = listener.local_addr().expect("a bound address").to_string();
    tokio::spawn(http::serve_registry(listener, metrics.registry()).into_future());
    let start = move || Prometheus::start_native(env!("CARGO_TARGET_TMPDIR"), &target);
    let prometheus = spawn_blocking(start).await.expect("it starts");

    let value = |query: &str| {
        let samples = prometheus.query(query);
        assert!(samples.len() <= 1, "{query}: {samples:?}");
        samples.first().map(|(_, value)| *value)
    };
    let histogram = "grpc_server_request_duration_seconds{method=\"Say\"}";
    let count = format!("histogram_count({histogram})");
    #[allow(clippy::cast_precision_loss)]
    let rpcs = RPCS as f64;
    until(|| value(&count), |count| *count == Some(rpcs)).await;
    let requests = "sum(grpc_server_requests_total{method=\"Say\"})";
    assert_eq!(value(requests), Some(rpcs));
    let failed = durations.iter().filter(|nanos| nanos.is_multiple_of(3)).count();
    #[allow(clippy::cast_precision_loss)]
    let failed = failed as f64;
    assert_eq!(value("grpc_server_requests_total{method=\"Say\",code=\"5\"}"), Some(failed));
    let sum = Duration::from_nanos(durations.iter().sum()).as_secs_f64();
    let of_prometheus = value(&format!("histogram_sum({histogram})")).expect("a sum");
    assert!((of_prometheus / sum - 1.0).abs() < 1e-9, "{of_prometheus}, not {sum}");
    // It keeps the native buckets alone.
    assert_eq!(prometheus.query("grpc_server_request_duration_seconds_bucket"), []);
    for quantile in [0.05, 0.25, 0.5, 0.75, 0.95, 0.99] {
        let query = format!("histogram_quantile({quantile}, {histogram})");
        let (of_prometheus, exact) =
            (value(&query).expect("a quantile"), exact(&durations, quantile));
        let ratio = of_prometheus / exact;
        assert!((0.95..=1.05).contains(&ratio), "{quantile}: {of_prometheus}, not {exact}");
    }
    // A share of requests is exact where the limit is a bound of the buckets, here 2^-1 seconds.
    let faster = durations.iter().filter(|nanos| **nanos <= 500_000_000).count();
    #[allow(clippy::cast_precision_loss)]
    let share = faster as f64 / rpcs;
    let of_prometheus = value(&format!("histogram_fraction(0, 0.5, {histogram})"));
    assert!(
        (of_prometheus.expect("a fraction") - share).abs() < 1e-9,
        "{of_prometheus:?}, not {share}"
    );
}
