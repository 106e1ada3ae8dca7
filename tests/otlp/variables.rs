//! OpenTelemetry's variables, in a process that has them.

use std::env;
use std::process::Command;

use grpc_metrics_runtime::otlp::{Error, Pusher};
use support::collector::{Collector, Pushed};
use support::process::output_in_time;
use tokio::task::spawn_blocking;

use super::metrics;

/// Says to the test in this process that it is the program.
const PROGRAM: &str = "TEST_PROGRAM";

/// Runs a test of this module as a program that has these variables.
async fn run(test: &str, variables: &[(&str, &str)]) {
    let mut program = Command::new(env::current_exe().expect("this one"));
    program.args([&format!("otlp::variables::{test}"), "--exact", "--nocapture"]);
    program.env(PROGRAM, "1").envs(variables.iter().copied());
    let output = spawn_blocking(move || output_in_time(&mut program)).await.expect("no panic");
    let stdout = String::from_utf8_lossy(&output.stdout);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stdout.contains("test result: ok. 1 passed;"), "{stdout}{stderr}");
}

fn is_program() -> bool {
    env::var_os(PROGRAM).is_some()
}

#[tokio::test]
async fn n2_variables_say_where_and_how() {
    if is_program() {
        let pusher = Pusher::from_env(&metrics()).expect("right");
        return pusher.shutdown().await.expect("accepted");
    }
    let collector = Collector::start().await;
    let endpoint = collector.endpoint();
    let variables = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:1"),
        ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", &*endpoint),
        ("OTEL_EXPORTER_OTLP_HEADERS", "x-key=a%20b"),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip"),
        ("OTEL_SERVICE_NAME", "shop"),
        ("OTEL_RESOURCE_ATTRIBUTES", "service.name=other,deployment.environment.name=a%2Cb"),
        ("OTEL_METRIC_EXPORT_INTERVAL", "soon"),
    ];
    run("n2_variables_say_where_and_how", &variables).await;
    let arrived = collector.arrived();
    let pushed = Pushed::of(&arrived);
    let resource = |key: &str| pushed.resource.get(key).map(String::as_str);
    assert_eq!(resource("service.name"), Some("shop"));
    assert_eq!(resource("deployment.environment.name"), Some("a,b"));
    let header = |name: &str| arrived[0].metadata.get(name).map(|value| value.to_str());
    assert_eq!(header("x-key").transpose().expect("text"), Some("a b"));
    assert_eq!(header("grpc-encoding").transpose().expect("text"), Some("gzip"));
}

#[tokio::test]
async fn n2_a_disabled_pusher_pushes_nothing() {
    if is_program() {
        let pusher = Pusher::from_env(&metrics()).expect("nothing is read");
        pusher.flush().await.expect("nothing is pushed");
        return pusher.shutdown().await.expect("nothing is pushed");
    }
    let collector = Collector::start().await;
    let endpoint = collector.endpoint();
    let variables = [
        ("OTEL_SDK_DISABLED", "true"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &*endpoint),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"),
    ];
    run("n2_a_disabled_pusher_pushes_nothing", &variables).await;
    assert!(collector.arrived().is_empty());
}

#[tokio::test]
async fn n2_another_protocol_is_an_error_that_says_what_to_set() {
    if is_program() {
        let error = Pusher::from_env(&metrics()).expect_err("not supported");
        assert!(matches!(error, Error::UnsupportedProtocol { .. }), "{error:?}");
        let text = error.to_string();
        assert!(text.contains("OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf"), "{text}");
        assert!(text.contains("set it to grpc"), "{text}");
        // The variables are read by those who ask for them.
        let _pusher = Pusher::builder(&metrics()).start().expect("no variable is read");
        return;
    }
    let variables = [("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf")];
    run("n2_another_protocol_is_an_error_that_says_what_to_set", &variables).await;
}
