//! Contract, section H: what is promised on the attribute, and how a scrape judges it.

use std::sync::Arc;

use grpc_metrics_runtime::prometheus::Registry;
use grpc_metrics_runtime::{Error, GrpcMetrics, MethodSnapshot, Slo, instrument_grpc, metadata};
use quanta::{Clock, Mock};
use support::scrape::Scrape;
use support::shapes::pb::shapes_server::{Shapes, ShapesServer};
use support::shapes::pb::{Answer, Ask, shapes_client::ShapesClient};
use support::shapes::{answer, answers, last, serve};
use tokio_stream::Iter;
use tonic::service::Routes;
use tonic::{Code, Request, Response, Status, Streaming};

type Answers = Iter<std::vec::IntoIter<Result<Answer, Status>>>;

/// With the clock of its metrics.
struct Promising(GrpcMetrics, Arc<Mock>);

impl Promising {
    /// Lets so many nanoseconds pass if asked for code −1.
    fn answer(&self, ask: Ask) -> Result<Response<Answer>, Status> {
        if ask.code == -1 {
            self.1.increment(u64::from(ask.count));
            return Ok(Response::new(Answer::default()));
        }
        answer(ask).map(Response::new)
    }
}

#[instrument_grpc(
    service = "slo.promising",
    metrics = self.0,
    slo(availability = 99.9, latency = "60ms", percentile = 95)
)]
#[tonic::async_trait]
impl Shapes for Promising {
    async fn one(&self, ask: Request<Ask>) -> Result<Response<Answer>, Status> {
        self.answer(ask.into_inner())
    }

    #[rpc(slo(latency = "1.5s"))]
    async fn upload(&self, asks: Request<Streaming<Ask>>) -> Result<Response<Answer>, Status> {
        self.answer(last(asks.into_inner()).await?)
    }

    type WatchStream = Answers;

    async fn watch(&self, ask: Request<Ask>) -> Result<Response<Self::WatchStream>, Status> {
        Ok(Response::new(tokio_stream::iter(answers(ask.into_inner()))))
    }

    type ChatStream = Answers;

    #[rpc(name = "Chat", slo(latency = "1h", percentile = 50))]
    async fn chat(
        &self,
        asks: Request<Streaming<Ask>>,
    ) -> Result<Response<Self::ChatStream>, Status> {
        let ask = last(asks.into_inner()).await?;
        Ok(Response::new(tokio_stream::iter(answers(ask))))
    }
}

/// Of the methods of `Plain`, one promises nothing and one has its own word.
struct Partly;

#[instrument_grpc(service = "slo.partly", slo(availability = 95))]
#[tonic::async_trait]
impl support::shapes::pb::plain_server::Plain for Partly {
    #[rpc(slo = false)]
    async fn first(&self, ask: Request<Ask>) -> Result<Response<Answer>, Status> {
        answer(ask.into_inner()).map(Response::new)
    }

    #[rpc(slo(availability = 0.5), name = "Other")]
    async fn second(&self, ask: Request<Ask>) -> Result<Response<Answer>, Status> {
        answer(ask.into_inner()).map(Response::new)
    }
}

/// For how many is said once, for how long by each method.
struct PercentileOfAll;

#[instrument_grpc(service = "slo.percentile", slo(percentile = 99))]
#[tonic::async_trait]
impl support::shapes::pb::plain_server::Plain for PercentileOfAll {
    #[rpc(slo(latency = "600h"))]
    async fn first(&self, ask: Request<Ask>) -> Result<Response<Answer>, Status> {
        answer(ask.into_inner()).map(Response::new)
    }

    #[rpc(slo(availability = 99.9))]
    async fn second(&self, ask: Request<Ask>) -> Result<Response<Answer>, Status> {
        answer(ask.into_inner()).map(Response::new)
    }
}

fn instance() -> (Registry, GrpcMetrics) {
    let registry = Registry::new();
    let metrics = GrpcMetrics::builder().registry(&registry).build();
    (registry, metrics.expect("settings that are right"))
}

async fn client(metrics: &GrpcMetrics) -> ShapesClient<tonic::transport::Channel> {
    client_with(metrics, Clock::mock().1).await
}

/// Of a service that moves this clock.
async fn client_with(
    metrics: &GrpcMetrics,
    time: Arc<Mock>,
) -> ShapesClient<tonic::transport::Channel> {
    let service = ShapesServer::new(Promising(metrics.clone(), time));
    ShapesClient::new(serve(Routes::new(service)).await)
}

/// What is promised of a method, how many RPCs there were, and how many were bad.
fn judged(method: &MethodSnapshot) -> Vec<(Slo, f64, u64, u64)> {
    method.slos().iter().map(|slo| (slo.slo, slo.objective, slo.events, slo.bad)).collect()
}

