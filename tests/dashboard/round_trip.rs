//! Grafana's own types for dashboards read this one, and lose nothing of it. Needs Python and its `venv`.

use std::path::Path;
use std::process::Command;

use support::python;

use super::dashboard;

#[test]
#[ignore = "needs python3 and the PyPI package grafana-foundation-sdk"]
fn grafanas_own_types_lose_no_key() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let python = python::with_packages(
        "GRAFANA_SDK_PYTHON",
        &Path::new(env!("CARGO_TARGET_TMPDIR")).join("grafana-sdk"),
        &root.join("tests/dashboard/requirements.txt"),
    );
    let script = root.join("tests/dashboard/round_trip.py");
    let run = |file: &Path| Command::new(&python).arg(&script).arg(file).output().unwrap();
    let said = |output: &std::process::Output| {
        String::from_utf8_lossy(&[&*output.stdout, &output.stderr].concat()).into_owned()
    };
    let output = run(&root.join("grpc-metrics-runtime/src/monitoring/dashboard.json"));
    assert!(output.status.success(), "{}", said(&output));

    // It would see a key that Grafana does not know.
    let mut wrong = dashboard();
    wrong["panels"][0]["fieldConfig"]["defaults"]["decimels"] = 3.into();
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("dashboard_wrong.json");
    std::fs::write(&file, wrong.to_string()).unwrap();
    let output = run(&file);
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert_eq!(said(&output).trim(), "lost: panels[0].fieldConfig.defaults.decimels");
}
