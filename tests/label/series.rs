//! Which series have the label, and with which values.

use std::collections::BTreeSet;

use grpc_metrics_runtime::prometheus::Registry;
use grpc_metrics_runtime::{GrpcMetrics, Naming, RequestGuard, metadata};
use support::bed::{Bare, BedOf, Layered, Layering, assert_consistent};
use support::clients::Kind;
use support::pb::Script;
use support::scrape::Scrape;
use support::script::{fail, hang, script, send};
use support::scripted::SERVICE;
use support::wait::until_eq;
use tonic::Code;

use super::{
    DURATIONS, KEY, REQUESTS, by_client, call, counts, request, requests, snapshot_of, sums,
};

#[tokio::test]
async fn m4_the_first_values_have_series_of_their_own_and_later_ones_are_other() {
    first_values_and_others::<Bare>().await;
}

#[tokio::test]
async fn m4_the_first_values_have_series_of_their_own_and_later_ones_are_other_on_the_wire() {
    first_values_and_others::<Layered>().await;
}

async fn first_values_and_others<L: Layering>() {
    let bed = BedOf::<L>::with(by_client(2)).await;
    let clients = ["b", "a \"quoted\" \\", "c", "", "other", "b", "d"];
    for client in clients.map(Some).into_iter().chain([None]) {
        call(&bed, Kind::Unary, script([], []), client).await;
    }
    bed.until_ended(&[(Kind::Unary, Code::Ok, 8)]).await;
    let expected = counts([("", 2), ("a \"quoted\" \\", 1), ("b", 2), ("other", 3)]);
    assert_eq!(requests(&bed.scrape(), "Unary"), expected);
    assert_eq!(snapshot_of(&bed.metrics, SERVICE, "Unary"), expected);
    assert_eq!(bed.method(Kind::Unary).requests(Code::Ok), 8);
}

#[tokio::test]
async fn m4_values_have_their_codes_from_the_first_rpc() {
    let bed = BedOf::<Bare>::with(by_client(3)).await;
    let codes = |method: &str, client: &str| -> BTreeSet<String> {
        let scrape = bed.scrape();
        let labels = [("service", SERVICE), ("method", method), ("client", client)];
        let series = scrape.with(REQUESTS, &labels);
        series.map(|(labels, _)| labels["code"].clone()).collect()
    };
    let at_start = ["0", "12", "13", "14", "15", "2", "4"].map(str::to_owned);
    for kind in Kind::ALL {
        assert_eq!(codes(kind.method(), ""), at_start.clone().into());
        assert_eq!(requests(&bed.scrape(), kind.method()), counts([("", 0)]));
    }
    call(&bed, Kind::Unary, script([fail(Code::NotFound)], []), Some("a")).await;
    let mut with_not_found = BTreeSet::from(at_start.clone());
    assert_eq!(codes("Unary", ""), with_not_found);
    with_not_found.insert("5".to_owned());
    assert_eq!(codes("Unary", "a"), with_not_found);
    // Other methods have not seen it.
    assert_eq!(requests(&bed.scrape(), "Watch"), counts([("", 0)]));
}

#[tokio::test]
async fn m4_no_other_metric_has_the_label_unless_durations_are_asked_for() {
    for on_durations in [false, true] {
        let bed = BedOf::<Layered>::with(|builder| {
            let label = builder.label("client", metadata("X-Client-Name"));
            let label = if on_durations { label.on_durations() } else { label };
            label.at_most(5)
        })
        .await;
        for kind in Kind::ALL {
            call(&bed, kind, script([], [send()]), Some("a")).await;
            call(&bed, kind, script([fail(Code::Internal)], []), Some("b")).await;
        }
        // As a client, too.
        let layered = tower::Layer::layer(&bed.metrics.client_layer(), bed.channel.clone());
        let mut client = support::pb::scripted_client::ScriptedClient::new(layered);
        client.unary(request(Script::default(), Some("a"))).await.expect("it succeeds");
        let scrape = bed.scrape();
        let with_label = scrape.series.keys().filter(|(_, labels)| labels.contains_key("client"));
        let with_label: BTreeSet<_> = with_label.map(|(name, _)| name.clone()).collect();
        let mut expected = BTreeSet::from([REQUESTS.to_owned()]);
        if on_durations {
            expected.extend(["_bucket", "_count", "_sum"].map(|of| format!("{DURATIONS}{of}")));
        }
        assert_eq!(with_label, expected);
        let of_unary = counts([("", 0), ("a", 2), ("b", 1)]);
        assert_eq!(requests(&scrape, "Unary"), of_unary);
        if on_durations {
            let durations = sums(&scrape, &format!("{DURATIONS}_count"), [SERVICE, "Unary"]);
            assert_eq!(durations, counts([("", 0), ("a", 2), ("b", 1)]));
        }
        let called = bed.metrics.snapshot();
        let called = called.client_method(SERVICE, "Unary").expect("it was called");
        assert_eq!((called.requests(Code::Ok), called.requests_by_label().count()), (1, 0));
        assert_consistent(&scrape);
    }
}

