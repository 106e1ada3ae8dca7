//! What each format shows of the label.

use grpc_metrics_runtime::metadata;
use grpc_metrics_runtime::prometheus::{Registry, TextEncoder};
use grpc_metrics_runtime::{CodeLabel, GrpcMetrics, GrpcMetricsBuilder, Naming, RequestGuard};
use support::rng::Rng;
use support::scrape::Scrape;
use tonic::Code;
use tonic::metadata::MetadataMap;

use super::{KEY, REQUESTS, by_client};
use crate::openmetrics::open::assert_same_series;

/// Counts RPCs of several methods, with values that are escaped and values that sort otherwise than they come.
fn count(metrics: &GrpcMetrics) {
    let mut rng = Rng::new(11);
    let clients = ["z", "a\"b", "back\\slash", "10", "9", "other", "", "last"];
    for _ in 0..300 {
        let mut metadata = MetadataMap::new();
        if rng.below(5) > 0 {
            metadata.insert(KEY, rng.pick(&clients).parse().expect("a legal value"));
        }
        let method = rng.pick(&["Get", "Put"]);
        let guard = RequestGuard::builder("a.Service", method).metrics(metrics);
        let code = i32::try_from(rng.below(17)).expect("small");
        guard.metadata(&metadata).start().complete(Code::from_i32(code));
    }
}

#[test]
fn m4_all_formats_show_the_same_series() {
    let settings: [fn(GrpcMetricsBuilder) -> GrpcMetricsBuilder; 5] = [
        |builder| by_client(20)(builder),
        |builder| by_client(3)(builder).const_label("app", "shop").code_label(CodeLabel::Name),
        |builder| builder.label("aa", metadata(KEY)).on_durations().at_most(5),
        |builder| {
            builder.label("c", metadata(KEY)).on_durations().at_most(5).code_on_durations(true)
        },
        |builder| by_client(5)(builder).naming(Naming::OpenTelemetry),
    ];
    for settings in settings {
        let metrics = settings(GrpcMetrics::builder().registry(&Registry::new())).build();
        let metrics = metrics.expect("right");
        for _ in 0..2 {
            let gathered = metrics.registry().gather();
            let expected = TextEncoder::new().encode_to_string(&gathered).expect("it is text");
            let text = metrics.encode().expect("it is text");
            for (ours, theirs) in text.lines().zip(expected.lines()) {
                assert_eq!(ours, theirs);
            }
            assert!(text == expected, "{} and {} bytes", text.len(), expected.len());
            assert_same_series(&metrics);
            count(&metrics);
        }
    }
}

#[test]
fn m4_the_label_is_the_last_one_of_a_series() {
    let registry = Registry::new();
    let metrics = by_client(2)(GrpcMetrics::builder().registry(&registry)).build().expect("right");
    count(&metrics);
    let scrape = Scrape::of(&registry);
    let line =
        format!("{REQUESTS}{{service=\"a.Service\",method=\"Get\",code=\"0\",client=\"\"}} ");
    assert!(scrape.text.lines().any(|of| of.starts_with(&line)), "{}", scrape.text);
}
