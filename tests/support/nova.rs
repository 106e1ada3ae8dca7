//! The example Nova, as a program.

use std::path::PathBuf;
use std::process::{ChildStdout, Command, Stdio};

use crate::process::{Lines, Process};
use crate::programs::build_release;

#[derive(Debug)]
pub struct Nova {
    process: Process,
    pub output: Lines<ChildStdout>,
    /// Host and port of each `/metrics`: of the only process, or with `--processes` of all six.
    pub metrics: Vec<String>,
}

impl Nova {
    /// With these arguments, on free ports. Returns once it serves.
    pub fn start(args: &[&str]) -> Self {
        let mut process = Process::start(command().args(args).stdout(Stdio::piped()));
        let output = process.output();
        // With `--processes`, a line for each process is before the title.
        let places = output.until(|line| line.starts_with("Nova  "));
        let urls = places.iter().filter_map(|line| line.split_once("http://"));
        let metrics = urls.map(|(_, url)| url.strip_suffix("/metrics").unwrap().to_owned());
        Self { metrics: metrics.collect(), process, output }
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