#[tokio::test]
async fn m4_a_value_counts_however_the_rpc_ends() {
    let bed = BedOf::<Bare>::with(by_client(5)).await;
    call(&bed, Kind::Watch, script([], [send(), fail(Code::Aborted)]), Some("failed")).await;
    call(&bed, Kind::Chat, script([], [support::script::panics(1)]), Some("panicked")).await;
    let hanging = script([hang()], []);
    let dropped = bed.spawn_request(Kind::Watch, request(hanging, Some("dropped")));
    until_eq(|| bed.in_flight(Kind::Watch), 1).await;
    // It counts when it has ended.
    assert_eq!(requests(&bed.scrape(), "Watch"), counts([("", 0), ("failed", 1)]));
    dropped.abort();
    until_eq(|| bed.in_flight(Kind::Watch), 0).await;
    let of = |kind: Kind| {
        let method = bed.method(kind);
        let by_label = method.requests_by_label();
        by_label.map(|(client, code, n)| (client.to_owned(), code, n)).collect::<Vec<_>>()
    };
    let dropped = ("dropped".to_owned(), Code::Cancelled, 1);
    assert_eq!(of(Kind::Watch), [dropped, ("failed".to_owned(), Code::Aborted, 1)]);
    assert_eq!(of(Kind::Chat), [("panicked".to_owned(), Code::Unknown, 1)]);
    assert_consistent(&bed.scrape());
}

#[test]
fn m4_where_durations_alone_count_requests_they_have_the_label() {
    let registry = Registry::new();
    let builder = GrpcMetrics::builder().registry(&registry).naming(Naming::OpenTelemetry);
    let metrics = by_client(2)(builder).build().expect("right");
    for client in ["a", "b", "c"] {
        let guard = RequestGuard::builder("a.Service", "Method").metrics(&metrics);
        guard.request(&request((), Some(client))).start().complete(Code::Ok);
    }
    let scrape = Scrape::of(&registry);
    let method = [("rpc_method", "a.Service/Method")];
    let counted = scrape.with("rpc_server_call_duration_seconds_count", &method);
    let counted = counted.filter(|(_, count)| *count > 0.0);
    let clients: Vec<_> = counted.map(|(labels, _)| labels["client"].as_str()).collect();
    assert_eq!(clients, ["a", "b", "other"]);
    assert!(!scrape.types.contains_key("rpc_server_requests_total"), "{}", scrape.text);
}

#[test]
fn m4_wrong_settings_are_an_error() {
    use grpc_metrics_runtime::{Error, GrpcMetricsBuilder};
    type Settings = fn(GrpcMetricsBuilder) -> GrpcMetricsBuilder;
    let wrong: [(&str, Settings); 14] = [
        ("", |b| b.label("", metadata(KEY)).at_most(1)),
        ("1st", |b| b.label("1st", metadata(KEY)).at_most(1)),
        ("__mine", |b| b.label("__mine", metadata(KEY)).at_most(1)),
        ("service", |b| b.label("service", metadata(KEY)).at_most(1)),
        ("code", |b| b.label("code", metadata(KEY)).at_most(1)),
        ("le", |b| b.label("le", metadata(KEY)).at_most(1)),
        ("grpc_code", |b| {
            b.naming(Naming::GoGrpcPrometheus).label("grpc_code", metadata(KEY)).at_most(1)
        }),
        ("zone", |b| b.label("zone", metadata(KEY)).at_most(1).const_label("zone", "a")),
        ("b", |b| b.label("a", metadata(KEY)).at_most(1).label("b", metadata(KEY)).at_most(1)),
        ("client", |b| b.label("client", metadata(KEY)).at_most(0)),
        ("client", |b| b.label("client", metadata(KEY)).at_most(1_001)),
        ("client", |b| b.label("client", metadata("")).at_most(1)),
        ("client", |b| b.label("client", metadata("not a key")).at_most(1)),
        ("client", |b| b.label("client", metadata("x-client-bin")).at_most(1)),
    ];
    for (wrong, settings) in wrong {
        let registry = Registry::new();
        let error = settings(GrpcMetrics::builder().registry(&registry)).build().unwrap_err();
        let is_it = matches!(&error, Error::InvalidRequestLabel { name, .. } if name == wrong);
        assert!(is_it && error.to_string().contains(&format!("{wrong:?}")), "{error:?}");
        assert_eq!(support::scrape::text(&registry), "", "something is registered");
    }
    for most in [1, 1_000] {
        let builder = by_client(most)(GrpcMetrics::builder().registry(&Registry::new()));
        builder.build().expect("right");
    }
}
