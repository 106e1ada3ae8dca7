//! A collector of metrics, in this process.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};

use opentelemetry_proto::tonic::collector::metrics::v1::{
    ExportMetricsPartialSuccess, ExportMetricsServiceRequest, ExportMetricsServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value as Number;
use opentelemetry_proto::tonic::metrics::v1::{
    AggregationTemporality, HistogramDataPoint, Metric, NumberDataPoint,
};
use tonic::codec::CompressionEncoding;
use tonic::metadata::MetadataMap;
use tonic::service::Routes;
use tonic::{Code, Request, Response, Status};

use crate::scrape::Labels;
use crate::server::Server;
use crate::wait;
use generated::metrics_service_server::{MetricsService, MetricsServiceServer};

#[allow(clippy::pedantic, unreachable_pub)]
mod generated {
    tonic::include_proto!("opentelemetry.proto.collector.metrics.v1");
}

/// Takes metrics by OTLP over gRPC, on a port of its own.
#[derive(Debug)]
pub struct Collector {
    shared: Shared,
    pub server: Server,
}

#[derive(Clone, Debug, Default)]
struct Shared(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    arrived: Vec<Arrived>,
    answer: Answer,
}

/// A request that has arrived.
#[derive(Clone, Debug)]
pub struct Arrived {
    pub metadata: MetadataMap,
    pub request: ExportMetricsServiceRequest,
}

/// What the collector does with requests that have arrived.
#[derive(Clone, Debug, Default)]
pub enum Answer {
    #[default]
    Accept,
    Fail(Code),
    /// Rejects so many points, and says why.
    Reject(i64, &'static str),
    Hang,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    fn routes(&self) -> Routes {
        let service = MetricsServiceServer::new(self.clone());
        Routes::new(service.accept_compressed(CompressionEncoding::Gzip))
    }
}

#[tonic::async_trait]
impl MetricsService for Shared {
    async fn export(
        &self,
        request: Request<ExportMetricsServiceRequest>,
    ) -> Result<Response<ExportMetricsServiceResponse>, Status> {
        let (metadata, _, request) = request.into_parts();
        let answer = {
            let mut state = self.lock();
            state.arrived.push(Arrived { metadata, request });
            state.answer.clone()
        };
        let partial_success = match answer {
            Answer::Accept => None,
            Answer::Fail(code) => return Err(Status::new(code, "as the test wants")),
            Answer::Reject(rejected_data_points, message) => Some(ExportMetricsPartialSuccess {
                rejected_data_points,
                error_message: message.to_owned(),
            }),
            Answer::Hang => std::future::pending().await,
        };
        Ok(Response::new(ExportMetricsServiceResponse { partial_success }))
    }
}

impl Collector {
    pub async fn start() -> Self {
        let shared = Shared::default();
        Self { server: Server::start(shared.routes()).await, shared }
    }

    /// Starts where another one has been.
    pub async fn start_at(address: SocketAddr) -> Self {
        let shared = Shared::default();
        Self { server: Server::start_at(address, shared.routes()).await, shared }
    }

    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// As the settings of a client have it.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address())
    }

    /// Answers so from now on.
    pub fn answer(&self, answer: Answer) {
        self.shared.lock().answer = answer;
    }

    /// What has arrived so far.
    pub fn arrived(&self) -> Vec<Arrived> {
        self.shared.lock().arrived.clone()
    }

    /// Waits until so many requests have arrived.
    pub async fn until_arrived(&self, n: usize) -> Vec<Arrived> {
        wait::until(|| self.arrived(), |arrived| arrived.len() >= n).await
    }

    /// The newest request.
    pub fn last(&self) -> Pushed {
        Pushed::of(&[self.arrived().pop().expect("a push")])
    }
}

/// The metrics of one push.
#[derive(Clone, Debug)]
pub struct Pushed {
    pub resource: Labels,
    pub scope: InstrumentationScope,
    pub metrics: Vec<Metric>,
}

impl Pushed {
    /// Joins the requests of a push, which have one resource and one scope.
    pub fn of(requests: &[Arrived]) -> Self {
        let mut pushed = Self {
            resource: Labels::new(),
            scope: InstrumentationScope::default(),
            metrics: Vec::new(),
        };
        for Arrived { request, .. } in requests {
            let [resource] = &request.resource_metrics[..] else { panic!("{request:#?}") };
            let [scope] = &resource.scope_metrics[..] else { panic!("{resource:#?}") };
            pushed.resource = labels(&resource.resource.as_ref().unwrap().attributes);
            pushed.scope = scope.scope.clone().unwrap();
            pushed.metrics.extend(scope.metrics.iter().cloned());
        }
        pushed
    }

    /// The metrics of this name.
    pub fn named<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a Metric> {
        self.metrics.iter().filter(move |metric| metric.name == name)
    }

    /// The points of a histogram.
    pub fn histogram(&self, name: &str) -> Vec<&HistogramDataPoint> {
        let metrics = self.named(name);
        let points = metrics.flat_map(|metric| match &metric.data {
            Some(Data::Histogram(histogram)) => &histogram.data_points[..],
            other => panic!("no histogram: {other:?}"),
        });
        points.collect()
    }

    /// The series as a collector shows them to Prometheus: without dots, and with the unit in the name.
    pub fn series(&self) -> BTreeMap<(String, Labels), f64> {
        let mut series = BTreeMap::new();
        for metric in &self.metrics {
            let name = scraped_name(metric);
            for (part, labels, value) in samples(metric) {
                let before = series.insert((format!("{name}{part}"), labels), value);
                assert_eq!(before, None, "{name}{part} twice");
            }
        }
        series
    }

    /// When each point was counted from, and when it was taken.
    pub fn times(&self) -> Vec<[u64; 2]> {
        let of_numbers = |points: &[NumberDataPoint]| -> Vec<_> {
            points.iter().map(|of| [of.start_time_unix_nano, of.time_unix_nano]).collect()
        };
        let times = self.metrics.iter().flat_map(|metric| match metric.data.as_ref().unwrap() {
            Data::Sum(sum) => of_numbers(&sum.data_points),
            Data::Gauge(gauge) => of_numbers(&gauge.data_points),
            Data::Histogram(histogram) => {
                let points = histogram.data_points.iter();
                points.map(|of| [of.start_time_unix_nano, of.time_unix_nano]).collect()
            }
            other => panic!("not ours: {other:?}"),
        });
        times.collect()
    }
}

/// Attributes as text.
pub fn labels(attributes: &[KeyValue]) -> Labels {
    let mut labels = Labels::new();
    for KeyValue { key, value, .. } in attributes {
        let value = match value.as_ref().unwrap().value.as_ref().unwrap() {
            Value::StringValue(text) => text.clone(),
            Value::IntValue(number) => number.to_string(),
            other => panic!("{key}: {other:?}"),
        };
        let before = labels.insert(key.clone(), value);
        assert_eq!(before, None, "{key} twice");
    }
    labels
}

fn scraped_name(metric: &Metric) -> String {
    let name = metric.name.replace('.', "_");
    let unit = match &*metric.unit {
        "s" => "_seconds",
        "By" => "_bytes",
        "1" => "_ratio",
        "" => "",
        other => panic!("{name} in {other}"),
    };
    let name = name.strip_suffix(unit).unwrap_or(&name);
    format!("{name}{unit}")
}

/// The samples of a metric: the part of a histogram, the labels, and the value.
fn samples(metric: &Metric) -> Vec<(&'static str, Labels, f64)> {
    let mut samples = Vec::new();
    match metric.data.as_ref().unwrap() {
        Data::Sum(sum) => {
            assert!(sum.is_monotonic);
            assert_eq!(sum.aggregation_temporality(), AggregationTemporality::Cumulative);
            samples.extend(sum.data_points.iter().map(number));
        }
        Data::Gauge(gauge) => samples.extend(gauge.data_points.iter().map(number)),
        Data::Histogram(histogram) => {
            assert_eq!(histogram.aggregation_temporality(), AggregationTemporality::Cumulative);
            for point in &histogram.data_points {
                buckets(point, &mut samples);
            }
        }
        other => panic!("not ours: {other:?}"),
    }
    samples
}

#[allow(clippy::cast_precision_loss)] // small
fn number(point: &NumberDataPoint) -> (&'static str, Labels, f64) {
    let value = match point.value.unwrap() {
        Number::AsInt(count) => count as f64,
        Number::AsDouble(ratio) => ratio,
    };
    ("", scraped(&point.attributes), value)
}

#[allow(clippy::cast_precision_loss)] // small
fn buckets(point: &HistogramDataPoint, samples: &mut Vec<(&'static str, Labels, f64)>) {
    let labels = scraped(&point.attributes);
    assert_eq!(point.bucket_counts.len(), point.explicit_bounds.len() + 1);
    let bounds = point.explicit_bounds.iter().copied().chain([f64::INFINITY]);
    let mut below = 0;
    for (bound, count) in bounds.zip(&point.bucket_counts) {
        below += count;
        let mut labels = labels.clone();
        labels.insert("le".to_owned(), bound.to_string());
        samples.push(("_bucket", labels, below as f64));
    }
    assert_eq!(below, point.count);
    samples.push(("_count", labels.clone(), point.count as f64));
    samples.push(("_sum", labels, point.sum.unwrap()));
}

fn scraped(attributes: &[KeyValue]) -> Labels {
    let labels = labels(attributes).into_iter();
    labels.map(|(name, value)| (name.replace('.', "_"), value)).collect()
}
