//! M2: what a naming sets, set alone; and what can't be set.

use std::collections::BTreeSet;

use grpc_metrics_runtime::prometheus::Registry;
use grpc_metrics_runtime::{CodeLabel, Error, GrpcMetrics, GrpcMetricsBuilder, Naming};
use support::scrape::Scrape;
use tonic::Code;

fn built(settings: impl FnOnce(GrpcMetricsBuilder) -> GrpcMetricsBuilder) -> Result<Scrape, Error> {
    let registry = Registry::new();
    let metrics = settings(GrpcMetrics::builder().registry(&registry)).build()?;
    metrics.guard("pkg.Service", "Get").complete(Code::Cancelled);
    let mut scrape = Scrape::of(&registry);
    // The program has other services.
    scrape
        .series
        .retain(|(_, labels), _| labels.values().any(|value| value.starts_with("pkg.Service")));
    Ok(scrape)
}

#[test]
fn m2_each_setting_alone() {
    let requests = "grpc_server_requests_total";
    let scrape = built(|b| b.label_name("service", "grpc_service")).unwrap();
    let names = BTreeSet::from([vec!["code", "grpc_service", "method"]]);
    assert_eq!(scrape.label_names(requests), names);

    let scrape = built(|b| b.code_label(CodeLabel::CamelCase)).unwrap();
    assert_eq!(scrape.value(requests, &[("code", "Canceled")]), Some(1.0));

    let scrape = built(|b| b.code_on_durations(true)).unwrap();
    let durations = "grpc_server_request_duration_seconds_count";
    assert_eq!(scrape.value(durations, &[("code", "1")]), Some(1.0));
    assert_eq!(scrape.value(durations, &[("code", "13")]), Some(0.0));
    assert_eq!(scrape.value(requests, &[("code", "1")]), Some(1.0));

    let scrape = built(|b| b.metric_name("requests_total", "handled_total")).unwrap();
    assert_eq!(scrape.value("grpc_server_handled_total", &[("code", "1")]), Some(1.0));
    assert_eq!(scrape.named(requests).count(), 0);

    let scrape = built(|b| b.metric_name("requests_started_total", "started_total")).unwrap();
    assert_eq!(scrape.value("grpc_server_started_total", &[]), Some(1.0));

    let scrape = built(|b| b.full_method_names(true)).unwrap();
    let labels = [("service", "pkg.Service"), ("method", "pkg.Service/Get"), ("code", "1")];
    assert_eq!(scrape.value(requests, &labels), Some(1.0));

    let scrape = built(|b| b.type_on_all(true)).unwrap();
    assert_eq!(
        scrape.label_names(requests),
        BTreeSet::from([vec!["code", "method", "service", "type"]])
    );

    let scrape = built(|b| b.codes_at_zero([Code::Aborted])).unwrap();
    assert_eq!(scrape.value(requests, &[("code", "10")]), Some(0.0));
}

#[test]
fn m2_a_setting_takes_precedence_over_the_naming_before_and_after_it() {
    let set = |b: GrpcMetricsBuilder| {
        b.prefix("shop").buckets([1.0]).code_label(CodeLabel::Number).label_name("method", "rpc")
    };
    let naming = |b: GrpcMetricsBuilder| b.naming(Naming::GoGrpcPrometheus);
    let scrape = built(|b| naming(set(b))).unwrap();
    assert_eq!(scrape.types, built(|b| set(naming(b))).unwrap().types);
    let names = |scrape: Scrape| -> Vec<_> { scrape.series.into_keys().collect() };
    assert_eq!(names(scrape.clone()), names(built(|b| set(naming(b))).unwrap()));
    let labels = [("grpc_service", "pkg.Service"), ("rpc", "Get"), ("grpc_code", "1")];
    assert_eq!(scrape.value("shop_handled_total", &labels), Some(1.0));
    assert_eq!(scrape.named("shop_handling_seconds_bucket").count(), 2);
}

