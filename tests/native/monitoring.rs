//! Contract, N1: generated files for a Prometheus that stores native histograms.

use grpc_metrics_runtime::GrpcMetricsBuilder;
use support::bed::own_metrics;

#[test]
fn n1_the_generated_stack_stores_both_kinds_of_histograms() {
    let files = |settings: fn(GrpcMetricsBuilder) -> GrpcMetricsBuilder| {
        let (_, metrics) = own_metrics(settings);
        metrics.monitoring().files("shop", &["shop:8081"])
    };
    let (classic, native) =
        (files(|builder| builder), files(GrpcMetricsBuilder::native_histograms));
    let mut changed = Vec::new();
    for (classic, native) in classic.iter().zip(&native) {
        let added = native.text.lines().filter(|line| !classic.text.contains(line));
        changed.extend(added.map(|line| (native.path, line.trim().to_owned())));
    }
    let settings: Vec<_> = changed.iter().filter(|(_, line)| !line.starts_with('#')).collect();
    let added = |path, line: &str| (path, line.to_owned());
    assert_eq!(
        settings,
        [
            &added("docker-compose.yml", "- --enable-feature=exemplar-storage,native-histograms"),
            &added("prometheus/prometheus.yml", "scrape_classic_histograms: true"),
        ]
    );
}
