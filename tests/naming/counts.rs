//! M3: conservation and series at zero, and the same text from each encoder, in every naming.

use std::collections::{BTreeMap, BTreeSet};

use grpc_metrics_runtime::prometheus::{Registry, TextEncoder};
use grpc_metrics_runtime::{GrpcMetrics, Naming};
use support::bed::whole;
use support::scrape::Scrape;
use support::scripted::SERVICE;

use super::{NAMINGS, busy};

/// The counter of requests, if there is one; the histogram; and the label of codes.
fn names(naming: Naming) -> (Option<&'static str>, &'static str, &'static str) {
    match naming {
        Naming::GoGrpcPrometheus => {
            (Some("grpc_server_handled_total"), "grpc_server_handling_seconds", "grpc_code")
        }
        Naming::OpenTelemetry => {
            (None, "rpc_server_call_duration_seconds", "rpc_response_status_code")
        }
        Naming::GrpcA66 => (None, "grpc_server_call_duration_seconds", "grpc_status"),
        _ => (Some("grpc_server_requests_total"), "grpc_server_request_duration_seconds", "code"),
    }
}

/// Paths that no method has, by naming.
const OTHER: [&str; 2] = ["other", "_OTHER"];

/// Sums of a family by the labels but for that of the code, of the bed's service and other paths.
fn by_method(scrape: &Scrape, name: &str, code: &str) -> BTreeMap<Vec<String>, u64> {
    let mut sums = BTreeMap::new();
    for (labels, value) in scrape.named(name) {
        let others = labels.iter().filter(|(name, _)| *name != code && *name != "error_type");
        let is_own = |value: &String| value.starts_with(SERVICE) || OTHER.contains(&&**value);
        if !labels.values().any(is_own) {
            continue;
        }
        let key = others.map(|(name, value)| format!("{name}={value}")).collect();
        *sums.entry(key).or_default() += whole(value);
    }
    sums
}

#[tokio::test]
async fn m3_what_has_ended_is_counted_once_in_every_naming() {
    for naming in NAMINGS {
        let bed = busy(|builder| builder.naming(naming)).await;
        let (requests, durations, code) = names(naming);
        let scrape = bed.scrape();
        let durations = by_method(&scrape, &format!("{durations}_count"), code);
        if let Some(requests) = requests {
            assert_eq!(by_method(&scrape, requests, code), durations, "{naming:?}");
        }
        let ended: u64 = durations.values().sum();
        assert_eq!(ended, 4 * 6 + 1, "{naming:?}\n{}", scrape.text);
        // Four methods, and other paths.
        assert_eq!(durations.len(), 5, "{naming:?}\n{}", scrape.text);
    }
}

#[tokio::test]
async fn m3_series_start_at_zero_in_every_naming() {
    for naming in NAMINGS {
        let registry = Registry::new();
        let builder = GrpcMetrics::builder().registry(&registry);
        let metrics = builder.naming(naming).build().expect("right");
        metrics.guard("pkg.Service", "Method").complete(tonic::Code::NotFound);
        let scrape = Scrape::of(&registry);
        let (requests, durations, code) = names(naming);
        let counts = requests.map_or_else(|| format!("{durations}_count"), str::to_owned);
        let is_it = |value: &String| value.starts_with("pkg.Service");
        let own: Vec<_> =
            scrape.named(&counts).filter(|(labels, _)| labels.values().any(is_it)).collect();
        let at_zero = own.iter().filter(|(_, value)| *value == 0.0).count();
        let codes: BTreeSet<_> = own.iter().map(|(labels, _)| &labels[code]).collect();
        let expected = if naming == Naming::GoGrpcPrometheus { 16 } else { 7 };
        assert_eq!(at_zero, expected, "{naming:?}\n{}", scrape.text);
        assert_eq!(codes.len(), expected + 1, "{naming:?}");
    }
}

/// All series but for the spelling of `le`.
fn series(text: String) -> BTreeSet<(String, BTreeMap<String, String>, String)> {
    let series = Scrape::parse(text).series.into_iter();
    let plain = series.map(|((name, mut labels), value)| {
        if let Some(le) = labels.get_mut("le") {
            *le = le.parse::<f64>().expect("a bound").to_string();
        }
        (name, labels, value.to_string())
    });
    plain.collect()
}

#[tokio::test]
async fn m3_openmetrics_has_the_same_series_in_every_naming() {
    for naming in NAMINGS {
        let bed = busy(|builder| builder.naming(naming)).await;
        let open = bed.metrics.encode_openmetrics().expect("it is text");
        assert!(!open.contains(" unknown\n"), "{naming:?}\n{open}");
        let classic = bed.metrics.encode().expect("it is text");
        assert_eq!(series(open), series(classic), "{naming:?}");
    }
}

#[tokio::test]
async fn m3_the_text_is_that_of_the_registry_in_every_naming() {
    for naming in NAMINGS {
        let bed = busy(|builder| builder.naming(naming).const_label("zone", "a")).await;
        // In the order of full names, `a.b/M` comes before `a/M`.
        for (service, method) in [("a", "M"), ("a.b", "M"), ("other", "M"), ("quote\"d", "ü")] {
            bed.metrics.guard(service, method).complete(tonic::Code::Aborted);
        }
        let families = bed.registry.gather();
        let expected = TextEncoder::new().encode_to_string(&families).expect("it is text");
        let text = bed.metrics.encode().expect("it is text");
        for (ours, theirs) in text.lines().zip(expected.lines()) {
            assert_eq!(ours, theirs, "{naming:?}");
        }
        assert_eq!(text.len(), expected.len(), "{naming:?}");
    }
}
