//! A histogram as a message, classic and native in one.

#[cfg(feature = "opentelemetry")]
use super::messages::Exemplar;
use super::messages::{Bucket, BucketSpan, Histogram};
use crate::counters::{NativeCounts, SCHEMA};
use crate::export::series;

/// The width of the bucket of zeros: that of Prometheus's clients. No duration is that short.
const ZERO_THRESHOLD: f64 = f64::from_bits((1023 - 128) << 52); // 2^-128

/// `bounds` are without the unbounded one.
pub(super) fn histogram(bounds: &[f64], value: series::Histogram<'_>) -> Histogram {
    let bounds = bounds.iter().copied().chain([f64::INFINITY]);
    let buckets = bounds.zip(value.cumulative).enumerate().map(|(i, (bound, below))| Bucket {
        cumulative_count: Some(*below),
        upper_bound: Some(bound),
        exemplar: exemplar(value, i),
    });
    let histogram = Histogram {
        sample_count: Some(value.count()),
        sample_sum: Some(value.sum),
        bucket: buckets.collect(),
        ..Histogram::default()
    };
    match value.native {
        Some(native) => with_native(histogram, native),
        None => histogram,
    }
}

fn with_native(histogram: Histogram, native: &NativeCounts) -> Histogram {
    let mut spans = Vec::<BucketSpan>::new();
    let mut deltas = Vec::new();
    let (mut next, mut before) = (0, 0);
    for (index, count) in native.buckets() {
        let index = i32::from(index);
        match spans.last_mut().filter(|_| index == next) {
            Some(span) => span.length = span.length.map(|length| length + 1),
            None => spans.push(BucketSpan { offset: Some(index - next), length: Some(1) }),
        }
        // Below 2^63 RPCs, the difference fits.
        let count = count.cast_signed();
        deltas.push(count.wrapping_sub(before));
        (next, before) = (index + 1, count);
    }
    if spans.is_empty() {
        // Tells a native histogram without values from a classic one.
        spans.push(BucketSpan { offset: Some(0), length: Some(0) });
    }
    Histogram {
        schema: Some(SCHEMA),
        zero_threshold: Some(ZERO_THRESHOLD),
        zero_count: Some(native.zeros()),
        positive_span: spans,
        positive_delta: deltas,
        ..histogram
    }
}

#[cfg(not(feature = "opentelemetry"))]
fn exemplar(_: series::Histogram<'_>, _: usize) -> Option<super::messages::Exemplar> {
    None
}

#[cfg(feature = "opentelemetry")]
fn exemplar(value: series::Histogram<'_>, bucket: usize) -> Option<Exemplar> {
    use std::time::UNIX_EPOCH;

    use super::messages::Timestamp;
    use super::pair;

    let exemplar = value.exemplar(bucket)?;
    let labels = [
        ("trace_id", format!("{:032x}", exemplar.trace_id)),
        ("span_id", format!("{:016x}", exemplar.span_id)),
    ];
    // The timestamp is optional. Before 1970, the clock is wrong.
    let since = exemplar.ended.duration_since(UNIX_EPOCH).ok();
    let timestamp = since.map(|since| Timestamp {
        seconds: since.as_secs().cast_signed(),
        nanos: since.subsec_nanos().cast_signed(),
    });
    Some(Exemplar {
        label: labels.iter().map(|(name, value)| pair(name, value)).collect(),
        value: Some(exemplar.duration),
        timestamp,
    })
}

#[cfg(all(test, not(cells_model)))]
mod tests {
    use super::*;

    #[cfg(feature = "opentelemetry")]
    #[test]
    fn n1_an_exemplar_is_in_the_classic_bucket_that_has_counted_it() {
        use std::time::{Duration, UNIX_EPOCH};

        use prost::Message;
        use tonic::Code;

        use super::super::messages::LabelPair;
        use crate::counters::LabelValue;

        let ended = UNIX_EPOCH + Duration::from_millis(1_500);
        let (code, label) = (Code::Ok, LabelValue::NONE);
        let kept =
            crate::Exemplar { trace_id: 0xabc, span_id: 0x12, code, duration: 0.5, ended, label };
        let exemplars = [Some(kept), Some(kept), None];
        let value = series::Histogram {
            cumulative: &[0, 1, 1],
            sum: 0.5,
            exemplars: &exemplars,
            native: None,
        };
        let written = histogram(&[0.25, 1.0], value);
        let of_buckets: Vec<_> =
            written.bucket.iter().map(|bucket| bucket.exemplar.clone()).collect();
        let [None, Some(exemplar), None] = &of_buckets[..] else { panic!("{written:?}") };
        let label = |label: &bytes::Bytes| {
            let label = LabelPair::decode(label.clone()).expect("a label");
            (label.name.unwrap_or_default(), label.value.unwrap_or_default())
        };
        let labels: Vec<_> = exemplar.label.iter().map(label).collect();
        let id = |name: &str, id: &str| (name.to_owned(), id.to_owned());
        let expected =
            [id("trace_id", "00000000000000000000000000000abc"), id("span_id", "0000000000000012")];
        assert_eq!(labels, expected);
        let at = exemplar.timestamp.as_ref().map(|at| (at.seconds, at.nanos));
        assert_eq!((exemplar.value, at), (Some(0.5), Some((1, 500_000_000))));
    }

    #[test]
    fn n1_the_zero_threshold_is_that_of_other_clients() {
        assert_eq!(ZERO_THRESHOLD.to_bits(), 2.0_f64.powi(-128).to_bits());
    }
}
