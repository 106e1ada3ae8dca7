//! An alert goes all the way: from failing RPCs through Prometheus and Alertmanager to who is told.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use support::wait::{until, until_eq};
use tonic::Code;

use crate::programs::Programs;
use crate::target::{SERVICE, Target};

/// What Prometheus says of its rules.
fn health_of_rules(server: &str) -> String {
    let address = server.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    // 1.0, so that the answer comes in one piece.
    let request = format!("GET /api/v1/rules HTTP/1.0\r\nHost: {address}\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the prometheus, prometheus-alertmanager and amtool programs"]
async fn failing_rpcs_page_somebody() {
    let mut target = Target::start("grpc_server").await;
    let programs =
        Programs::start("alert", &target.monitoring, &[(target.address.as_str(), "")]).await;
    let ask = |asked: &str| programs.ask(asked);

    // All is well: nobody is told.
    let events = "sum(grpc_server_slo_events_total{slo=\"availability\"})";
    until_eq(|| ask(events), vec!["0".to_owned()]).await;
    target.call(20, Code::Ok).await;
    until_eq(|| ask(events), vec!["20".to_owned()]).await;
    let ratio = format!("grpc_server:service_slo_bad:ratio1h{{service=\"{SERVICE}\"}}");
    // Of availability and of latency.
    until_eq(|| ask(&ratio), vec!["0".to_owned(), "0".to_owned()]).await;
    assert_eq!(ask("ALERTS"), [""; 0]);
    // The caller's mistakes are none of the service's.
    target.call(20, Code::NotFound).await;
    until_eq(|| ask(events), vec!["40".to_owned()]).await;

    target.call(40, Code::Internal).await;
    let posts = until(|| programs.pages.posts(), |posts| !posts.is_empty()).await;
    let page = &posts[0];
    for part in [
        "\"status\":\"firing\"",
        "\"alertname\":\"GrpcServiceBudgetBurnsFast\"",
        "\"slo\":\"availability\"",
        "\"job\":\"shop\"",
        &format!("\"service\":\"{SERVICE}\""),
        &format!("{SERVICE} misses its availability objective"),
        "% of the requests of",
    ] {
        assert!(page.contains(part), "no {part} in {page}");
    }

    // Its parts are known to Alertmanager, and silent. Latency was met.
    let all = [
        "GrpcServiceBudgetBurnsSlowly",
        "GrpcMethodBudgetBurnsFast",
        "GrpcMethodBudgetBurnsSlowly",
    ];
    let silent = || programs.alerts("--inhibited");
    until(silent, |silent| all.iter().all(|name| silent.contains(name))).await;
    let told = programs.alerts("--active");
    assert_eq!(told.matches("GrpcServiceBudgetBurnsFast").count(), 1, "{told}");
    assert_eq!(ask("ALERTS{slo=\"latency\"}"), [""; 0]);

    // Every recording rule has a value, and none is NaN.
    let rules = target.monitoring.rules();
    let recorded = rules.lines().filter_map(|line| line.trim().strip_prefix("- record: "));
    for name in recorded {
        until(|| ask(name), |values| !values.is_empty()).await;
        assert!(ask(name).iter().all(|value| value != "NaN"), "{name}");
    }
    let health = health_of_rules(&programs.server);
    let all = rules.matches("- record: ").count() + rules.matches("- alert: ").count();
    assert_eq!(health.matches("\"health\":\"ok\"").count(), all, "{health}");
}
