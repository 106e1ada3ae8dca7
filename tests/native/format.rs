//! Contract, N1: the format in protobuf, and who gets it.

use std::collections::BTreeMap;
use std::io::Read;

use flate2::read::GzDecoder;
use grpc_metrics_runtime::prometheus::Registry;
use grpc_metrics_runtime::{GrpcMetrics, openmetrics, protobuf};
use support::bed::own_metrics;
use support::scrape::Scrape;
use tonic::Code;

use super::read::{as_scrape, families};
use crate::openmetrics::negotiation::{ask, header, serve};
use crate::openmetrics::others::{Given, all_kinds, counter, ours, ours_with, summary};

const CLASSIC: &str = "text/plain; version=0.0.4; charset=utf-8";
const OPEN: &str = openmetrics::CONTENT_TYPE;
const PROTOBUF: &str = protobuf::CONTENT_TYPE;

/// What Prometheus 2 sends with native histograms.
const PROMETHEUS: &str = "application/vnd.google.protobuf;\
     proto=io.prometheus.client.MetricFamily;encoding=delimited,\
     application/openmetrics-text;version=1.0.0;q=0.8,\
     application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
/// What Prometheus 3 sends with native histograms.
const PROMETHEUS_3: &str = "application/vnd.google.protobuf;\
     proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.6,\
     application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,\
     application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,\
     text/plain;version=0.0.4;q=0.2,*/*;q=0.1";

/// All series with their values, comparable even if they are NaN; without those of a name that other families share.
fn series(scrape: &Scrape) -> BTreeMap<String, String> {
    let spelled =
        scrape.series.iter().map(|(series, value)| (format!("{series:?}"), value.to_string()));
    spelled.collect()
}

fn assert_same(metrics: &GrpcMetrics) {
    let encoded = families(&metrics.encode_protobuf().expect("the registry is valid"));
    let text = Scrape::parse(metrics.encode().expect("the registry is valid"));
    let read = as_scrape(&encoded);
    assert_eq!(series(&read), series(&text));
    assert_eq!(read.types, text.types);
    let help = |name: &str| {
        let line = text.text.lines().find_map(|line| line.strip_prefix(&format!("# HELP {name} ")));
        line.expect("every family has a help").replace("\\n", "\n").replace("\\\\", "\\")
    };
    for family in &encoded {
        assert_eq!(family.help(), help(family.name()), "{}", family.name());
    }
    assert!(encoded.is_sorted_by_key(|family| family.name().to_owned()));
}

#[test]
fn n1_the_series_are_those_of_the_text() {
    assert_same(&ours());
    let (_, native) = own_metrics(grpc_metrics_runtime::GrpcMetricsBuilder::native_histograms);
    native.guard("native.Service", "Get").complete(Code::Unavailable);
    assert_same(&native);
    let labels = [("zone".to_owned(), "b".to_owned())].into();
    let registry = Registry::new_custom(Some("shop".to_owned()), Some(labels)).expect("legal");
    let shop = GrpcMetrics::builder().registry(&registry).const_label("region", "eu\n");
    let shop = shop.build().expect("right");
    let other = GrpcMetrics::builder().registry(&registry).const_label("region", "us");
    let other = other.native_histograms().build().expect("right");
    for metrics in [&shop, &other] {
        metrics.guard("a.Service", "Get").complete(Code::Ok);
    }
    assert_same(&shop);
}

#[test]
fn n1_other_collectors_families_are_in_it() {
    // Without those that have a sample's name twice, which a text can't show either.
    let clashing = ["m_bucket", "m_count", "s_sum", "twins"];
    let unique = |name: &str| !clashing.contains(&name);
    let kinds = all_kinds(1_234_567_890_123).into_iter().filter(|family| unique(family.name()));
    let metrics = ours_with(kinds.collect());
    let encoded = families(&metrics.encode_protobuf().expect("valid"));
    let stamped = encoded.iter().filter(|family| family.name().starts_with("stamped"));
    let times = stamped.flat_map(|family| family.metric.iter().map(|metric| metric.timestamp_ms));
    let times: Vec<_> = times.collect();
    assert!(!times.is_empty() && times.iter().all(|time| *time == Some(1_234_567_890_123)));
    let some = [summary("s", &[(0.5, 0.25)], 17, 4.5), counter("c_total", 2.5)];
    assert_same(&ours_with(some.to_vec()));
}

