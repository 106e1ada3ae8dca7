//! The stack in which each of Nova's services is a container.

use std::{collections::BTreeSet, path::Path, process::Command};

use grpc_metrics_runtime::GrpcMetrics;

const TARGETS: [&str; 6] =
    ["auth:8081", "content:8082", "feed:8083", "messaging:8084", "streaming:8085", "user:8086"];
const COMPOSE: &str = include_str!("../nova/docker-compose.yml");

#[test]
fn prometheus_scrapes_all_six_services() {
    let metrics = GrpcMetrics::builder().build().unwrap();
    let rendered = metrics.monitoring().prometheus_config("nova", &TARGETS, "alertmanager:9093");
    assert!(include_str!("../nova/prometheus.yml") == rendered, "out of date:\n{rendered}");
    // Each is a service of the compose file that has its metrics there.
    for target in TARGETS {
        let (service, port) = target.split_once(':').unwrap();
        let command = format!("--service {service} --grpc 0.0.0.0:");
        let (_, rest) = COMPOSE.split_once(&command).expect(target);
        let rest = rest.lines().next().unwrap();
        assert!(rest.contains(&format!(" --metrics 0.0.0.0:{port} ")), "{rest}");
    }
}

#[test]
fn grafana_is_that_of_the_monitoring_stack() {
    let grafana = |compose: &str| {
        let (_, rest) = compose.split_once("\n  grafana:\n").unwrap();
        let lines = rest.lines().take_while(|line| line.starts_with("    "));
        let lines = lines.filter(|line| !line.trim().starts_with('#'));
        lines.map(|line| line.replace("../../monitoring/", "./")).collect::<Vec<_>>()
    };
    assert_eq!(grafana(COMPOSE), grafana(include_str!("../../monitoring/docker-compose.yml")));
}

#[test]
#[ignore = "needs the docker-compose program"]
fn docker_compose_accepts_the_file() {
    let compose = Path::new(env!("CARGO_MANIFEST_DIR")).join("nova/docker-compose.yml");
    let mut command = Command::new("docker-compose");
    let output = command.arg("-f").arg(compose).args(["config", "--services"]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said = String::from_utf8(output.stdout).unwrap();
    let services: BTreeSet<&str> = said.lines().collect();
    let nova = TARGETS.map(|target| target.split_once(':').unwrap().0);
    let others = ["prometheus", "alertmanager", "grafana", "jaeger"];
    assert_eq!(services, nova.into_iter().chain(others).collect());
}
