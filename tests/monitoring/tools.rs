//! What the programs that read the files say of them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use grpc_metrics_runtime::monitoring::Monitoring;
use grpc_metrics_runtime::prometheus::Registry;
use grpc_metrics_runtime::{CodeLabel, GrpcMetrics};
use tonic::Code;

use crate::{LABELS, NAMINGS, monitoring, monitoring_apart, monitoring_in};

/// The files in a directory of their own, which ends with the test.
pub(crate) struct Directory(pub(crate) PathBuf);

impl Directory {
    pub(crate) fn new(name: &str) -> Self {
        let name = format!("{name}-{}", std::process::id());
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn with(name: &str, monitoring: &Monitoring) -> Self {
        let directory = Self::new(name);
        // A job and a target that YAML would take for something else.
        for file in monitoring.files("it's: on", &["[::1]:8081", "b:1"]) {
            directory.write(file.path, &file.text);
        }
        directory
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.0.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Runs a program here, and gives what it says if it is content.
    pub(crate) fn run(&self, program: &str, args: &[&str]) -> String {
        self.try_run(program, args).unwrap_or_else(|said| panic!("{program} {args:?}: {said}"))
    }

    /// Runs a program here. What it says is an error if it is not content.
    pub(crate) fn try_run(&self, program: &str, args: &[&str]) -> Result<String, String> {
        let output = Command::new(program).args(args).current_dir(&self.0).output();
        let output = output.unwrap_or_else(|error| panic!("{program}: {error}"));
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        if output.status.success() { Ok(said) } else { Err(said) }
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The default, and a prefix that is hard to put into a name with labels that tell deployments apart.
fn both() -> [Monitoring; 2] {
    [monitoring("grpc_server"), monitoring_apart("shop:grpc")]
}

#[test]
#[ignore = "needs the promtool program"]
fn promtool_accepts_rules_and_configuration() {
    for monitoring in both() {
        let directory = Directory::with("check", &monitoring);
        let rules = ["check", "rules", "--lint=all", "--lint-fatal", "prometheus/rules.yml"];
        directory.run("promtool", &rules);
        let said = directory.run("promtool", &["check", "config", "prometheus/prometheus.yml"]);
        assert!(said.contains("1 rule files found"), "{said}");
    }
}

#[test]
#[ignore = "needs the promtool program"]
fn the_rules_pass_their_tests() {
    for monitoring in both() {
        let directory = Directory::with("test", &monitoring);
        directory.run("promtool", &["test", "rules", "prometheus/rules_test.yml"]);
    }
}

/// For each naming, with labels that tell deployments apart.
#[test]
#[ignore = "needs the promtool program"]
fn m1_the_rules_pass_their_tests_in_each_naming() {
    let pass = |naming| {
        let monitoring = monitoring_in(naming).target_labels(LABELS).expect("legal labels");
        let directory = Directory::with(&format!("{naming:?}"), &monitoring);
        let rules = ["check", "rules", "--lint=all", "--lint-fatal", "prometheus/rules.yml"];
        directory.run("promtool", &rules);
        directory.run("promtool", &["test", "rules", "prometheus/rules_test.yml"]);
    };
    // They take a while.
    thread::scope(|scope| NAMINGS.iter().for_each(|naming| drop(scope.spawn(|| pass(*naming)))));
}

/// For metrics with other codes than the default ones.
fn with_codes(faults: &[Code]) -> Monitoring {
    let builder = GrpcMetrics::builder().registry(&Registry::new());
    let builder = builder.fault_codes(faults.iter().copied()).code_label(CodeLabel::Name);
    builder.build().expect("settings that are right").monitoring()
}

#[test]
#[ignore = "needs the promtool program"]
fn h8_calls_fail_with_the_fault_codes_that_are_set() {
    let monitoring = with_codes(&[Code::NotFound, Code::Unavailable]);
    let tests = monitoring.rule_tests();
    let mut cases = tests.split("\n  - name: ");
    let head = cases.next().unwrap();
    let of_calls: Vec<_> = cases
        .filter(|case| case.contains("grpc_client_"))
        .map(|case| format!("\n  - name: {case}"))
        .collect();
    assert!(of_calls.iter().any(|case| case.contains("code=\"NOT_FOUND\"")), "{of_calls:?}");
    let directory = Directory::new("calls");
    directory.write("rules.yml", &monitoring.rules());
    directory.write("rules_test.yml", &format!("{head}{}", of_calls.concat()));
    directory.run("promtool", &["test", "rules", "rules_test.yml"]);
}

#[test]
#[ignore = "needs the promtool program"]
fn h8_without_fault_codes_no_call_fails() {
    let monitoring = with_codes(&[]);
    assert!(!monitoring.rule_tests().contains("grpc_client_"));
    let directory = Directory::with("no_faults", &monitoring);
    let rules = ["check", "rules", "--lint=all", "--lint-fatal", "prometheus/rules.yml"];
    directory.run("promtool", &rules);
}

/// Promtool is content with a file without tests, so each alert has to be in one.
#[test]
fn every_alert_has_a_test() {
    let monitoring = monitoring("grpc_server");
    let (rules, tests) = (monitoring.rules(), monitoring.rule_tests());
    let alerts: Vec<&str> =
        rules.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")).collect();
    assert_eq!(alerts.len(), 10);
    for alert in alerts {
        assert!(tests.contains(&format!("alertname=\"{alert}\"")), "{alert}");
    }
}

#[test]
#[ignore = "needs the amtool program"]
fn amtool_accepts_the_configuration_of_alertmanager() {
    for monitoring in both() {
        let directory = Directory::with("amtool", &monitoring);
        let with_urls = monitoring.alertmanager_config(Some("http://a/p"), Some("http://a/t's"));
        directory.write("alertmanager/urls.yml", &with_urls);
        for file in ["alertmanager.yml", "urls.yml"] {
            let said = directory.run("amtool", &["check-config", &format!("alertmanager/{file}")]);
            assert!(said.contains("2 receivers"), "{said}");
        }
    }
}

#[test]
#[ignore = "needs the docker-compose program"]
fn docker_compose_accepts_the_file() {
    let directory = Directory::with("compose", &monitoring("grpc_server"));
    let said = directory.run("docker-compose", &["-f", "docker-compose.yml", "config"]);
    let images =
        ["prom/prometheus:v", "prom/alertmanager:v", "grafana/grafana:", "jaegertracing/jaeger:2."];
    for image in images {
        assert!(said.contains(image), "{said}");
    }
    assert!(!said.contains(":latest"), "{said}");
    // What it mounts from here is there.
    let here = directory.0.canonicalize().unwrap();
    let mounts = said.lines().filter_map(|line| line.trim().strip_prefix("- /"));
    let sources: Vec<PathBuf> = mounts
        .filter_map(|mount| mount.split_once(':'))
        .map(|(source, _)| Path::new("/").join(source))
        .collect();
    assert_eq!(sources.len(), 4, "{said}");
    for source in sources {
        assert!(source.starts_with(&here) && source.is_dir(), "{}", source.display());
    }
}