#[test]
fn m2_wrong_names_are_typed_errors() {
    type Set = fn(GrpcMetricsBuilder) -> GrpcMetricsBuilder;
    let labels: [(Set, &str, &str); 7] = [
        (|b| b.label_name("servce", "a"), "servce", "no label"),
        (|b| b.label_name("service", "a-b"), "a-b", "not a valid"),
        (|b| b.label_name("service", "__a"), "__a", "reserves"),
        (|b| b.label_name("service", "le"), "le", "themselves"),
        (|b| b.label_name("service", "a").label_name("service", "b"), "service", "twice"),
        (|b| b.label_name("service", "method"), "method", "two labels"),
        (
            |b| b.naming(Naming::GrpcA66).const_label("grpc_status", "x"),
            "grpc_status",
            "themselves",
        ),
    ];
    for (set, wrong, why) in labels {
        match built(set) {
            Err(Error::InvalidLabel { name, reason, .. }) => {
                assert_eq!(name, wrong);
                assert!(reason.contains(why), "{wrong}: {reason}");
            }
            other => panic!("{wrong}: {other:?}"),
        }
    }
    let metrics: [(Set, &str, &str); 5] = [
        (|b| b.metric_name("request_total", "a"), "request_total", "no metric"),
        (|b| b.metric_name("requests_total", "a b"), "a b", "not valid"),
        (|b| b.metric_name("requests_total", ""), "", "not valid"),
        (
            |b| b.metric_name("requests_total", "a").metric_name("requests_total", "b"),
            "requests_total",
            "twice",
        ),
        (
            |b| b.metric_name("requests_total", "errors_total"),
            "grpc_server_errors_total",
            "two metrics",
        ),
    ];
    for (set, wrong, why) in metrics {
        match built(set) {
            Err(Error::InvalidMetricName { name, reason, .. }) => {
                assert_eq!(name, wrong);
                assert!(reason.contains(why), "{wrong}: {reason}");
            }
            other => panic!("{wrong}: {other:?}"),
        }
    }
    // Free in another naming.
    let scrape = built(|b| b.naming(Naming::OpenTelemetry).const_label("code", "x"));
    assert!(scrape.is_ok(), "{scrape:?}");
}
#[test]
fn m2_a_metric_can_t_have_the_name_of_a_histogram_s_samples() {
    for part in ["_bucket", "_sum", "_count"] {
        let name = format!("request_duration_seconds{part}");
        match built(|b| b.metric_name("requests_started_total", name.clone())) {
            Err(Error::InvalidMetricName { name: of, reason, .. }) => {
                assert_eq!(of, format!("grpc_server_{name}"));
                assert!(reason.contains("two metrics"), "{reason}");
            }
            other => panic!("{name}: {other:?}"),
        }
    }
}
#[test]
fn m2_names_of_what_the_naming_does_not_have_are_typed_errors() {
    let target = built(|b| b.naming(Naming::OpenTelemetry).label_name("target", "upstream"));
    match target {
        Err(Error::InvalidLabel { name, reason, .. }) => {
            assert_eq!(name, "target");
            assert!(reason.contains("naming"), "{reason}");
        }
        other => panic!("{other:?}"),
    }
    for naming in [Naming::Default, Naming::GoGrpcPrometheus, Naming::OpenTelemetry] {
        match built(|b| b.naming(naming).metric_name("call_duration_seconds", "calls_seconds")) {
            Err(Error::InvalidMetricName { name, reason, .. }) => {
                assert_eq!(name, "call_duration_seconds");
                assert!(reason.contains("naming"), "{reason}");
            }
            other => panic!("{naming:?}: {other:?}"),
        }
    }
    let a66 = |b: GrpcMetricsBuilder| {
        b.naming(Naming::GrpcA66).metric_name("call_duration_seconds", "calls_seconds")
    };
    assert!(built(a66).is_ok());
}
