//! From a snapshot to the protocol's messages.

use std::mem;
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue, any_value};
use opentelemetry_proto::tonic::metrics::v1 as proto;
#[cfg(feature = "opentelemetry")]
use opentelemetry_proto::tonic::metrics::v1::exemplar;
use opentelemetry_proto::tonic::metrics::v1::{
    AggregationTemporality, Exemplar, Gauge, HistogramDataPoint, Metric, NumberDataPoint,
    ResourceMetrics, ScopeMetrics, Sum, metric, number_data_point,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use prost::Message;

use crate::GrpcMetrics;
use crate::export::{Family, FamilyType, Histogram, Labels, Schema, Value};

/// The bytes of a request after which another one begins. A collector accepts 4 MiB by default.
const FULL: usize = 2 << 20;

/// What a point takes besides its own bytes: a tag and a length.
const OVERHEAD: usize = 6;

/// Returns the current counts as encoded `ExportMetricsServiceRequest`s.
pub(super) fn requests(
    metrics: &GrpcMetrics,
    resource: &[(String, String)],
    exemplars: bool,
) -> Vec<Bytes> {
    let (schema, instance) = (metrics.schema(), metrics.instance());
    let snapshot = instance.snapshot();
    // A clock that is set back must not end the series before they begin.
    let taken = SystemTime::now().max(instance.created());
    let points = Points {
        schema,
        constant: constant(schema),
        start: nanos(instance.created()),
        taken: nanos(taken),
        exemplars,
    };
    let mut requests = Requests::new(resource);
    for family in schema.families() {
        let mut data = no_points(family.ty());
        schema.visit(family, &snapshot, |labels, value| {
            let size = points.push(&mut data, family, labels, value);
            if requests.is_full_with(size) {
                let points = mem::replace(&mut data, no_points(family.ty()));
                requests.push(metric(schema, family, points));
                requests.end();
            }
        });
        requests.push(metric(schema, family, data));
    }
    requests.end();
    requests.ended
}

/// The requests of one push.
struct Requests {
    /// Without metrics.
    head: ResourceMetrics,
    metrics: Vec<Metric>,
    /// The bytes of the points since the last end, of which not all are in `metrics` yet.
    size: usize,
    ended: Vec<Bytes>,
}

impl Requests {
    fn new(resource: &[(String, String)]) -> Self {
        let attributes = resource.iter().map(|(key, value)| text(key, value));
        let resource = Resource { attributes: attributes.collect(), ..Resource::default() };
        let head = ResourceMetrics { resource: Some(resource), ..ResourceMetrics::default() };
        Self { head, metrics: Vec::new(), size: 0, ended: Vec::new() }
    }

    /// Counts a point of this size.
    fn is_full_with(&mut self, size: usize) -> bool {
        self.size += size;
        self.size >= FULL
    }

    /// Adds a metric, unless it has no points.
    fn push(&mut self, metric: Metric) {
        let is_empty = match &metric.data {
            Some(metric::Data::Sum(sum)) => sum.data_points.is_empty(),
            Some(metric::Data::Gauge(gauge)) => gauge.data_points.is_empty(),
            Some(metric::Data::Histogram(histogram)) => histogram.data_points.is_empty(),
            _ => true,
        };
        if !is_empty {
            self.metrics.push(metric);
        }
    }

    fn end(&mut self) {
        if self.metrics.is_empty() {
            return;
        }
        let scope = InstrumentationScope {
            name: env!("CARGO_PKG_NAME").to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            ..InstrumentationScope::default()
        };
        let metrics = mem::take(&mut self.metrics);
        let scope = ScopeMetrics { scope: Some(scope), metrics, ..ScopeMetrics::default() };
        let resource = ResourceMetrics { scope_metrics: vec![scope], ..self.head.clone() };
        let request = ExportMetricsServiceRequest { resource_metrics: vec![resource] };
        self.ended.push(request.encode_to_vec().into());
        self.size = 0;
    }
}

/// What the points of a push have in common.
struct Points<'a> {
    schema: &'a Schema,
    constant: Vec<KeyValue>,
    start: u64,
    taken: u64,
    exemplars: bool,
}

