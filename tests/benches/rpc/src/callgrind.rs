//! This program under callgrind, which counts the instructions of its parts.

use std::hint::black_box;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::{env, fs, process};

use crate::Failure;

/// Whether there is valgrind on this machine.
pub(crate) fn is_here() -> bool {
    Command::new("valgrind").arg("--version").stdout(Stdio::null()).status().is_ok()
}

/// What callgrind takes as the end of a part: it writes what it has counted, and begins anew.
#[inline(never)]
pub(crate) fn end_of_part() {
    black_box(());
}

/// A process that ends with this value.
pub(crate) struct Ended(pub(crate) Child);

impl Drop for Ended {
    fn drop(&mut self) {
        if let Err(error) = self.0.kill().and_then(|()| self.0.wait()) {
            eprintln!("process {} stays: {error}", self.0.id());
        }
    }
}

/// A directory that goes with this value.
pub(crate) struct Directory(PathBuf);

impl Directory {
    /// `of` is the process whose dumps it holds.
    pub(crate) fn new(of: &str) -> Result<Self, Failure> {
        let of: String = of.chars().filter(char::is_ascii_alphanumeric).collect();
        let name = format!("grpc-metrics-rpc-{}-{of}", process::id());
        let directory = Self(env::temp_dir().join(name));
        fs::create_dir_all(&directory.0)?;
        Ok(directory)
    }

    /// Starts this program under callgrind, which writes its dumps here.
    pub(crate) fn valgrind(&self, arguments: &[&str]) -> Result<Ended, Failure> {
        let child = Command::new("valgrind")
            .args(["--tool=callgrind", "--quiet", "--dump-after=*end_of_part*"])
            .arg(format!("--callgrind-out-file={}", self.0.join("out").display()))
            .arg(env::current_exe()?)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        Ok(Ended(child))
    }

    /// The instructions in this dump; the first is 1.
    pub(crate) fn total(&self, dump: usize) -> Result<f64, Failure> {
        let dump = fs::read_to_string(self.0.join(format!("out.{dump}")))?;
        let totals = dump.lines().find_map(|line| line.strip_prefix("totals: "));
        Ok(totals.ok_or("callgrind gives no totals")?.parse()?)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.0) {
            eprintln!("{} stays: {error}", self.0.display());
        }
    }
}