#[tokio::test]
async fn n1_who_asks_for_protobuf_gets_it() {
    const BARE: &str = "application/vnd.google.protobuf";
    const FULL: &str = "application/vnd.google.protobuf;\
         proto=io.prometheus.client.MetricFamily;encoding=delimited";
    let address = serve(&ours()).await;
    for (accept, expected) in [
        (PROMETHEUS.to_owned(), PROTOBUF),
        (PROMETHEUS_3.to_owned(), PROTOBUF),
        (FULL.to_owned(), PROTOBUF),
        (FULL.replace(';', " ; ").replace("proto=", "Proto="), PROTOBUF),
        (
            FULL.to_uppercase()
                .replace("IO.PROMETHEUS.CLIENT.METRICFAMILY", "io.prometheus.client.MetricFamily")
                .replace("DELIMITED", "delimited"),
            PROTOBUF,
        ),
        // Other messages, or other encodings of these.
        (BARE.to_owned(), CLASSIC),
        (format!("{BARE};proto=io.prometheus.client.MetricFamily"), CLASSIC),
        (FULL.replace("delimited", "text"), CLASSIC),
        (FULL.replace("MetricFamily", "Metric"), CLASSIC),
        // Weights.
        (format!("{FULL};q=0"), CLASSIC),
        (format!("{FULL};q=0.4,text/plain;q=0.5"), CLASSIC),
        (format!("{FULL};q=0.4,application/openmetrics-text;q=0.5,text/plain;q=0.3"), OPEN),
        (format!("{FULL};q=0.5,application/openmetrics-text;q=0.5,text/plain;q=0.5"), PROTOBUF),
        (format!("{FULL};q=0.5,*/*;q=0.6"), CLASSIC),
        ("application/*".to_owned(), CLASSIC),
    ] {
        let lines = format!("Accept: {accept}\r\n");
        let (head, body) = ask(address, "GET", lines.as_bytes()).await;
        assert!(head.starts_with("http/1.0 200"), "{accept}: {head}");
        assert_eq!(header(&head, "content-type"), expected.to_lowercase(), "{accept}");
        if expected == PROTOBUF {
            let zipped = format!("{lines}Accept-Encoding: gzip\r\n");
            let (head, zipped) = ask(address, "GET", zipped.as_bytes()).await;
            assert_eq!(header(&head, "content-encoding"), "gzip");
            let mut unpacked = Vec::new();
            GzDecoder::new(&zipped[..]).read_to_end(&mut unpacked).expect("a gzip stream");
            assert!(unpacked == body && !families(&body).is_empty());
            let (head, body) = ask(address, "HEAD", lines.as_bytes()).await;
            assert_eq!(header(&head, "content-type"), expected.to_lowercase());
            assert_eq!(body, b"");
        }
    }
}

#[tokio::test]
async fn n1_broken_collectors_are_answered_with_500() {
    support::faults::expect_panics();
    let accept = format!("Accept: {PROMETHEUS}\r\n");
    let nameless = ours_with(vec![counter("", 1.0)]);
    let panicking = ours();
    let given = Given::boxed("broken", || panic!("scripted panic"));
    panicking.registry().register(given).expect("a new name");
    for (metrics, expected) in
        [(nameless, "MetricFamily has no name"), (panicking, "a collector panicked")]
    {
        let (head, body) = ask(serve(&metrics).await, "GET", accept.as_bytes()).await;
        assert!(head.starts_with("http/1.0 500"), "{head}");
        let body = String::from_utf8(body).expect("text");
        assert!(body.contains(expected), "{body}");
    }
}
