//! An alert goes all the way: from failing RPCs through Prometheus and Alertmanager to who is told.

use std::future::IntoFuture as _;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::routing::post;
use support::process::Process;
use support::wait::{until, until_eq};
use tonic::Code;

use crate::target::{SERVICE, Target};
use crate::tools::Directory;

/// What has been posted, as it came.
#[derive(Clone, Default)]
struct Webhook(Arc<Mutex<Vec<String>>>);

impl Webhook {
    /// Serves until the test ends, and says where.
    async fn serve(&self) -> String {
        let posts = self.0.clone();
        let take = post(move |body: String| async move { posts.lock().unwrap().push(body) });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().route("/", take);
        tokio::spawn(axum::serve(listener, router).into_future());
        format!("http://{address}/")
    }

    fn posts(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

/// Neither program can say which port it has found, so one is found for it.
fn free_address() -> String {
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    free.local_addr().unwrap().to_string()
}

fn start(program: &str, args: &[String]) -> Process {
    let mut command = Command::new(program);
    Process::start(command.args(args).stdout(Stdio::null()).stderr(Stdio::null()))
}

/// The values of an instant query; none while Prometheus is not ready.
fn query(server: &str, query: &str) -> Vec<String> {
    let output = Command::new("promtool").args(["query", "instant", server, query]).output();
    let printed = String::from_utf8(output.unwrap().stdout).unwrap();
    let values = printed.lines().filter_map(|line| line.split_once(" => ")?.1.split_once(' '));
    values.map(|(value, _)| value.to_owned()).collect()
}

/// The rules, each group evaluated as often as the configuration says.
fn hurried(rules: &str) -> String {
    let own = |line: &&str| !line.starts_with("    interval: ");
    rules.lines().filter(own).collect::<Vec<_>>().join("\n") + "\n"
}

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

/// The alerts that Alertmanager has, by name.
fn alerts(alertmanager: &str, state: &str) -> String {
    let url = format!("--alertmanager.url={alertmanager}");
    let args = [&url, "alert", "query", state, "--output=simple"];
    let output = Command::new("amtool").args(args).output().expect("amtool is not installed");
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the prometheus, prometheus-alertmanager and amtool programs"]
async fn failing_rpcs_page_somebody() {
    let mut target = Target::start("grpc_server").await;
    let (pages, tickets) = (Webhook::default(), Webhook::default());
    let urls = (pages.serve().await, tickets.serve().await);
    let (prometheus_at, alertmanager_at) = (free_address(), free_address());
    let directory = Directory::new("alert");
    let monitoring = &target.monitoring;
    // The files as they are, but for how long they take their time.
    directory.write("rules.yml", &hurried(&monitoring.rules()));
    let config = monitoring.prometheus_config("shop", &[&target.address], &alertmanager_at);
    assert_eq!(config.matches("_interval: 15s").count(), 2);
    directory.write("prometheus.yml", &config.replace("_interval: 15s", "_interval: 200ms"));
    let config = monitoring.alertmanager_config(Some(&urls.0), Some(&urls.1));
    let hurried = config.replace("group_wait: 10s", "group_wait: 0s");
    assert_ne!(config, hurried);
    directory.write("alertmanager.yml", &hurried.replace("group_wait: 30s", "group_wait: 0s"));

    let path = |name: &str| directory.0.join(name).display().to_string();
    let _alertmanager = start(
        "prometheus-alertmanager",
        &[
            format!("--config.file={}", path("alertmanager.yml")),
            format!("--storage.path={}", path("alertmanager")),
            format!("--web.listen-address={alertmanager_at}"),
            "--cluster.listen-address=".to_owned(),
        ],
    );
    let _prometheus = start(
        "prometheus",
        &[
            format!("--config.file={}", path("prometheus.yml")),
            format!("--storage.tsdb.path={}", path("prometheus")),
            format!("--web.listen-address={prometheus_at}"),
        ],
    );
    let server = format!("http://{prometheus_at}");
    let alertmanager = format!("http://{alertmanager_at}");
    let ask = |asked: &str| query(&server, asked);

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
    let posts = until(|| pages.posts(), |posts| !posts.is_empty()).await;
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
    let silent = || alerts(&alertmanager, "--inhibited");
    until(silent, |silent| all.iter().all(|name| silent.contains(name))).await;
    let told = alerts(&alertmanager, "--active");
    assert_eq!(told.matches("GrpcServiceBudgetBurnsFast").count(), 1, "{told}");
    assert_eq!(ask("ALERTS{slo=\"latency\"}"), [""; 0]);

    // Every recording rule has a value, and none is NaN.
    let rules = target.monitoring.rules();
    let recorded = rules.lines().filter_map(|line| line.trim().strip_prefix("- record: "));
    for name in recorded {
        until(|| ask(name), |values| !values.is_empty()).await;
        assert!(ask(name).iter().all(|value| value != "NaN"), "{name}");
    }
    let health = health_of_rules(&server);
    let all = rules.matches("- record: ").count() + rules.matches("- alert: ").count();
    assert_eq!(health.matches("\"health\":\"ok\"").count(), all, "{health}");
}
