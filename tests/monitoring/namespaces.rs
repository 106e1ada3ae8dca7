//! Two deployments under one job, as the real programs tell them apart.

use support::wait::until;
use tonic::Code;

use crate::programs::Programs;
use crate::target::{SERVICE, Target};

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the prometheus, prometheus-alertmanager and amtool programs"]
async fn h6_what_breaks_in_one_namespace_pages_for_it_alone() {
    let mut production = Target::start("grpc_server").await;
    let mut staging = Target::start("grpc_server").await;
    let monitoring = production.monitoring.clone().target_labels(["namespace"]).unwrap();
    let targets = [
        (production.address.as_str(), "{namespace: production}"),
        (staging.address.as_str(), "{namespace: staging}"),
    ];
    let programs = Programs::start("namespaces", &monitoring, &targets).await;
    let ask = |asked: &str| programs.ask(asked);
    let firing = |matchers: &str| ask(&format!("ALERTS{{alertstate=\"firing\", {matchers}}}"));
    let both = "count(grpc_server_slo_events_total{method=\"First\", slo=\"availability\"})";
    until(|| ask(both), |count| *count == ["2"]).await;

    // Staging is down. In production one method is, beside which the other is called so often that the service
    // as a whole keeps its objective: what pages for the service in staging must not keep that page back.
    production.call(6_000, Code::Ok).await;
    staging.call(40, Code::Internal).await;
    let page = |alert: &str, namespace: &str| {
        let posts = programs.pages.posts();
        let labels = [
            format!("\"alertname\":\"{alert}\""),
            format!("\"namespace\":\"{namespace}\""),
            format!("(namespace {namespace})"),
        ];
        posts.iter().any(|post| labels.iter().all(|label| post.contains(label)))
    };
    let (service, method) = ("GrpcServiceBudgetBurnsFast", "GrpcMethodBudgetBurnsFast");
    until(|| page(service, "staging"), |told| *told).await;
    assert_eq!(firing("namespace!=\"staging\""), [""; 0]);
    // Of its own method's, that page keeps it back.
    until(|| programs.alerts("--inhibited"), |alerts| alerts.contains(method)).await;
    production.call_second(20, Code::Internal).await;
    until(|| page(method, "production"), |told| *told).await;
    assert!(!page(service, "production") && !page(method, "staging"));
    assert_eq!(programs.alerts("--active").matches(method).count(), 1);

    // Production is gone, and staging is up under the same job.
    production.vanish();
    until(|| page("GrpcServiceGone", "production"), |told| *told).await;
    // The program has other services as well, which nobody serves.
    let gone = format!("alertname=\"GrpcServiceGone\", service={SERVICE:?}");
    assert_eq!(firing(&format!("{gone}, namespace=\"production\"")), ["1"]);
    assert_eq!(firing(&format!("{gone}, namespace!=\"production\"")), [""; 0]);
}