fn method(metrics: &GrpcMetrics, name: &str) -> MethodSnapshot {
    metrics.snapshot().method("slo.promising", name).expect("a method of the service").clone()
}

#[test]
fn h1_h2_objectives_hold_for_an_impl_and_a_method_has_its_own_word() {
    let (_, metrics) = instance();
    let of = |name| judged(&method(&metrics, name));
    assert_eq!(of("One"), [(Slo::Availability, 0.999, 0, 0), (Slo::Latency, 0.95, 0, 0)]);
    // The percentile is the impl's.
    assert_eq!(of("Upload"), [(Slo::Availability, 0.999, 0, 0), (Slo::Latency, 0.95, 0, 0)]);
    // How long a stream lives is its client's affair, unless the method says otherwise.
    assert_eq!(of("Watch"), [(Slo::Availability, 0.999, 0, 0)]);
    assert_eq!(of("Chat"), [(Slo::Availability, 0.999, 0, 0), (Slo::Latency, 0.5, 0, 0)]);

    let _ = Partly;
    let snapshot = GrpcMetrics::global().snapshot();
    let of = |name| judged(snapshot.method("slo.partly", name).expect("it is instrumented"));
    assert_eq!(of("First"), []);
    assert_eq!(of("Other"), [(Slo::Availability, 0.005, 0, 0)]);
}

#[test]
fn h1_a_percentile_of_the_impl_is_for_the_latencies_of_its_methods() {
    let _ = PercentileOfAll;
    let snapshot = GrpcMetrics::global().snapshot();
    let of = |name| judged(snapshot.method("slo.percentile", name).expect("it is instrumented"));
    assert_eq!(of("First"), [(Slo::Latency, 0.99, 0, 0)]);
    assert_eq!(of("Second"), [(Slo::Availability, 0.999, 0, 0)]);
}

#[tokio::test]
async fn h4_availability_counts_the_faults_of_the_server() {
    let (_, metrics) = instance();
    let mut client = client(&metrics).await;
    for code in 0..=16 {
        let _ = client.one(Ask { count: 1, code }).await;
        let stream = client.watch(Ask { count: 1, code }).await.expect("it fails later");
        let mut stream = stream.into_inner();
        while let Ok(Some(_)) = stream.message().await {}
    }
    // 2, 4, 12, 13, 14 and 15.
    for name in ["One", "Watch"] {
        assert_eq!(judged(&method(&metrics, name))[0], (Slo::Availability, 0.999, 17, 6), "{name}");
    }
}

#[tokio::test]
async fn h4_which_codes_are_faults_is_a_setting() {
    let registry = Registry::new();
    let builder = || GrpcMetrics::builder().registry(&registry);
    let refused = builder().fault_codes([Code::Internal, Code::Ok]).build();
    assert!(matches!(refused, Err(Error::OkIsNoFault)), "{refused:?}");

    let codes = [Code::NotFound, Code::Internal];
    let metrics = builder().fault_codes(codes).build().expect("settings that are right");
    // Born at 0, beside those that are by default.
    let scrape = Scrape::of(&registry);
    let labels = [("service", "slo.promising"), ("method", "One"), ("code", "5")];
    assert_eq!(scrape.value("grpc_server_requests_total", &labels), Some(0.0));
    let mut client = client(&metrics).await;
    for code in 0..=16 {
        let _ = client.one(Ask { count: 1, code }).await;
    }
    assert_eq!(judged(&method(&metrics, "One"))[0], (Slo::Availability, 0.999, 17, 2));
}

#[tokio::test]
async fn h4_latency_is_judged_by_the_objective_itself() {
    let (clock, time) = Clock::mock();
    let builder = GrpcMetrics::builder().registry(&Registry::new()).clock(clock);
    let metrics = builder.build().expect("settings that are right");
    let mut client = client_with(&metrics, time).await;
    // In no bucket of the default bounds of its own: 50 ms are below, 100 ms above.
    for (nanos, bad) in [(0, 0), (60_000_000, 0), (60_000_001, 1), (61_000_000, 2)] {
        let before = judged(&method(&metrics, "One"))[1].2;
        client.one(Ask { count: nanos, code: -1 }).await.expect("nothing was asked for");
        let latency = (Slo::Latency, 0.95, before + 1, bad);
        assert_eq!(judged(&method(&metrics, "One"))[1], latency, "{nanos} ns");
    }
    // However it ended.
    client.one(Ask { count: 1, code: 13 }).await.expect_err("it was asked for");
    assert_eq!(judged(&method(&metrics, "One"))[1], (Slo::Latency, 0.95, 5, 2));
}

