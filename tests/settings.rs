//! Contract, A6: right settings show, wrong ones are typed errors. D6: what was built goes again.

use std::collections::BTreeSet;
use std::collections::HashMap;
use std::sync::Arc;

use grpc_metrics_runtime::prometheus::core::{Collector, Desc};
use grpc_metrics_runtime::prometheus::proto::MetricFamily;
use grpc_metrics_runtime::prometheus::{IntCounter, IntCounterVec, IntGauge, Opts, Registry};
use grpc_metrics_runtime::{CodeLabel, Error, GrpcMetrics, GrpcMetricsBuilder};
use support::bed::{Bed, own_metrics};
use support::clients::Kind;
use support::scrape::{Scrape, text};
use support::script::{fail, script};
use tonic::Code;

#[tokio::test]
async fn a6_settings_show_in_what_is_exposed() {
    let bed = Bed::with(|builder| {
        builder
            .prefix("shop:grpc_2")
            .const_label("region", "eu \"north\"\\\n1")
            .const_label("_zone", "")
            .buckets([0.25, 0.5, 4.0])
            .code_label(CodeLabel::Name)
    })
    .await;
    bed.call(Kind::Unary, script([fail(Code::NotFound)], [])).await;
    let scrape = bed.scrape();
    assert_eq!(
        scrape.types.keys().collect::<Vec<_>>(),
        [
            "shop:grpc_2_in_flight_requests",
            "shop:grpc_2_method_info",
            "shop:grpc_2_request_duration_seconds",
            "shop:grpc_2_requests_total",
            "shop:grpc_2_stream_messages_sent_total",
        ]
    );
    for ((name, _), labels) in scrape.series.keys().map(|key| (key, &key.1)) {
        assert_eq!(labels["region"], "eu \"north\"\\\n1", "{name}");
        assert_eq!(labels["_zone"], "", "{name}");
    }
    assert_eq!(
        scrape.label_values("shop:grpc_2_request_duration_seconds_bucket", "le"),
        ["0.25", "0.5", "4", "+Inf"].into()
    );
    let labels = [("method", "Unary"), ("code", "NOT_FOUND")];
    assert_eq!(scrape.value("shop:grpc_2_requests_total", &labels), Some(1.0));
}

#[test]
fn a6_an_infinite_last_bound_is_the_bucket_that_is_there_anyway() {
    let (registry, _metrics) = own_metrics(|builder| builder.buckets([1.0, f64::INFINITY]));
    let scrape = Scrape::of(&registry);
    assert_eq!(
        scrape.label_values("grpc_server_request_duration_seconds_bucket", "le"),
        ["1", "+Inf"].into()
    );
}

#[test]
fn a6_the_registry_is_the_one_that_was_set() {
    let (registry, metrics) = own_metrics(|builder| builder);
    let (other, _others) = own_metrics(|builder| builder.prefix("other"));
    metrics.guard("a.Service", "Method").complete(Code::Ok);
    let labels = [("service", "a.Service"), ("code", "0")];
    assert_eq!(Scrape::of(&registry).value("grpc_server_requests_total", &labels), Some(1.0));
    let families: BTreeSet<_> = Scrape::of(&other).types.into_keys().collect();
    assert!(families.iter().all(|name| name.starts_with("other_")));
    assert!(Scrape::of(&other).with("other_requests_total", &labels).next().is_none());
    assert_eq!(text(metrics.registry()), text(&registry));
}

/// The settings must fail with an error that `is` the right one, and leave the registry to others.
fn assert_refused(
    settings: impl FnOnce(GrpcMetricsBuilder) -> GrpcMetricsBuilder,
    is: impl FnOnce(&Error) -> bool,
) {
    let registry = Registry::new();
    let error = settings(GrpcMetrics::builder().registry(&registry)).build().unwrap_err();
    assert!(is(&error), "{error:?}");
    assert!(!error.to_string().is_empty());
    assert_eq!(text(&registry), "", "something is registered");
    GrpcMetrics::builder().registry(&registry).build().expect("what failed before is in the way");
}

#[test]
fn a6_wrong_bounds_are_an_error() {
    for bounds in [
        &[][..],
        &[f64::INFINITY],
        &[f64::NAN],
        &[0.1, f64::NAN, 1.0],
        &[0.1, 1.0, f64::NAN],
        &[f64::NEG_INFINITY, 1.0],
        &[0.1, f64::INFINITY, 1.0],
        &[1.0, f64::INFINITY, f64::INFINITY],
        &[1.0, 0.1],
        &[0.1, 1.0, 0.5],
        &[0.1, 0.1],
        &[0.1, 1.0, 1.0],
        &[0.0, 1.0],
        &[-1.0, 1.0],
    ] {
        assert_refused(
            |builder| builder.buckets(bounds.iter().copied()),
            |error| matches!(error, Error::InvalidBuckets { reason, .. } if !reason.is_empty()),
        );
    }
}

#[test]
fn a6_an_illegal_prefix_is_an_error() {
    for illegal in ["", "1st", "with-dash", "with space", "dot.ted", "größe", "a\n", "{}"] {
        assert_refused(
            |builder| builder.prefix(illegal),
            |error| matches!(error, Error::InvalidPrefix { prefix, .. } if prefix == illegal),
        );
    }
}

