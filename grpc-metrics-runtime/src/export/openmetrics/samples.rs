//! The samples of a family, for the encoder.

use std::collections::{BTreeSet, HashSet};
use std::fmt;

use prometheus::proto::{Counter, Gauge, LabelPair, Metric, MetricFamily, MetricType};
use prometheus_client::encoding::{
    CounterValueEncoder, EncodeCounterValue, EncodeGaugeValue, EncodeLabel, EncodeLabelSet,
    GaugeValueEncoder, LabelSetEncoder, MetricEncoder, NoLabelSet,
};
use prometheus_client::metrics::MetricType as Kind;

use super::super::collector::METHOD_LABELS;
use super::super::gathered::{Gathered, Ours};
use super::super::series::{self, Value};
use super::families::Part;

/// What a series shows.
enum Point {
    Plain(Number),
    Histogram { buckets: Vec<(f64, u64)>, sum: f64, count: u64 },
    Summary { quantiles: Vec<(f64, f64)>, sum: f64, count: u64 },
}

#[derive(Clone, Copy)]
enum Number {
    Whole(u64),
    Float(f64),
}

/// Encodes what `part` has of the gathered family of this number.
pub(super) fn encode(
    encoder: &mut MetricEncoder,
    gathered: &Gathered,
    family: usize,
    part: Part,
    kind: Kind,
) -> fmt::Result {
    let Some((family, ours)) = gathered.family(family) else { return Ok(()) };
    let mut encode = |labels: Labels, point: Point, timestamp| {
        Series { encoder, labels, timestamp, kind }.encode(part, &point)
    };
    if ours.is_empty() {
        let metrics = family.get_metric();
        // OpenMetrics has each series once, in one place. The registry sorts them by values only.
        let mut shown = HashSet::new();
        let mut first = |metric: &Metric| {
            let pair = |pair: &LabelPair| (pair.name().to_owned(), pair.value().to_owned());
            shown.insert(metric.get_label().iter().map(pair).collect::<BTreeSet<_>>())
        };
        metrics.iter().filter(|metric| first(metric)).try_for_each(|metric| {
            let labels = Labels { before: metric.get_label(), ..Labels::default() };
            let point = point_of(metric, family.get_field_type());
            encode(labels, point, seconds(metric.timestamp_ms()))
        })
    } else {
        ours.iter().try_for_each(|ours| of_ours(ours, &mut encode))
    }
}

/// A histogram's last bucket is the unbounded one, given or not.
fn point_of(metric: &Metric, kind: MetricType) -> Point {
    match kind {
        MetricType::HISTOGRAM => {
            let histogram = metric.get_histogram();
            let buckets = histogram.get_bucket().iter();
            let mut buckets: Vec<_> =
                buckets.map(|bucket| (bucket.upper_bound(), bucket.cumulative_count())).collect();
            let count = histogram.get_sample_count();
            if !buckets.iter().any(|(bound, _)| *bound == f64::INFINITY) {
                buckets.push((f64::INFINITY, count));
            }
            Point::Histogram { buckets, sum: histogram.get_sample_sum(), count }
        }
        MetricType::SUMMARY => {
            let summary = metric.get_summary();
            let quantiles = summary.get_quantile().iter();
            Point::Summary {
                quantiles: quantiles.map(|of| (of.quantile(), of.value())).collect(),
                sum: summary.sample_sum(),
                count: summary.sample_count(),
            }
        }
        MetricType::COUNTER => Point::Plain(Number::Float(metric.get_counter().get_value())),
        _ => Point::Plain(Number::Float(metric.get_gauge().get_value())),
    }
}

