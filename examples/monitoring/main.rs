//! Generates the monitoring files: rules, their tests, and configuration for Prometheus, Alertmanager, Grafana
//! and Jaeger.

#[path = "../namings.rs"]
mod namings;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{fs, io};

use grpc_metrics_runtime::GrpcMetrics;
use lexopt::{Arg, Parser, ValueExt as _};
use namings::Chosen;

const HELP: &str = "\
Generates the monitoring files: rules, their tests, and configuration for Prometheus, Alertmanager, Grafana
and Jaeger.

Usage: monitoring --out DIR [OPTIONS]

  --out DIR      the output directory; created if missing
  --job NAME     the job in Prometheus [nova]
  --target ADDR  address of /metrics, as seen by Prometheus; repeatable
                 [host.docker.internal:8081]
  --prefix NAME  prefix of the metrics' names [grpc_server; with opentelemetry, rpc_server]
  --naming NAME  the names of the metrics: default, go-grpc-prometheus, opentelemetry or grpc-a66
                 [default]
  --target-label NAME
                 a target label that distinguishes deployments, such as namespace; repeatable
  -h, --help     print this
";

struct Args {
    out: PathBuf,
    job: String,
    targets: Vec<String>,
    prefix: Option<String>,
    naming: Chosen,
    target_labels: Vec<String>,
}

fn main() -> ExitCode {
    let args = match parse(Parser::from_env()) {
        Ok(Some(args)) => args,
        Ok(None) => {
            print!("{HELP}");
            return ExitCode::SUCCESS;
        }
        Err(message) => return fail(&format!("{message} (see --help)")),
    };
    match write(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => fail(&message),
    }
}

fn write(args: &Args) -> Result<(), String> {
    let builder = GrpcMetrics::builder().naming(args.naming.0);
    let builder = match &args.prefix {
        Some(prefix) => builder.prefix(prefix),
        None => builder,
    };
    let metrics = builder.build().map_err(|error| error.to_string())?;
    let targets: Vec<&str> = args.targets.iter().map(String::as_str).collect();
    let monitoring = metrics.monitoring().target_labels(&args.target_labels);
    let monitoring = monitoring.map_err(|error| error.to_string())?;
    for file in monitoring.files(&args.job, &targets) {
        let path = args.out.join(file.path);
        put(&path, &file.text).map_err(|error| format!("{}: {error}", path.display()))?;
        println!("{}", path.display());
    }
    Ok(())
}

fn put(path: &Path, text: &str) -> io::Result<()> {
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory)?;
    }
    fs::write(path, text)
}

/// Returns `None` for `--help`.
fn parse(mut parser: Parser) -> Result<Option<Args>, lexopt::Error> {
    let mut out = None;
    let mut job = "nova".to_owned();
    let mut targets = Vec::new();
    let mut prefix = None;
    let mut naming = Chosen::default();
    let mut target_labels = Vec::new();
    while let Some(arg) = parser.next()? {
        match arg {
            Arg::Long("out") => out = Some(PathBuf::from(parser.value()?)),
            Arg::Long("job") => job = parser.value()?.string()?,
            Arg::Long("target") => targets.push(parser.value()?.string()?),
            Arg::Long("prefix") => prefix = Some(parser.value()?.string()?),
            Arg::Long("naming") => naming = parser.value()?.parse()?,
            Arg::Long("target-label") => target_labels.push(parser.value()?.string()?),
            Arg::Long("help") | Arg::Short('h') => return Ok(None),
            other => return Err(other.unexpected()),
        }
    }
    let out = out.ok_or("--out DIR is required")?;
    if targets.is_empty() {
        targets.push("host.docker.internal:8081".to_owned());
    }
    Ok(Some(Args { out, job, targets, prefix, naming, target_labels }))
}

fn fail(message: &str) -> ExitCode {
    eprintln!("monitoring: {message}");
    ExitCode::from(2)
}