#[test]
fn a6_an_illegal_or_taken_label_is_an_error() {
    for illegal in [
        "",
        "1st",
        "with-dash",
        "with:colon",
        "with space",
        "größe",
        "__name__",
        "__mine",
        "service",
        "method",
        "code",
        "type",
        "le",
    ] {
        assert_refused(
            |builder| builder.const_label(illegal, "x"),
            |error| matches!(error, Error::InvalidLabel { name, .. } if name == illegal),
        );
    }
    assert_refused(
        |builder| builder.const_label("zone", "a").const_label("zone", "b"),
        |error| matches!(error, Error::InvalidLabel { name, .. } if name == "zone"),
    );
}

#[test]
fn a6_a_name_that_is_registered_already_is_an_error() {
    for name in [
        "requests_total",
        "request_duration_seconds",
        "in_flight_requests",
        "method_info",
        "stream_messages_sent_total",
    ] {
        let name = format!("grpc_server_{name}");
        let opts = || Opts::new(&name, "Somebody else's.");
        let taken: [Box<dyn grpc_metrics_runtime::prometheus::core::Collector>; 3] = [
            Box::new(IntGauge::with_opts(opts()).unwrap()),
            Box::new(IntCounter::with_opts(opts().const_label("zone", "a")).unwrap()),
            Box::new(IntCounterVec::new(opts(), &["service", "method", "code"]).unwrap()),
        ];
        for collector in taken {
            let registry = Registry::new();
            registry.register(collector).unwrap();
            let before = text(&registry);
            let refused = GrpcMetrics::builder().registry(&registry).build();
            let error = refused.unwrap_err();
            assert!(
                matches!(&error, Error::Registration { prefix, .. } if prefix == "grpc_server"),
                "{error:?}"
            );
            assert!(std::error::Error::source(&error).is_some());
            assert_eq!(text(&registry), before);
            // As the message says.
            let builder = GrpcMetrics::builder().registry(&registry);
            builder.prefix("another").build().unwrap();
        }
    }
}

#[test]
fn a6_two_instances_share_a_registry_by_prefix_or_constant_label_only() {
    let registry = Registry::new();
    let builder = || GrpcMetrics::builder().registry(&registry);
    let first = builder().const_label("server", "a").build().unwrap();
    let second = builder().const_label("server", "b").build().unwrap();
    let third = builder().prefix("another").build().unwrap();
    let refused = builder().const_label("server", "a").build();
    assert!(matches!(refused, Err(Error::Registration { .. })));
    for (metrics, n) in [(first, 1), (second, 2), (third, 3)] {
        for _ in 0..n {
            metrics.guard("a.Service", "Method").complete(Code::Ok);
        }
    }
    let scrape = Scrape::of(&registry);
    let count = |name, labels: &[_]| {
        scrape.value(name, &[labels, &[("code", "0"), ("service", "a.Service")]].concat())
    };
    assert_eq!(count("grpc_server_requests_total", &[("server", "a")]), Some(1.0));
    assert_eq!(count("grpc_server_requests_total", &[("server", "b")]), Some(2.0));
    assert_eq!(count("another_requests_total", &[]), Some(3.0));
}

#[test]
fn a6_many_instances_share_a_registry_by_a_constant_label() {
    let registry = Registry::new();
    let instances = (0..60).map(|shard| {
        let builder = GrpcMetrics::builder().registry(&registry);
        builder.const_label("shard", format!("s{shard}")).build().expect("another label")
    });
    let instances: Vec<_> = instances.collect();
    let text = instances[0].encode().expect("text");
    let shards: BTreeSet<_> =
        text.split("shard=\"").skip(1).map(|rest| rest.split('"').next()).collect();
    assert_eq!(shards.len(), 60);
}

#[test]
fn a6_a_label_that_the_registry_adds_to_all_series_must_not_be_one_of_ours() {
    for name in ["service", "method", "code", "type", "le"] {
        let labels = HashMap::from([(name.to_owned(), "shop".to_owned())]);
        let registry = Registry::new_custom(Some("shop".to_owned()), Some(labels)).unwrap();
        let refused = GrpcMetrics::builder().registry(&registry).build();
        assert!(
            matches!(&refused, Err(Error::InvalidLabel { name: of, .. }) if of == name),
            "{name}"
        );
        // Nothing is left behind.
        assert!(registry.gather().is_empty(), "{name}");
    }
}

/// Its metrics are its own affair, and so is its panic.
struct Panics {
    _kept: Arc<()>,
}

impl Collector for Panics {
    fn desc(&self) -> Vec<&Desc> {
        Vec::new()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        panic!("a collector of the program's own")
    }
}

#[test]
fn a6_a_collector_that_panics_is_no_wrong_setting() {
    let registry = Registry::new();
    registry.register(Box::new(Panics { _kept: Arc::default() })).unwrap();
    GrpcMetrics::builder().registry(&registry).build().unwrap();
}

#[test]
fn d6_an_instance_and_its_registry_are_freed_together() {
    let kept = Arc::new(());
    let registry = Registry::new();
    registry.register(Box::new(Panics { _kept: kept.clone() })).unwrap();
    let metrics = GrpcMetrics::builder().registry(&registry).build().unwrap();
    drop(metrics.guard("a.Service", "Do"));
    let another = metrics.clone();
    drop((metrics, registry));
    assert_eq!(Arc::strong_count(&kept), 2, "a handle keeps the registry");
    drop(another);
    assert_eq!(Arc::strong_count(&kept), 1);
}
