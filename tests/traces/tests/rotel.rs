//! The collector rotel, out of its package for Python.

use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;

use support::process::Process;
use support::python::with_packages;
use support::wait::block_until;

/// One that runs, up to the end of the test.
pub(crate) struct Rotel {
    pub(crate) grpc: SocketAddr,
    _process: Process,
}

impl Rotel {
    /// Starts it, and waits for its port. `name` is not that of another test's.
    pub(crate) fn start(name: &str, log: File, options: &[&str]) -> Self {
        let (grpc, http) = (free(), free());
        let pid = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("rotel-{name}.pid"));
        let mut collector = Command::new(program());
        collector.arg("start").args(options);
        collector.args(["--otlp-grpc-endpoint", &grpc.to_string()]);
        collector.args(["--otlp-http-endpoint", &http.to_string()]);
        collector.arg("--pid-file").arg(pid).stdout(log).stderr(Stdio::null());
        let process = Process::start(&mut collector);
        block_until(|| TcpStream::connect(grpc).is_ok(), |up| *up);
        Self { grpc, _process: process }
    }
}

/// An address that nobody listens at.
fn free() -> SocketAddr {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap()
}

fn program() -> PathBuf {
    /// Tests share the environment that the first one makes.
    static INSTALLING: Mutex<()> = Mutex::new(());
    let _installing = INSTALLING.lock().unwrap();
    let requirements = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/requirements.txt");
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("rotel");
    let python = with_packages("ROTEL_PYTHON", &directory, &requirements);
    let where_it_is = "import rotel; print(rotel.__path__[0])";
    let output = Command::new(python).args(["-c", where_it_is]).output().unwrap();
    let directory = String::from_utf8(output.stdout).unwrap();
    Path::new(directory.trim()).join("rotel-agent")
}
