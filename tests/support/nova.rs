//! The example Nova, as a program.

use std::path::PathBuf;
use std::process::{ChildStdout, Command, Stdio};

use crate::process::{Lines, Process};
use crate::programs::build_release;

#[derive(Debug)]
pub struct Nova {
    process: Process,
    pub output: Lines<ChildStdout>,
    /// Host and port of `/metrics`.
    pub metrics: String,
}

impl Nova {
    /// With these arguments, on free ports. Returns once it serves.
    pub fn start(args: &[&str]) -> Self {
        let mut process = Process::start(command().args(args).stdout(Stdio::piped()));
        let output = process.output();
        let title = output.until(|line| line.contains("/metrics")).pop().unwrap();
        let (_, url) = title.split_once("http://").unwrap();
        let metrics = url.strip_suffix("/metrics").unwrap().to_owned();
        Self { process, output, metrics }
    }

    /// Ctrl-C, and the exit code.
    pub fn interrupt(self) -> Option<i32> {
        self.process.interrupt()
    }
}

/// To be run on free ports.
pub fn command() -> Command {
    let mut command = Command::new(program());
    command.args(["--grpc", "127.0.0.1:0", "--metrics", "127.0.0.1:0"]);
    command
}

/// From `NOVA` or else built now.
fn program() -> PathBuf {
    std::env::var_os("NOVA").map_or_else(|| build_release("nova"), PathBuf::from)
}
