//! M3: settings that are made together.

use grpc_metrics_runtime::prometheus::Registry;
use grpc_metrics_runtime::{GrpcMetrics, Naming};
use support::bed::whole;
use support::scrape::{Labels, Scrape};
use tonic::Code;

use super::NAMINGS;

/// Every combination of what can be switched, in each naming.
fn together() -> impl Iterator<Item = (Naming, [bool; 3])> {
    let switches = (0..8).map(|bits| [0, 1, 2].map(|bit| bits >> bit & 1 != 0));
    NAMINGS.into_iter().flat_map(move |naming| switches.clone().map(move |on| (naming, on)))
}

fn is_own(labels: &Labels) -> bool {
    labels.values().any(|value| value.starts_with("pkg.Service"))
}

#[test]
fn m3_requests_are_counted_by_code_with_all_settings() {
    for (naming, [by_code, full, ty]) in together() {
        let registry = Registry::new();
        let builder = GrpcMetrics::builder().registry(&registry).naming(naming);
        let builder = builder.code_on_durations(by_code).full_method_names(full).type_on_all(ty);
        let metrics = builder.build().expect("right");
        metrics.guard("pkg.Service", "Get").complete(Code::NotFound);
        let scrape = Scrape::of(&registry);
        let by_code = |name: &str| {
            let own = || scrape.named(name).filter(|(labels, _)| is_own(labels));
            let zeros = own().filter(|(_, value)| *value == 0.0).count();
            let has_code = own().any(|(labels, value)| {
                labels.values().any(|v| is_not_found(v)) && whole(value) == 1
            });
            has_code && zeros >= 7 && own().map(|(_, value)| whole(value)).sum::<u64>() == 1
        };
        let is_count = |name: &str| {
            ["requests_total", "handled_total", "duration_seconds_count"]
                .iter()
                .any(|known| name.ends_with(known))
        };
        let names = scrape.series.keys().map(|(name, _)| name.as_str());
        let counts: Vec<_> = names.filter(|name| is_count(name) && by_code(name)).collect();
        assert!(!counts.is_empty(), "{naming:?} {full} {ty}\n{}", scrape.text);
    }
}

fn is_not_found(value: &str) -> bool {
    ["5", "NotFound", "NOT_FOUND"].contains(&value)
}