/// Whether OpenMetrics allows these values in a counter or histogram.
pub(super) fn fit_their_type(family: &MetricFamily) -> bool {
    let kind = family.get_field_type();
    let fits = |metric: &Metric| match point_of(metric, kind) {
        Point::Plain(Number::Float(value)) => kind != MetricType::COUNTER || value >= 0.0,
        Point::Histogram { buckets, sum, count } => {
            let grows = |two: &[(f64, u64)]| two[0].0 < two[1].0 && two[0].1 <= two[1].1;
            metric.timestamp_ms() == 0
                && sum >= 0.0
                && buckets.windows(2).all(grows)
                && buckets.first().is_some_and(|(bound, _)| *bound >= 0.0)
                && buckets.last().is_some_and(|(_, below)| *below == count)
        }
        _ => true,
    };
    family.get_metric().iter().all(fits)
}

fn of_ours(
    Ours { of, collector, snapshot, added }: &Ours<'_>,
    encode: &mut impl FnMut(Labels, Point, Option<f64>) -> fmt::Result,
) -> fmt::Result {
    let mut written = Ok(());
    for method in snapshot.methods() {
        let [service, name] = METHOD_LABELS;
        let of_method = [(service, method.service()), (name, method.method())];
        series::of_method(of.of, method, &collector.codes, |values, value| {
            let own: Vec<_> = of.labels.iter().copied().zip(values.iter().copied()).collect();
            let own = [&of_method[..], &own].concat();
            let labels =
                Labels { before: &collector.const_labels, own: &own, after: added, last: None };
            let point = match value {
                Value::Number(number) => Point::Plain(Number::Whole(number)),
                Value::Ratio(ratio) => Point::Plain(Number::Float(ratio)),
                Value::Histogram { cumulative, sum } => {
                    let bounds = collector.buckets.iter().copied().chain([f64::INFINITY]);
                    let count = cumulative.last().copied().unwrap_or(0);
                    Point::Histogram { buckets: bounds.zip(cumulative).collect(), sum, count }
                }
            };
            if written.is_ok() {
                written = encode(labels, point, None);
            }
        });
    }
    written
}

/// A series and where it goes.
struct Series<'a, 'b, 'c> {
    encoder: &'a mut MetricEncoder<'b>,
    labels: Labels<'c>,
    /// In seconds.
    timestamp: Option<f64>,
    kind: Kind,
}

impl Series<'_, '_, '_> {
    fn encode(&mut self, part: Part, point: &Point) -> fmt::Result {
        match (part, point) {
            (Part::All, Point::Histogram { buckets, sum, count }) => {
                // The encoder cumulates.
                let mut below = 0;
                let buckets: Vec<_> = buckets
                    .iter()
                    .map(|(bound, cumulative)| {
                        let own = cumulative.saturating_sub(below);
                        below = *cumulative;
                        (*bound, own)
                    })
                    .collect();
                self.with_labels(None, |encoder| {
                    encoder.encode_histogram::<NoLabelSet>(*sum, *count, &buckets, None)
                })
            }
            (Part::Bucket, Point::Histogram { buckets, .. }) => {
                buckets.iter().try_for_each(|(bound, below)| {
                    self.number(Some(Last::Le(*bound)), Number::Whole(*below))
                })
            }
            (Part::Sum, Point::Histogram { sum, .. } | Point::Summary { sum, .. }) => {
                self.number(None, Number::Float(*sum))
            }
            (Part::Count, Point::Histogram { count, .. } | Point::Summary { count, .. }) => {
                self.number(None, Number::Whole(*count))
            }
            (_, Point::Summary { quantiles, .. }) => {
                quantiles.iter().try_for_each(|(quantile, value)| {
                    self.number(Some(Last::Quantile(*quantile)), Number::Float(*value))
                })
            }
            (_, Point::Plain(number)) => self.number(None, *number),
            (_, Point::Histogram { .. }) => Ok(()),
        }
    }

    fn number(&mut self, last: Option<Last>, number: Number) -> fmt::Result {
        let value = Stamped { number, timestamp: self.timestamp };
        match self.kind {
            Kind::Counter => self.with_labels(last, |encoder| {
                encoder.encode_counter::<NoLabelSet, _, f64>(&value, None)
            }),
            _ => self.with_labels(last, |encoder| encoder.encode_gauge(&value)),
        }
    }

    fn with_labels(
        &mut self,
        last: Option<Last>,
        encode: impl FnOnce(&mut MetricEncoder) -> fmt::Result,
    ) -> fmt::Result {
        let labels = Labels { last, ..self.labels };
        if labels.is_empty() {
            // It would write braces around nothing.
            encode(self.encoder)
        } else {
            encode(&mut self.encoder.encode_family(&labels)?)
        }
    }
}

