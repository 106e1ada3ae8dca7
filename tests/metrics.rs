//! Contract, section A: the metrics. Its settings, A6, are in `settings.rs`.

use std::collections::BTreeSet;

use support::bed::{Bed, assert_consistent};
use support::clients::Kind;
use support::codes;
use support::faults::panic_id;
use support::script::{fail, hang, panics, script, send};
use support::scripted::SERVICE;
use tonic::{Code, Request};

#[tokio::test]
async fn a1_families_have_their_names_labels_and_types() {
    let bed = Bed::new().await;
    bed.call(Kind::Unary, script([], [])).await;
    let scrape = bed.scrape();
    let types: Vec<_> =
        scrape.types.iter().map(|(name, kind)| (name.as_str(), kind.as_str())).collect();
    assert_eq!(
        types,
        [
            ("grpc_server_in_flight_requests", "gauge"),
            ("grpc_server_method_info", "gauge"),
            ("grpc_server_request_duration_seconds", "histogram"),
            ("grpc_server_requests_total", "counter"),
            ("grpc_server_stream_messages_sent_total", "counter"),
        ]
    );
    for (name, labels) in [
        ("grpc_server_requests_total", &["code", "method", "service"][..]),
        ("grpc_server_request_duration_seconds_count", &["method", "service"]),
        ("grpc_server_request_duration_seconds_sum", &["method", "service"]),
        ("grpc_server_request_duration_seconds_bucket", &["le", "method", "service"]),
        ("grpc_server_in_flight_requests", &["method", "service"]),
        ("grpc_server_method_info", &["method", "service", "type"]),
        ("grpc_server_stream_messages_sent_total", &["method", "service"]),
    ] {
        assert_eq!(scrape.label_names(name), BTreeSet::from([labels.to_vec()]), "{name}");
        assert_eq!(scrape.label_values(name, "service"), BTreeSet::from([SERVICE]));
    }
}

#[tokio::test]
async fn a1_every_rpc_raises_its_own_series_and_no_other() {
    let bed = Bed::new().await;
    let before = bed.scrape();
    bed.call(Kind::Watch, script([], [fail(Code::NotFound)])).await;
    let after = bed.scrape();
    let changed: BTreeSet<_> = after
        .series
        .iter()
        .filter(|(series, value)| before.series.get(*series) != Some(*value))
        .map(|((name, labels), _)| (name.as_str(), labels["method"].as_str()))
        .collect();
    let (count, sum, bucket) = (
        "grpc_server_request_duration_seconds_count",
        "grpc_server_request_duration_seconds_sum",
        "grpc_server_request_duration_seconds_bucket",
    );
    let expected = [bucket, count, sum, "grpc_server_requests_total"];
    assert_eq!(changed, expected.map(|name| (name, "Watch")).into());
}

#[tokio::test]
async fn a1_buckets_are_cumulative_and_end_at_infinity() {
    let bed = Bed::new().await;
    for _ in 0..3 {
        bed.call(Kind::Unary, script([], [])).await;
    }
    let scrape = bed.scrape();
    let labels = [("method", "Unary")];
    let buckets = scrape.with("grpc_server_request_duration_seconds_bucket", &labels);
    let mut buckets: Vec<(f64, f64)> =
        buckets.map(|(labels, value)| (labels["le"].parse().unwrap(), value)).collect();
    buckets.sort_by(|a, b| a.0.total_cmp(&b.0));
    assert!(buckets.is_sorted_by_key(|(_, count)| *count), "{buckets:?}");
    assert_eq!(buckets.last(), Some(&(f64::INFINITY, 3.0)));
    let bounds: Vec<f64> = buckets.iter().map(|(bound, _)| *bound).collect();
    assert_eq!(bounds[..bounds.len() - 1], *grpc_metrics_runtime::DEFAULT_BUCKETS);
}

#[tokio::test]
async fn a2_code_is_the_decimal_number() {
    let bed = Bed::new().await;
    bed.call(Kind::Unary, script([], [])).await;
    for code in 1..=16 {
        let seen = bed.call(Kind::Unary, script([fail(code.into())], [])).await;
        assert_eq!(i32::from(seen.code()), code);
    }
    let scrape = bed.scrape();
    for code in 0..=16 {
        let labels = [("method", "Unary"), ("code", &*code.to_string())];
        assert_eq!(scrape.value("grpc_server_requests_total", &labels), Some(1.0), "{code}");
    }
    assert_eq!(scrape.with("grpc_server_requests_total", &[("method", "Unary")]).count(), 17);
}

#[tokio::test]
async fn a2_a_setting_spells_codes_as_their_canonical_names() {
    let spelling = grpc_metrics_runtime::CodeLabel::Name;
    let bed = Bed::with(|builder| builder.code_label(spelling)).await;
    for (code, name) in (0..).zip(codes::NAMES) {
        let steps = (code != 0).then(|| fail(code.into()));
        bed.call(Kind::Unary, script(steps, [])).await;
        let scrape = bed.scrape();
        let labels = [("method", "Unary"), ("code", name)];
        assert_eq!(scrape.value("grpc_server_requests_total", &labels), Some(1.0), "{name}");
    }
    let scrape = bed.scrape();
    assert_eq!(scrape.label_values("grpc_server_requests_total", "code"), codes::NAMES.into());
}