impl Points<'_> {
    /// Adds a series to a metric, and returns its size in bytes.
    fn push(
        &self,
        data: &mut metric::Data,
        family: &Family,
        labels: Labels<'_>,
        value: Value<'_>,
    ) -> usize {
        let attributes = self.attributes(labels);
        let size = match (data, value) {
            (metric::Data::Histogram(metric), Value::Histogram(histogram)) => {
                let point = self.histogram(attributes, self.schema.bounds(family), histogram);
                let size = point.encoded_len();
                metric.data_points.push(point);
                size
            }
            (
                metric::Data::Sum(Sum { data_points, .. })
                | metric::Data::Gauge(Gauge { data_points }),
                value,
            ) => {
                let point = self.number(attributes, value);
                let size = point.encoded_len();
                data_points.push(point);
                size
            }
            // A family has values of its type.
            _ => 0,
        };
        size + OVERHEAD
    }

    fn number(&self, attributes: Vec<KeyValue>, value: Value<'_>) -> NumberDataPoint {
        let value = match value {
            // A count that no program reaches.
            Value::Count(count) => {
                number_data_point::Value::AsInt(i64::try_from(count).unwrap_or(i64::MAX))
            }
            Value::Ratio(ratio) => number_data_point::Value::AsDouble(ratio),
            Value::Histogram(histogram) => number_data_point::Value::AsDouble(histogram.sum),
        };
        NumberDataPoint {
            attributes,
            start_time_unix_nano: self.start,
            time_unix_nano: self.taken,
            value: Some(value),
            ..NumberDataPoint::default()
        }
    }

    fn histogram(
        &self,
        attributes: Vec<KeyValue>,
        bounds: &[f64],
        histogram: Histogram<'_>,
    ) -> HistogramDataPoint {
        let mut below = 0;
        let counts = histogram.cumulative.iter().map(|cumulative| {
            let count = cumulative - below;
            below = *cumulative;
            count
        });
        HistogramDataPoint {
            attributes,
            start_time_unix_nano: self.start,
            time_unix_nano: self.taken,
            count: histogram.count(),
            sum: Some(histogram.sum),
            bucket_counts: counts.collect(),
            explicit_bounds: bounds.to_vec(),
            exemplars: if self.exemplars { exemplars(histogram) } else { Vec::new() },
            ..HistogramDataPoint::default()
        }
    }

    /// Returns the labels that are not empty: to Prometheus, an empty one is none.
    fn attributes(&self, labels: Labels<'_>) -> Vec<KeyValue> {
        let own = labels.pairs().filter(|(_, value)| !value.is_empty());
        let own = own.map(|(name, value)| match self.schema.convention(name) {
            None => text(name, value),
            Some(convention) => {
                let integer = value.parse().ok().filter(|_| convention.is_integer);
                match integer {
                    Some(integer) => {
                        attribute(convention.name, any_value::Value::IntValue(integer))
                    }
                    None => text(convention.name, value),
                }
            }
        });
        self.constant.iter().cloned().chain(own).collect()
    }
}

fn constant(schema: &Schema) -> Vec<KeyValue> {
    let labels = schema.const_labels().iter().filter(|(_, value)| !value.is_empty());
    labels.map(|(name, value)| text(name, value)).collect()
}

fn metric(schema: &Schema, family: &Family, data: metric::Data) -> Metric {
    let name = schema.convention(&family.name).map_or(&*family.name, |convention| convention.name);
    Metric {
        name: name.to_owned(),
        description: family.help().to_owned(),
        unit: family.unit().to_owned(),
        data: Some(data),
        ..Metric::default()
    }
}

fn no_points(ty: FamilyType) -> metric::Data {
    let cumulative = AggregationTemporality::Cumulative.into();
    match ty {
        FamilyType::Counter => metric::Data::Sum(Sum {
            aggregation_temporality: cumulative,
            is_monotonic: true,
            ..Sum::default()
        }),
        FamilyType::Gauge => metric::Data::Gauge(Gauge::default()),
        FamilyType::Histogram => metric::Data::Histogram(proto::Histogram {
            aggregation_temporality: cumulative,
            ..proto::Histogram::default()
        }),
    }
}

#[cfg(feature = "opentelemetry")]
fn exemplars(histogram: Histogram<'_>) -> Vec<Exemplar> {
    let kept = (0..histogram.cumulative.len()).filter_map(|bucket| histogram.exemplar(bucket));
    let exemplars = kept.map(|kept| Exemplar {
        time_unix_nano: nanos(kept.ended),
        trace_id: kept.trace_id.to_be_bytes().to_vec(),
        span_id: kept.span_id.to_be_bytes().to_vec(),
        value: Some(exemplar::Value::AsDouble(kept.duration)),
        ..Exemplar::default()
    });
    exemplars.collect()
}

#[cfg(not(feature = "opentelemetry"))]
fn exemplars(_: Histogram<'_>) -> Vec<Exemplar> {
    Vec::new()
}

fn text(key: &str, value: &str) -> KeyValue {
    attribute(key, any_value::Value::StringValue(value.to_owned()))
}

fn attribute(key: &str, value: any_value::Value) -> KeyValue {
    let value = Some(AnyValue { value: Some(value) });
    KeyValue { key: key.to_owned(), value, ..KeyValue::default() }
}

/// Returns nanoseconds since 1970, which fit until the year 2554.
fn nanos(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}