/// The labels of a series in their order.
#[derive(Clone, Copy, Default)]
struct Labels<'a> {
    before: &'a [LabelPair],
    own: &'a [(&'static str, &'static str)],
    after: &'a [LabelPair],
    last: Option<Last>,
}

/// The label that a histogram's or summary's samples have by themselves.
#[derive(Clone, Copy)]
enum Last {
    Le(f64),
    Quantile(f64),
}

impl Labels<'_> {
    fn is_empty(&self) -> bool {
        let Self { before, own, after, last } = self;
        before.is_empty() && own.is_empty() && after.is_empty() && last.is_none()
    }
}

impl EncodeLabelSet for Labels<'_> {
    fn encode(&self, encoder: &mut LabelSetEncoder) -> fmt::Result {
        let Self { before, own, after, last } = self;
        let pair = |pair: &LabelPair, encoder: &mut LabelSetEncoder| {
            (pair.name(), pair.value()).encode(encoder.encode_label())
        };
        before.iter().try_for_each(|label| pair(label, encoder))?;
        own.iter().try_for_each(|label| label.encode(encoder.encode_label()))?;
        after.iter().try_for_each(|label| pair(label, encoder))?;
        match *last {
            None => Ok(()),
            // So spelled by the encoder, too, where it writes the histogram.
            Some(Last::Le(f64::INFINITY)) => ("le", "+Inf").encode(encoder.encode_label()),
            Some(Last::Le(bound)) => ("le", bound).encode(encoder.encode_label()),
            // As in the classic text.
            Some(Last::Quantile(of)) => ("quantile", of.to_string()).encode(encoder.encode_label()),
        }
    }
}

/// A value and its timestamp. The encoder knows none, but writes a space before each number that it is given.
struct Stamped {
    number: Number,
    /// In seconds.
    timestamp: Option<f64>,
}

impl EncodeGaugeValue for Stamped {
    fn encode(&self, encoder: &mut GaugeValueEncoder) -> fmt::Result {
        match self.number {
            Number::Whole(number) => EncodeGaugeValue::encode(&number, encoder)?,
            Number::Float(number) => EncodeGaugeValue::encode(&number, encoder)?,
        }
        self.timestamp.iter().try_for_each(|seconds| EncodeGaugeValue::encode(seconds, encoder))
    }
}

impl EncodeCounterValue for Stamped {
    fn encode(&self, encoder: &mut CounterValueEncoder) -> fmt::Result {
        match self.number {
            Number::Whole(number) => EncodeCounterValue::encode(&number, encoder)?,
            Number::Float(number) => EncodeCounterValue::encode(&number, encoder)?,
        }
        self.timestamp.iter().try_for_each(|seconds| EncodeCounterValue::encode(seconds, encoder))
    }
}

/// 0 is none, as in the classic text.
#[allow(clippy::cast_precision_loss)] // 2^53 ms are 285,000 years
fn seconds(timestamp_ms: i64) -> Option<f64> {
    (timestamp_ms != 0).then(|| timestamp_ms as f64 / 1e3)
}

/// Reads a value in both builds of `prometheus`: without its feature `protobuf` there is `get_value` only, and
/// with it `value` only. Each of these calls the one that the type has.
#[allow(dead_code)] // one of the two, in each build
trait GetValue {
    fn get_value(&self) -> f64;
    fn value(&self) -> f64;
}

impl GetValue for Counter {
    fn get_value(&self) -> f64 {
        self.value()
    }

    fn value(&self) -> f64 {
        self.get_value()
    }
}

impl GetValue for Gauge {
    fn get_value(&self) -> f64 {
        self.value()
    }

    fn value(&self) -> f64 {
        self.get_value()
    }
}
