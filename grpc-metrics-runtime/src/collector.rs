//! From a snapshot to Prometheus's metric families.

use std::collections::HashMap;

use prometheus::core::Desc;
use prometheus::proto::{
    Bucket, Counter, Gauge, Histogram, LabelPair, Metric, MetricFamily, MetricType,
};
use tonic::Code;

use crate::builder::{CodeLabel, Settings};
use crate::snapshot::{ALL_CODES, MethodSnapshot, Snapshot};

/// A metric family, less its prefix.
struct Family {
    name: &'static str,
    help: &'static str,
    kind: MetricType,
    label: Option<&'static str>,
}

const REQUESTS: Family = Family {
    name: "requests_total",
    help: "RPCs that ended, by gRPC status code.",
    kind: MetricType::COUNTER,
    label: Some("code"),
};
const DURATION: Family = Family {
    name: "request_duration_seconds",
    help: "Time from an RPC's start to its end; of a response stream, to the stream's end.",
    kind: MetricType::HISTOGRAM,
    label: None,
};
const IN_FLIGHT: Family = Family {
    name: "in_flight_requests",
    help: "RPCs that have started and not ended.",
    kind: MetricType::GAUGE,
    label: None,
};
const INFO: Family = Family {
    name: "method_info",
    help: "1 for every method, with its kind: unary, client_stream, server_stream or bidi_stream.",
    kind: MetricType::GAUGE,
    label: Some("type"),
};
const MESSAGES: Family = Family {
    name: "stream_messages_sent_total",
    help: "Messages sent by response streams.",
    kind: MetricType::COUNTER,
    label: None,
};
const FAMILIES: [&Family; 5] = [&REQUESTS, &DURATION, &IN_FLIGHT, &INFO, &MESSAGES];

/// The codes that have a series before they are first seen: success, and what means a fault of the
/// server. `rate()` over a counter that is born at 1 misses its first increase.
const BORN_AT_ZERO: [Code; 7] = [
    Code::Ok,
    Code::Unknown,
    Code::DeadlineExceeded,
    Code::Unimplemented,
    Code::Internal,
    Code::Unavailable,
    Code::DataLoss,
];

/// Names, constant labels and bounds, ready for a scrape.
#[derive(Debug)]
pub(crate) struct Collector {
    descs: Vec<Desc>,
    names: Vec<String>,
    const_labels: Vec<LabelPair>,
    buckets: Vec<f64>,
    code_labels: [&'static str; ALL_CODES.len()],
}

impl Collector {
    pub(crate) fn new(settings: &Settings) -> Self {
        let const_labels: HashMap<_, _> = settings.const_labels.clone().into_iter().collect();
        let name = |family: &Family| format!("{}_{}", settings.prefix, family.name);
        let desc = |family: &&Family| {
            let labels = ["service", "method"].into_iter().chain(family.label).map(str::to_owned);
            Desc::new(name(family), family.help.to_owned(), labels.collect(), const_labels.clone())
                .expect("settings are checked for all that makes a descriptor illegal")
        };
        Self {
            descs: FAMILIES.iter().map(desc).collect(),
            names: FAMILIES.iter().map(|family| name(family)).collect(),
            const_labels: settings
                .const_labels
                .iter()
                .map(|(name, value)| pair(name, value))
                .collect(),
            buckets: settings.buckets.clone(),
            code_labels: ALL_CODES.map(|code| code_label(code, settings.code_label)),
        }
    }

    pub(crate) fn descs(&self) -> Vec<&Desc> {
        self.descs.iter().collect()
    }

    pub(crate) fn families(&self, snapshot: &Snapshot) -> Vec<MetricFamily> {
        let methods = snapshot.methods();
        let family = |index: usize, metrics: Vec<Metric>| {
            let mut family = MetricFamily::default();
            family.set_name(self.names[index].clone());
            family.set_help(FAMILIES[index].help.to_owned());
            family.set_field_type(FAMILIES[index].kind);
            family.set_metric(metrics);
            family
        };
        let streams = methods.iter().filter(|method| method.kind().server_streams());
        vec![
            family(0, methods.iter().flat_map(|method| self.requests(method)).collect()),
            family(1, methods.iter().map(|method| self.duration(method)).collect()),
            family(2, methods.iter().map(|m| self.gauge(m, None, m.in_flight())).collect()),
            family(
                3,
                methods
                    .iter()
                    .map(|m| self.gauge(m, Some(("type", m.kind().as_str())), 1))
                    .collect(),
            ),
            family(4, streams.map(|m| self.counter(m, None, m.messages_sent())).collect()),
        ]
    }

