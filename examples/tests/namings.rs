//! Nova's metrics in other namings. It reads them, and holds them against what its clients counted.

use std::process::{Command, Stdio};

const NAMINGS: [&str; 3] = ["go-grpc-prometheus", "opentelemetry", "grpc-a66"];

/// Asserts that Nova ends with 0, and that its last table has all that a page says.
fn assert_agrees(naming: &str, more: &[&str]) {
    let mut nova = Command::new(env!("CARGO_BIN_EXE_nova"));
    nova.args(["--grpc", "127.0.0.1:0", "--metrics", "127.0.0.1:0"]);
    nova.args(["--seconds", "2", "--naming", naming]).args(more).stdin(Stdio::null());
    let output = nova.output().unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), said.as_str()), (Some(0), ""), "{naming}: {printed}");
    let verdict = printed.lines().find(|line| line.starts_with("checked 42 methods, "));
    assert!(verdict.is_some_and(|line| line.ends_with(": all agree")), "{naming}: {printed}");
    let methods: Vec<_> = printed.lines().filter(|line| line.starts_with("nova.")).collect();
    assert_eq!(methods.len(), 42, "{naming}: {printed}");
    assert!(methods.iter().all(|line| line.contains(" p95=")), "{naming}: {printed}");
    for of in [" 13=", " errors: ", " from-services="] {
        assert!(methods.iter().any(|line| line.contains(of)), "{naming}: {printed}");
    }
}

#[test]
fn m1_the_metrics_agree_with_the_clients_in_each_naming() {
    for naming in NAMINGS {
        assert_agrees(naming, &[]);
    }
}

#[test]
fn m1_child_processes_have_the_naming_too() {
    assert_agrees("grpc-a66", &["--processes"]);
}
