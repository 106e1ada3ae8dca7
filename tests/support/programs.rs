//! Programs of this workspace, built with optimisations.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Builds a program of the examples or of the tests, and says where it is.
pub fn build_release(program: &str) -> PathBuf {
    let built = Command::new(env!("CARGO"))
        // With both packages, so that their dependencies are the same for each program, and built once.
        .args(["build", "--release", "-p", "examples", "-p", "tests", "--bin", program])
        .arg("--message-format=json")
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."))
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    assert!(built.status.success(), "{program} does not build");
    let messages = String::from_utf8(built.stdout).unwrap();
    let executables = messages.split("\"executable\":\"").skip(1);
    let executable = executables.filter_map(|rest| rest.split_once('"')).last();
    executable.expect("no executable").0.into()
}
