//! The real Prometheus. Needs Debian's `prometheus`, which brings `promtool`.

use std::fmt::Write as _;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{ChildStderr, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::process::{Lines, Process};
use crate::wait::block_until;

/// The job of all targets.
pub const JOB: &str = "nova";

#[derive(Debug)]
pub struct Prometheus {
    /// Where it answers queries.
    pub url: String,
    /// Read as long as it runs, or it would end at a line that it can't write.
    _log: Lines<ChildStderr>,
    _process: Process,
}

impl Prometheus {
    /// Scrapes this target every second. Keeps its data below `directory` while it lives. Returns once
    /// the target has been scraped.
    pub fn start(directory: &str, target: &str) -> Self {
        Self::start_with(directory, &[target], "")
    }

    /// The same, and stores native histograms.
    pub fn start_native(directory: &str, target: &str) -> Self {
        Self::start_as(directory, &[target], "", "exemplar-storage,native-histograms")
    }

    /// The same with several targets, all of which have been scraped then; and with rules, which it evaluates every
    /// second, whatever their groups say.
    pub fn start_with(directory: &str, targets: &[impl AsRef<str>], rules: &str) -> Self {
        Self::start_as(directory, targets, rules, "exemplar-storage")
    }

    fn start_as(directory: &str, targets: &[impl AsRef<str>], rules: &str, features: &str) -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let targets: Vec<&str> = targets.iter().map(AsRef::as_ref).collect();
        // Tests of one program run beside each other.
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("prometheus-{}-{number}", std::process::id());
        let directory = Path::new(directory).join(name);
        fs::create_dir_all(&directory).unwrap();
        let config = directory.join("prometheus.yml");
        let lines = [
            "global: {scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}",
            "rule_files: [rules.yml]",
            "scrape_configs:",
            &format!("- job_name: {JOB}"),
            &format!("  static_configs: [{{targets: ['{}']}}]", targets.join("', '")),
        ];
        fs::write(&config, lines.join("\n")).unwrap();
        let hurried = rules.lines().filter(|line| !line.starts_with("    interval: "));
        let rules = hurried.collect::<Vec<_>>().join("\n");
        fs::write(directory.join("rules.yml"), rules).unwrap();
        let mut process = Process::start(
            Command::new("prometheus")
                .arg(format!("--config.file={}", config.display()))
                .arg(format!("--storage.tsdb.path={}", directory.join("data").display()))
                .arg("--web.listen-address=127.0.0.1:0")
                .arg(format!("--enable-feature={features}"))
                .stdout(Stdio::null())
                .stderr(Stdio::piped()),
        );
        let log = process.errors();
        let says = |line: &str| line.contains("msg=\"Listening on\"");
        let said = log.until(says).pop().unwrap();
        let (_, address) = said.rsplit_once("address=").expect(&said);
        let url = format!("http://{address}");
        let started = Self { url, _log: log, _process: process.with_directory(directory) };
        block_until(|| started.up(), |up| *up == targets.len());
        started
    }

    /// Whether the last scrape went well.
    pub fn is_up(&self) -> bool {
        self.up() > 0
    }

    /// Targets whose last scrape went well.
    fn up(&self) -> usize {
        let targets = self.query(&format!("up{{job=\"{JOB}\"}}"));
        targets.iter().filter(|(_, up)| *up > 0.0).count()
    }

    /// The samples of an instant query, each with its labels in front; none while Prometheus is not ready.
    pub fn query(&self, query: &str) -> Vec<(String, f64)> {
        let output = Command::new("promtool").args(["query", "instant", &self.url, query]).output();
        let printed = String::from_utf8(output.unwrap().stdout).unwrap();
        let samples = printed.lines().filter_map(|line| {
            let (labels, value) = line.split_once(" => ")?;
            let value = value.split_once(" @").map_or(value, |(value, _)| value);
            Some((labels.to_owned(), value.parse().unwrap()))
        });
        samples.collect()
    }

    /// What its HTTP API answers, as text.
    pub fn get(&self, path: &str, parameters: &[(&str, &str)]) -> String {
        let encoded: Vec<_> =
            parameters.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
        let address = self.url.strip_prefix("http://").unwrap();
        let mut stream = TcpStream::connect(address).unwrap();
        let query = encoded.join("&");
        // 1.0, so that the answer comes in one piece.
        write!(stream, "GET {path}?{query} HTTP/1.0\r\nHost: {address}\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        body.to_owned()
    }
}

fn encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut encoded, byte| {
        write!(encoded, "%{byte:02x}").unwrap();
        encoded
    })
}
