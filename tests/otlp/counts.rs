//! What a push shows: what a scrape shows at the same time.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use grpc_metrics_runtime::otlp::Pusher;
use grpc_metrics_runtime::prometheus::Registry;
use grpc_metrics_runtime::{GrpcMetrics, Naming, metadata};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use support::collector::{Collector, Pushed, labels};
use support::scrape::{Labels, Scrape};
use tonic::Code;

use super::{large_metrics, metrics, pusher};
use crate::naming::{NAMINGS, busy};

type Series = BTreeMap<(String, Labels), f64>;

/// The series of a scrape without empty labels, which to Prometheus are none.
fn scraped(scrape: Scrape) -> Series {
    let series = scrape.series.into_iter().map(|((name, mut labels), value)| {
        labels.retain(|_, value| !value.is_empty());
        if let Some(le) = labels.get_mut("le") {
            *le = le.parse::<f64>().expect("a bound").to_string();
        }
        ((name, labels), value)
    });
    series.collect()
}

fn assert_same(pushed: &Series, scraped: &Series, context: &str) {
    for (series, value) in scraped {
        assert_eq!(pushed.get(series), Some(value), "{context}: {series:?}");
    }
    let more: Vec<_> = pushed.keys().filter(|series| !scraped.contains_key(*series)).collect();
    assert!(more.is_empty(), "{context}: {more:#?}");
}

/// Pushes once to a collector of its own.
async fn pushed(metrics: &GrpcMetrics) -> Pushed {
    let collector = Collector::start().await;
    let pusher = pusher(metrics, &collector).start().expect("right");
    pusher.shutdown().await.expect("the collector accepts it");
    Pushed::of(&collector.arrived())
}

#[tokio::test]
async fn n2_a_push_has_the_series_of_a_scrape_in_every_naming() {
    for naming in NAMINGS {
        let bed =
            busy(|builder| builder.naming(naming).const_label("zone", "a").const_label("room", ""))
                .await;
        bed.metrics.guard("quote\"d", "ü").complete(Code::Aborted);
        let before = bed.scrape();
        let pushed = pushed(&bed.metrics).await;
        assert_eq!(
            bed.scrape().text,
            before.text,
            "{naming:?}: it is quiet, also by the push itself"
        );
        assert_same(&pushed.series(), &scraped(before), &format!("{naming:?}"));
    }
}

#[tokio::test]
async fn n2_a_push_has_the_series_of_a_scrape_with_other_settings() {
    let settings: [fn(_) -> _; 4] = [
        |builder: grpc_metrics_runtime::GrpcMetricsBuilder| builder.prefix("shop"),
        |builder| builder.label("client", metadata("x-client")).on_durations().at_most(2),
        |builder| builder.naming(Naming::OpenTelemetry).code_on_durations(false).prefix("shop"),
        |builder| builder.label_name("service", "svc").metric_name("requests_total", "calls"),
    ];
    for (i, settings) in settings.into_iter().enumerate() {
        let bed = busy(settings).await;
        let pushed = pushed(&bed.metrics).await;
        assert_same(&pushed.series(), &scraped(bed.scrape()), &i.to_string());
    }
}

#[tokio::test]
async fn n2_names_and_units_are_those_of_the_conventions() {
    let bed = busy(|builder| builder.naming(Naming::OpenTelemetry)).await;
    bed.metrics.guard("pkg.Service", "Method").complete(Code::Internal);
    let pushed = pushed(&bed.metrics).await;
    let names: BTreeSet<_> = pushed.metrics.iter().map(|metric| metric.name.as_str()).collect();
    let defined: Vec<_> = names.iter().filter(|name| name.contains('.')).copied().collect();
    assert_eq!(defined, ["rpc.client.call.duration", "rpc.server.call.duration"]);
    for metric in &pushed.metrics {
        let unit = match &metric.name {
            name if name.ends_with("duration") => "s",
            name if name.ends_with("_bytes") => "By",
            name if name.ends_with("_ratio") => "1",
            _ => "",
        };
        assert_eq!(metric.unit, unit, "{}", metric.name);
        assert!(!metric.description.is_empty());
    }
    let expected = [
        ("error.type", "INTERNAL"),
        ("rpc.method", "pkg.Service/Method"),
        ("rpc.response.status_code", "INTERNAL"),
        ("rpc.system.name", "grpc"),
    ];
    let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let server = pushed.histogram("rpc.server.call.duration").into_iter();
    let server = server.filter(|point| point.count > 0).map(|point| labels(&point.attributes));
    let server = server.filter(|labels| labels["rpc.method"] == "pkg.Service/Method");
    assert_eq!(server.collect::<Vec<_>>(), [Labels::from(expected)]);
    let client = &pushed.histogram("rpc.client.call.duration")[0].attributes;
    assert_eq!(labels(client)["server.address"], "scripted");
    let port = client.iter().find(|attribute| attribute.key == "server.port");
    let port = port.and_then(|port| port.value.clone()?.value);
    assert_eq!(port, Some(Value::IntValue(50051)));
}

