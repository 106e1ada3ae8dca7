//! What stands in the text.

use std::collections::HashMap;

use grpc_metrics_runtime::prometheus::Registry;
use grpc_metrics_runtime::{CodeLabel, GrpcMetrics, openmetrics};
use support::scrape::Labels;
use tonic::Code;

use super::open::{assert_same_series, both, parse};
use super::others::{Given, counter, gauges, histogram, ours, ours_with, stamped, summary};

fn lines_of(metrics: &GrpcMetrics) -> Vec<String> {
    metrics.encode_openmetrics().expect("OpenMetrics").lines().map(str::to_owned).collect()
}

#[test]
fn i1_every_series_of_the_classic_text_with_all_settings() {
    assert_same_series(&ours());
    let labels = HashMap::from([("cluster".to_owned(), "x\"y\n".to_owned())]);
    let registry = Registry::new_custom(Some("outer".to_owned()), Some(labels)).expect("legal");
    let metrics = GrpcMetrics::builder()
        .registry(&registry)
        .prefix("zzz:grpc")
        .const_label("app", "shop")
        .buckets([0.000_000_1, 0.1, 7.0, 1e9])
        .code_label(CodeLabel::Name)
        .build()
        .expect("right");
    metrics.guard("a.Service", "Get").complete(Code::Ok);
    let open = assert_same_series(&metrics);
    assert_eq!(open.types["outer_zzz:grpc_requests"], "counter");
    // An empty registry is one, too.
    let empty = GrpcMetrics::builder().registry(&Registry::new()).build().expect("right");
    assert!(empty.encode_openmetrics().expect("OpenMetrics").ends_with("# EOF\n"));
}

#[test]
fn i1_it_ends_with_eof_and_names_its_version() {
    let (_, open) = both(&ours());
    assert!(open.ends_with("\n# EOF\n"), "{open}");
    assert_eq!(open.matches("# EOF").count(), 1);
    let expected =
        "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=underscores";
    assert_eq!(openmetrics::CONTENT_TYPE, expected);
}

