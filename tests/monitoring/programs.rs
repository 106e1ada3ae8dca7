//! Prometheus and Alertmanager as they run with the files, and who is told.

use std::future::IntoFuture as _;
use std::net::{Ipv4Addr, TcpListener};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::routing::post;
use grpc_metrics_runtime::monitoring::Monitoring;
use support::process::Process;

use crate::tools::Directory;

/// What has been posted, as it came.
#[derive(Clone, Default)]
pub(crate) struct Webhook(Arc<Mutex<Vec<String>>>);

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

    pub(crate) fn posts(&self) -> Vec<String> {
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

/// The rules, each group evaluated as often as the configuration says, and what fires after 5 minutes firing
/// after some evaluations.
fn hurried(rules: &str) -> String {
    let own = |line: &&str| !line.starts_with("    interval: ");
    let hurried = rules.lines().filter(own).collect::<Vec<_>>().join("\n") + "\n";
    hurried.replace("\n        for: 5m\n", "\n        for: 3s\n")
}

/// The two, with what they know of these targets.
pub(crate) struct Programs {
    pub(crate) pages: Webhook,
    /// Where Prometheus answers.
    pub(crate) server: String,
    alertmanager: String,
    // Stopped before the directory goes.
    _processes: [Process; 2],
    _directory: Directory,
}

impl Programs {
    /// With the files as they are, but for how long they take their time. Each target is an address and what labels
    /// Prometheus gives it, as YAML has them; all have the job "shop".
    pub(crate) async fn start(
        name: &str,
        monitoring: &Monitoring,
        targets: &[(&str, &str)],
    ) -> Self {
        let (pages, tickets) = (Webhook::default(), Webhook::default());
        let urls = (pages.serve().await, tickets.serve().await);
        let (prometheus_at, alertmanager_at) = (free_address(), free_address());
        let directory = Directory::new(name);
        directory.write("rules.yml", &hurried(&monitoring.rules()));
        let addresses: Vec<&str> = targets.iter().map(|(address, _)| *address).collect();
        let config = monitoring.prometheus_config("shop", &addresses, &alertmanager_at);
        assert_eq!(config.matches("_interval: 15s").count(), 2);
        let config = config.replace("_interval: 15s", "_interval: 200ms");
        directory.write("prometheus.yml", &labelled(&config, targets));
        let mut config = monitoring.alertmanager_config(Some(&urls.0), Some(&urls.1));
        // Still longer than an evaluation.
        for wait in ["group_wait: 20s", "group_wait: 30s"] {
            assert_eq!(config.matches(wait).count(), 1);
            config = config.replace(wait, "group_wait: 3s");
        }
        directory.write("alertmanager.yml", &config);

        let path = |name: &str| directory.0.join(name).display().to_string();
        let alertmanager = start(
            "prometheus-alertmanager",
            &[
                format!("--config.file={}", path("alertmanager.yml")),
                format!("--storage.path={}", path("alertmanager")),
                format!("--web.listen-address={alertmanager_at}"),
                "--cluster.listen-address=".to_owned(),
            ],
        );
        let prometheus = start(
            "prometheus",
            &[
                format!("--config.file={}", path("prometheus.yml")),
                format!("--storage.tsdb.path={}", path("prometheus")),
                format!("--web.listen-address={prometheus_at}"),
            ],
        );
        Self {
            pages,
            server: format!("http://{prometheus_at}"),
            alertmanager: format!("http://{alertmanager_at}"),
            _processes: [alertmanager, prometheus],
            _directory: directory,
        }
    }

    /// The values of an instant query; none while Prometheus is not ready.
    pub(crate) fn ask(&self, asked: &str) -> Vec<String> {
        let args = ["query", "instant", &self.server, asked];
        let output =
            Command::new("promtool").args(args).output().expect("promtool is not installed");
        let printed = String::from_utf8(output.stdout).unwrap();
        let values = printed.lines().filter_map(|line| line.split_once(" => ")?.1.split_once(' '));
        values.map(|(value, _)| value.to_owned()).collect()
    }

    /// The alerts that Alertmanager has in this state: name and summary.
    pub(crate) fn alerts(&self, state: &str) -> String {
        let url = format!("--alertmanager.url={}", self.alertmanager);
        let args = [&url, "alert", "query", state, "--output=simple"];
        let output = Command::new("amtool").args(args).output().expect("amtool is not installed");
        String::from_utf8(output.stdout).unwrap()
    }
}

/// The configuration, each target with labels of its own.
fn labelled(config: &str, targets: &[(&str, &str)]) -> String {
    let (before, rest) = config.split_once("\n      - targets: [").unwrap();
    let (_, after) = rest.split_once('\n').unwrap();
    let targets = targets.iter().map(|(address, labels)| {
        let labels = if labels.is_empty() { "{}" } else { labels };
        format!("      - targets: ['{address}']\n        labels: {labels}\n")
    });
    [before, "\n", &targets.collect::<String>(), after].concat()
}