#[tokio::test]
async fn n2_units_are_in_the_names_of_scrapes() {
    for naming in [Naming::Default, Naming::GoGrpcPrometheus, Naming::GrpcA66] {
        let bed = busy(|builder| builder.naming(naming)).await;
        let pushed = pushed(&bed.metrics).await;
        let scraped = bed.scrape();
        for metric in &pushed.metrics {
            assert!(scraped.types.contains_key(&metric.name), "{naming:?}: {}", metric.name);
            assert_eq!(metric.unit == "s", metric.name.ends_with("_seconds"), "{}", metric.name);
            assert_eq!(metric.unit == "By", metric.name.ends_with("_bytes"), "{}", metric.name);
        }
    }
}

#[tokio::test]
async fn n2_points_are_counted_from_the_start_of_the_instance() {
    let nanos = || {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
        u64::try_from(now.as_nanos()).expect("before 2554")
    };
    let before = nanos();
    let metrics = GrpcMetrics::builder().registry(&Registry::new()).build().expect("right");
    let built = nanos();
    metrics.guard("pkg.Service", "Method").complete(Code::Ok);
    let collector = Collector::start().await;
    let pusher = pusher(&metrics, &collector).start().expect("right");
    for _ in 0..2 {
        let start = nanos();
        pusher.flush().await.expect("accepted");
        let times = collector.last().times();
        assert!(!times.is_empty());
        for [since, taken] in times {
            assert!((before..=built).contains(&since));
            assert!((start..=nanos()).contains(&taken));
        }
    }
}

#[tokio::test]
async fn n2_the_scope_is_this_crate_and_the_resource_the_program() {
    let (metrics, collector) = (metrics(), Collector::start().await);
    let pusher = pusher(&metrics, &collector)
        .service_name("shop")
        .resource_attribute("service.instance.id", "7")
        .header("x-key", "secret")
        .start()
        .expect("right");
    pusher.shutdown().await.expect("accepted");
    let arrived = collector.arrived();
    let sent = Pushed::of(&arrived);
    assert_eq!(sent.scope.name, "grpc-metrics-runtime");
    assert_eq!(sent.scope.version, env!("CARGO_PKG_VERSION"));
    let resource = [("service.instance.id", "7"), ("service.name", "shop")];
    let resource = resource.map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(sent.resource, Labels::from(resource));
    let header = |name: &str| arrived[0].metadata.get(name).expect("a header").to_str();
    assert_eq!(header("x-key").expect("text"), "secret");
    let debug = format!("{:?}", super::pusher(&metrics, &collector).header("x-key", "secret"));
    assert!(!debug.contains("secret"), "{debug}");
    assert!(header("user-agent").expect("text").starts_with("grpc-metrics-runtime/"));
}

#[tokio::test]
async fn n2_a_large_push_is_several_requests_that_a_collector_accepts() {
    let metrics = large_metrics();
    let scraped = scraped(Scrape::of(metrics.registry()));
    for gzip in [false, true] {
        let collector = Collector::start().await;
        let pusher = pusher(&metrics, &collector).gzip(gzip).start().expect("right");
        pusher.shutdown().await.expect("each is under the 4 MiB that tonic accepts");
        let arrived = collector.arrived();
        // Of 5 MB.
        assert!((2..=4).contains(&arrived.len()), "{}", arrived.len());
        let encoding = arrived[0].metadata.get("grpc-encoding").map(|encoding| encoding.to_str());
        assert_eq!(encoding.transpose().expect("text"), gzip.then_some("gzip"));
        assert_same(&Pushed::of(&arrived).series(), &scraped, "large");
    }
}

/// TLS, proxies and Unix sockets are channels to us.
#[tokio::test]
async fn n2_a_channel_of_the_programs_own_takes_the_pushes() {
    let (metrics, collector) = (metrics(), Collector::start().await);
    let channel = collector.server.connect().await;
    // An endpoint that could not be used is none.
    let builder = Pusher::builder(&metrics);
    let builder = builder.endpoint("https://collector").channel(channel);
    let pusher = builder.interval(Duration::from_secs(60)).start().expect("right");
    pusher.shutdown().await.expect("accepted");
    assert_eq!(collector.arrived().len(), 1);
}