    fn requests(&self, method: &MethodSnapshot) -> impl Iterator<Item = Metric> {
        ALL_CODES.into_iter().filter_map(move |code| {
            let requests = method.requests(code);
            let shown = requests > 0 || BORN_AT_ZERO.contains(&code);
            shown.then(|| {
                self.counter(method, Some(("code", self.code_labels[code as usize])), requests)
            })
        })
    }

    fn duration(&self, method: &MethodSnapshot) -> Metric {
        let durations = method.durations();
        let mut cumulative = 0;
        let buckets = self.buckets.iter().enumerate().map(|(i, bound)| {
            cumulative += durations.get(i).copied().unwrap_or(0);
            let mut bucket = Bucket::default();
            bucket.set_upper_bound(*bound);
            bucket.set_cumulative_count(cumulative);
            bucket
        });
        let mut histogram = Histogram::default();
        histogram.set_bucket(buckets.collect());
        histogram.set_sample_count(durations.iter().sum());
        histogram.set_sample_sum(method.duration_sum());
        let mut metric = self.metric(method, None);
        metric.set_histogram(histogram);
        metric
    }

    fn counter(&self, method: &MethodSnapshot, label: Option<(&str, &str)>, value: u64) -> Metric {
        let mut counter = Counter::default();
        counter.set_value(to_f64(value));
        let mut metric = self.metric(method, label);
        metric.set_counter(counter);
        metric
    }

    fn gauge(&self, method: &MethodSnapshot, label: Option<(&str, &str)>, value: u64) -> Metric {
        let mut gauge = Gauge::default();
        gauge.set_value(to_f64(value));
        let mut metric = self.metric(method, label);
        metric.set_gauge(gauge);
        metric
    }

    fn metric(&self, method: &MethodSnapshot, label: Option<(&str, &str)>) -> Metric {
        let own = [("service", method.service()), ("method", method.method())];
        let own = own.into_iter().chain(label).map(|(name, value)| pair(name, value));
        Metric::from_label(self.const_labels.iter().cloned().chain(own).collect())
    }
}

fn pair(name: &str, value: &str) -> LabelPair {
    let mut pair = LabelPair::default();
    pair.set_name(name.to_owned());
    pair.set_value(value.to_owned());
    pair
}

/// Exact below 2^53, which is how Prometheus stores every sample.
#[allow(clippy::cast_precision_loss)]
fn to_f64(value: u64) -> f64 {
    value as f64
}

/// gRPC, "Status codes and their use in gRPC".
fn code_label(code: Code, spelling: CodeLabel) -> &'static str {
    let (number, name) = match code {
        Code::Ok => ("0", "OK"),
        Code::Cancelled => ("1", "CANCELLED"),
        Code::Unknown => ("2", "UNKNOWN"),
        Code::InvalidArgument => ("3", "INVALID_ARGUMENT"),
        Code::DeadlineExceeded => ("4", "DEADLINE_EXCEEDED"),
        Code::NotFound => ("5", "NOT_FOUND"),
        Code::AlreadyExists => ("6", "ALREADY_EXISTS"),
        Code::PermissionDenied => ("7", "PERMISSION_DENIED"),
        Code::ResourceExhausted => ("8", "RESOURCE_EXHAUSTED"),
        Code::FailedPrecondition => ("9", "FAILED_PRECONDITION"),
        Code::Aborted => ("10", "ABORTED"),
        Code::OutOfRange => ("11", "OUT_OF_RANGE"),
        Code::Unimplemented => ("12", "UNIMPLEMENTED"),
        Code::Internal => ("13", "INTERNAL"),
        Code::Unavailable => ("14", "UNAVAILABLE"),
        Code::DataLoss => ("15", "DATA_LOSS"),
        Code::Unauthenticated => ("16", "UNAUTHENTICATED"),
    };
    match spelling {
        CodeLabel::Number => number,
        CodeLabel::Name => name,
    }
}