#[tokio::test]
async fn a3_info_tells_the_kind() {
    let scrape = Bed::new().await.scrape();
    let info: Vec<_> = scrape
        .named("grpc_server_method_info")
        .map(|(labels, value)| (labels["method"].as_str(), labels["type"].as_str(), value))
        .collect();
    assert_eq!(
        info,
        [
            ("Chat", "bidi_stream", 1.0),
            ("Unary", "unary", 1.0),
            ("Upload", "client_stream", 1.0),
            ("Watch", "server_stream", 1.0),
        ]
    );
}

#[tokio::test]
async fn a4_messages_of_a_stream_are_counted_without_its_end_or_error() {
    let bed = Bed::new().await;
    for kind in Kind::STREAMS {
        assert_eq!(bed.messages_sent(kind), Some(0.0));
        bed.call(kind, script([], [send(), send()])).await;
        assert_eq!(bed.messages_sent(kind), Some(2.0));
        bed.call(kind, script([], [send(), fail(Code::DataLoss), send(), send()])).await;
        assert_eq!(bed.messages_sent(kind), Some(3.0));
        bed.call(kind, script([], [])).await;
        bed.call(kind, script([fail(Code::Aborted)], [send()])).await;
        assert_eq!(bed.messages_sent(kind), Some(3.0));
    }
}

#[tokio::test]
async fn a4_messages_are_counted_as_they_are_sent() {
    let bed = Bed::new().await;
    for (kind, waiting) in Kind::STREAMS.into_iter().zip(1..) {
        let script = script([], [send(), send(), hang()]);
        let mut stream = bed.open(kind, script).await.unwrap().into_inner();
        stream.message().await.unwrap();
        stream.message().await.unwrap();
        bed.until_waiting(waiting).await;
        assert_eq!(bed.messages_sent(kind), Some(2.0));
        drop(stream);
    }
    let ended = Kind::STREAMS.map(|kind| (kind, Code::Cancelled, 1));
    bed.until_ended(&ended).await;
    for kind in Kind::STREAMS {
        assert_eq!(bed.messages_sent(kind), Some(2.0));
    }
}

#[tokio::test]
async fn a4_methods_that_answer_with_one_message_have_no_such_series() {
    let bed = Bed::new().await;
    for kind in Kind::SINGLE {
        bed.call(kind, script([], [])).await;
    }
    let scrape = bed.scrape();
    assert_eq!(
        scrape.label_values("grpc_server_stream_messages_sent_total", "method"),
        ["Chat", "Watch"].into()
    );
}

/// One of each ending. Under load from many sides, see `random_rpcs.rs`.
#[tokio::test]
async fn a5_no_ending_loses_or_doubles_an_rpc() {
    let bed = Bed::new().await;
    let mut expected = Vec::new();
    let mut waiting = 0;
    for kind in Kind::ALL {
        bed.call(kind, script([], [])).await;
        bed.call(kind, script([fail(Code::Internal)], [])).await;
        bed.call(kind, script([panics(panic_id())], [])).await;
        let gone = bed.spawn(kind, script([hang()], []));
        waiting += 1;
        bed.until_waiting(waiting).await;
        gone.abort();
        expected.extend([
            (kind, Code::Ok, 1),
            (kind, Code::Internal, 1),
            (kind, Code::Unknown, 1),
            (kind, Code::Cancelled, 1),
        ]);
        assert_consistent(&bed.scrape());
    }
    for kind in Kind::STREAMS {
        bed.call(kind, script([], [send(), fail(Code::Aborted)])).await;
        bed.call(kind, script([], [send(), panics(panic_id())])).await;
        expected.extend([(kind, Code::Aborted, 1), (kind, Code::Unknown, 1)]);
        assert_consistent(&bed.scrape());
    }
    bed.close(&expected).await;
}

#[tokio::test]
async fn a5_scrapes_agree_while_rpcs_run() {
    let bed = Bed::new().await;
    let mut running = Vec::new();
    for (kind, n) in Kind::ALL.into_iter().zip(1..) {
        let requests = (0..n).map(|_| bed.spawn(kind, script([hang()], [])));
        running.extend(requests);
        bed.call(kind, script([], [])).await;
    }
    bed.until_waiting(running.len()).await;
    let ended = assert_consistent(&bed.scrape());
    for (kind, n) in Kind::ALL.into_iter().zip(1..) {
        assert_eq!(bed.in_flight(kind), n);
        assert_eq!(ended[&(SERVICE.to_owned(), kind.method().to_owned())], 1, "{kind:?}");
    }
    running.iter().for_each(tokio::task::JoinHandle::abort);
    let ok = Kind::ALL.map(|kind| (kind, Code::Ok, 1));
    let cancelled = Kind::ALL.into_iter().zip(1..).map(|(kind, n)| (kind, Code::Cancelled, n));
    bed.close(&ok.into_iter().chain(cancelled).collect::<Vec<_>>()).await;
}

/// An RPC that never reaches a handler is none that the attribute could see.
#[tokio::test]
async fn a5_unknown_paths_make_no_series() {
    let bed = Bed::new().await;
    let before = bed.scrape();
    let mut client = tonic::client::Grpc::new(bed.channel.clone());
    client.ready().await.unwrap();
    let codec = tonic_prost::ProstCodec::<support::pb::Script, support::pb::Reply>::default();
    let path = "/testing.v1.Scripted/Nowhere".parse().unwrap();
    let status = client.unary(Request::new(script([], [])), path, codec).await.unwrap_err();
    assert_eq!(status.code(), Code::Unimplemented);
    assert_eq!(bed.scrape(), before);
}