#[test]
fn h4_a_latency_is_a_bound_of_every_histogram() {
    let (registry, _metrics) = instance();
    let scrape = Scrape::of(&registry);
    for bound in ["0.05", "0.06", "0.1", "1.5", "3600"] {
        let labels = [("service", "slo.promising"), ("method", "One"), ("le", bound)];
        let buckets = "grpc_server_request_duration_seconds_bucket";
        assert_eq!(scrape.value(buckets, &labels), Some(0.0), "{bound}");
        // The same for all, so that they can be added up.
        let labels = [("service", "slo.promising"), ("method", "Watch"), ("le", bound)];
        assert_eq!(scrape.value(buckets, &labels), Some(0.0), "{bound}");
    }
}

#[test]
fn h4_a_snapshot_says_the_bounds_of_its_buckets() {
    let registry = Registry::new();
    let builder = GrpcMetrics::builder().registry(&registry).buckets([0.05, 2.0]);
    let metrics = builder.build().expect("settings that are right");
    let snapshot = metrics.snapshot();
    // Those that are set, and the latencies of this program's services.
    let bounds = [0.05, 0.06, 1.5, 2.0, 3600.0, 2_160_000.0];
    assert_eq!(snapshot.bounds(), bounds);
    let scrape = Scrape::of(&registry);
    for bound in bounds {
        let bound = bound.to_string();
        let labels = [("service", "slo.promising"), ("method", "One"), ("le", &bound)];
        let buckets = "grpc_server_request_duration_seconds_bucket";
        assert_eq!(scrape.value(buckets, &labels), Some(0.0), "{bound}");
    }
    let method = snapshot.method("slo.promising", "One").expect("a method of the service");
    assert_eq!(method.durations().buckets().len(), bounds.len() + 1);
}

#[tokio::test]
async fn h3_a_scrape_shows_objectives_from_the_start() {
    let (registry, metrics) = instance();
    let scrape = Scrape::of(&registry);
    for (slo, objective) in [("availability", 0.999), ("latency", 0.95)] {
        let labels = [("service", "slo.promising"), ("method", "One"), ("slo", slo)];
        assert_eq!(scrape.value("grpc_server_slo_objective_ratio", &labels), Some(objective));
        assert_eq!(scrape.value("grpc_server_slo_events_total", &labels), Some(0.0));
        assert_eq!(scrape.value("grpc_server_slo_bad_events_total", &labels), Some(0.0));
    }
    assert!(scrape.text.contains(r#"slo="availability"} 0.999"#), "{}", scrape.text);
    let mut client = client(&metrics).await;
    let _ = client.one(Ask { count: 1, code: Code::Internal as i32 }).await;
    let scrape = Scrape::of(&registry);
    let labels = [("service", "slo.promising"), ("method", "One"), ("slo", "availability")];
    assert_eq!(scrape.value("grpc_server_slo_events_total", &labels), Some(1.0));
    assert_eq!(scrape.value("grpc_server_slo_bad_events_total", &labels), Some(1.0));
    // Nothing is promised of these.
    let none = [("service", "slo.partly"), ("method", "First")];
    assert_eq!(scrape.with("grpc_server_slo_events_total", &none).count(), 0);
    assert_eq!(metrics.encode().expect("it is text"), scrape.text);
}

#[tokio::test]
async fn m4_objectives_are_those_of_all_values_of_a_label() {
    let registry = Registry::new();
    let builder = GrpcMetrics::builder().registry(&registry);
    let builder = builder.label("client", metadata("x-client-name")).at_most(1);
    let metrics = builder.build().expect("settings that are right");
    let mut client = client(&metrics).await;
    for name in ["a", "b", "c"] {
        for code in [Code::Ok, Code::Internal] {
            let mut request = Request::new(Ask { count: 1, code: code as i32 });
            request.metadata_mut().insert("x-client-name", name.parse().expect("a legal value"));
            let _ = client.one(request).await;
        }
    }
    assert_eq!(judged(&method(&metrics, "One"))[0], (Slo::Availability, 0.999, 6, 3));
    let scrape = Scrape::of(&registry);
    let labels = [("service", "slo.promising"), ("method", "One"), ("slo", "availability")];
    assert_eq!(scrape.value("grpc_server_slo_events_total", &labels), Some(6.0));
    assert_eq!(scrape.value("grpc_server_slo_bad_events_total", &labels), Some(3.0));
    let method = method(&metrics, "One");
    let by_label: Vec<_> = method.requests_by_label().collect();
    let [ok, failed] = [Code::Ok, Code::Internal];
    assert_eq!(by_label, [("a", ok, 1), ("a", failed, 1), ("other", ok, 2), ("other", failed, 2)]);
}