#[test]
fn i2_families_have_the_types_and_lines_that_they_should() {
    let metrics = GrpcMetrics::builder().registry(&Registry::new()).build().expect("right");
    metrics.guard("a.Service", "Get").complete(Code::Ok);
    let lines = lines_of(&metrics);
    let duration = "grpc_server_request_duration_seconds";
    for line in [
        "# HELP grpc_server_requests RPCs that ended, by gRPC status code.",
        "# TYPE grpc_server_requests counter",
        r#"grpc_server_requests_total{service="a.Service",method="Get",code="0"} 1"#,
        "# TYPE grpc_server_in_flight_requests gauge",
        r#"grpc_server_in_flight_requests{service="a.Service",method="Get"} 0"#,
        &format!("# TYPE {duration} histogram"),
        &format!(r#"{duration}_bucket{{service="a.Service",method="Get",le="1.0"}} 1"#),
        &format!(r#"{duration}_bucket{{service="a.Service",method="Get",le="+Inf"}} 1"#),
        &format!(r#"{duration}_count{{service="a.Service",method="Get"}} 1"#),
    ] {
        assert!(lines.iter().any(|of| of == line), "{line} in {lines:#?}");
    }
}

#[test]
fn i2_labels_and_help_are_escaped() {
    let value = [("back\\slash \"quoted\"\nline ü", 1.0)];
    let lines = lines_of(&ours_with(vec![gauges("escaped", &value)]));
    let help = r#"# HELP escaped The help of \"escaped\"\n\\ in two lines."#;
    let series = r#"escaped{of="back\\slash \"quoted\"\nline ü"} 1.0"#;
    for line in [help, series] {
        assert!(lines.iter().any(|of| of == line), "{line} in {lines:#?}");
    }
}

#[test]
fn i2_values_that_are_no_usual_numbers() {
    const INF: f64 = f64::INFINITY;
    let lines = lines_of(&ours_with(vec![
        gauges("value", &[("a", f64::NAN), ("b", INF), ("c", -INF)]),
        histogram("buckets", &[(1.0, 1 << 62)], (1 << 62) + 1, 1.5),
        stamped(gauges("at", &[("a", 2.0)]), 1_234_567_890_123),
    ]));
    for line in [
        r#"value{of="a"} NaN"#,
        r#"value{of="b"} +Inf"#,
        r#"value{of="c"} -Inf"#,
        // It had no such bucket.
        r#"buckets_bucket{a="b",le="+Inf"} 4611686018427387905"#,
        r#"buckets_bucket{a="b",le="1.0"} 4611686018427387904"#,
        r#"at{of="a"} 2.0 1234567890.123"#,
    ] {
        assert!(lines.iter().any(|of| of == line), "{line} in {lines:#?}");
    }
}

#[test]
fn i2_a_summary_keeps_its_series() {
    let of_summary = summary("summary", &[(0.5, 0.25), (1.0, -3.0)], 17, 4.5);
    let lines = lines_of(&ours_with(vec![of_summary]));
    for line in [
        "# TYPE summary unknown",
        r#"summary{a="b",quantile="0.5"} 0.25"#,
        r#"summary{a="b",quantile="1"} -3.0"#,
        "# TYPE summary_sum unknown",
        r#"summary_sum{a="b"} 4.5"#,
        "# TYPE summary_count unknown",
        r#"summary_count{a="b"} 17"#,
    ] {
        assert!(lines.iter().any(|of| of == line), "{line} in {lines:#?}");
    }
}

#[test]
fn i5_a_family_that_is_none_is_an_error() {
    use grpc_metrics_runtime::prometheus::proto::{Metric, MetricType};

    let nameless = ours_with(vec![counter("", 1.0)]);
    let (open, text) = (nameless.encode_openmetrics(), nameless.encode());
    let message = open.expect_err("it has no name").to_string();
    assert_eq!(message, text.expect_err("it has no name").to_string());

    let metrics = vec![Metric::from_label(vec![])];
    let untyped = ours_with(vec![super::others::family("odd", MetricType::UNTYPED, metrics)]);
    let message = untyped.encode_openmetrics().expect_err("it has no type").to_string();
    assert!(message.contains("untyped: \"odd\""), "{message}");
}

#[test]
fn i5_a_collector_that_panics_leaves_nothing_behind() {
    support::faults::expect_panics();
    let metrics = ours();
    let healthy = metrics.encode_openmetrics().expect("OpenMetrics");
    let broken = || Given::boxed("broken", || panic!("scripted panic"));
    metrics.registry().register(broken()).expect("a new name");
    let encode = || metrics.encode_openmetrics();
    assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(encode)).is_err());
    metrics.registry().unregister(broken()).expect("registered");
    assert!(encode().expect("OpenMetrics") == healthy);
}

#[test]
fn i1_a_collector_that_looks_at_another_registry_or_has_our_names() {
    let inner = ours();
    let metrics = ours_with(vec![]);
    let text_of = inner.clone();
    let look = move || {
        let open = text_of.encode_openmetrics().expect("OpenMetrics");
        assert!(!open.contains('\0'), "a placeholder");
        let lines = u16::try_from(open.lines().count()).expect("few");
        vec![counter("looks_total", f64::from(lines))]
    };
    metrics.registry().register(Given::boxed("looks", look)).expect("a new name");
    let families = move || {
        let mut families = inner.registry().gather();
        for family in &mut families {
            family.set_name(format!("inner_{}", family.name()));
        }
        families
    };
    metrics.registry().register(Given::boxed("families", families)).expect("a new name");
    let open = assert_same_series(&metrics);
    assert_eq!(open.types["inner_grpc_server_requests"], "counter");

    let impostor = || vec![counter("grpc_server_requests_total", 5.0)];
    metrics.registry().register(Given::boxed("impostor", impostor)).expect("a new name");
    let open = assert_same_series(&metrics);
    // Beside ours.
    let beside = ("grpc_server_requests_total".to_owned(), Labels::new());
    assert_eq!(open.series.get(&beside), Some(&5.0));
}

#[test]
fn i1_two_instances_in_one_registry_share_their_families() {
    let registry = Registry::new();
    for shard in ["a", "b"] {
        let builder = GrpcMetrics::builder().registry(&registry).const_label("shard", shard);
        let metrics = builder.build().expect("right");
        metrics.guard("a.Service", "Get").complete(Code::Ok);
        assert_same_series(&metrics);
        parse(&metrics.encode_openmetrics().expect("OpenMetrics"));
    }
}
