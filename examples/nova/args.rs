//! The command line.

use std::{fmt::Display, net::SocketAddr, str::FromStr, time::Duration};

use lexopt::{Arg, Parser, ValueExt as _};

pub(crate) const HELP: &str = "\
Nova: six gRPC services under traffic, with their metrics as a live table.

Usage: nova [OPTIONS]

  --grpc ADDR       where gRPC listens [127.0.0.1:50051]
  --metrics ADDR    where /metrics listens [127.0.0.1:8081]
  --seconds N       stop after N seconds [until Ctrl-C]
  --linger N        keep serving for N seconds after the traffic
  --no-traffic      serve only
  --fault-rate P    probability that a store operation fails, 0 to 1 [0]
  --outage N        break the store for N seconds, in the middle of --seconds, or else after a minute;
                    there are no other outages, so the dashboard shows the budget burn
  --otlp ADDR       send the spans of all RPCs and clients to a collector, by OTLP over gRPC
  -h, --help        print this

With traffic, Nova compares the metrics with what its clients counted before it exits. Other clients
make them differ. The exit code is 0 if they agree, 1 if they differ, and 2 if Nova could not start.
";

#[derive(Debug, PartialEq)]
pub(crate) struct Args {
    pub(crate) grpc: SocketAddr,
    pub(crate) metrics: SocketAddr,
    pub(crate) seconds: Option<Duration>,
    pub(crate) linger: Duration,
    pub(crate) traffic: bool,
    pub(crate) fault_rate: f64,
    pub(crate) outage: Option<Outage>,
    pub(crate) otlp: Option<SocketAddr>,
}

/// When the store is broken, relative to Nova's start.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Outage {
    pub(crate) after: Duration,
    pub(crate) lasts: Duration,
}

/// Time before the outage of a run without `--seconds`.
const BEFORE_OUTAGE: Duration = Duration::from_secs(60);

impl Outage {
    /// In the middle of the run, to show the time before and after.
    fn within(seconds: Option<Duration>, lasts: Duration) -> Result<Self, String> {
        let Some(seconds) = seconds else { return Ok(Self { after: BEFORE_OUTAGE, lasts }) };
        match seconds.checked_sub(lasts) {
            Some(around) if !around.is_zero() => Ok(Self { after: around / 2, lasts }),
            _ => Err("--outage must be shorter than --seconds".to_owned()),
        }
    }
}

/// A parsed command line.
#[derive(Debug, PartialEq)]
pub(crate) enum Command {
    Run(Args),
    Help,
}

/// Parses a command line. An error is one line for the user.
pub(crate) fn parse(mut parser: Parser) -> Result<Command, String> {
    let mut args = Args {
        grpc: SocketAddr::from(([127, 0, 0, 1], 50051)),
        metrics: SocketAddr::from(([127, 0, 0, 1], 8081)),
        seconds: None,
        linger: Duration::ZERO,
        traffic: true,
        fault_rate: 0.0,
        outage: None,
        otlp: None,
    };
    let mut outage = None;
    while let Some(arg) = parser.next().map_err(one_line)? {
        match arg {
            Arg::Long("grpc") => args.grpc = value(&mut parser, "--grpc", "an address")?,
            Arg::Long("metrics") => args.metrics = value(&mut parser, "--metrics", "an address")?,
            Arg::Long("seconds") => args.seconds = Some(seconds(&mut parser, "--seconds")?),
            Arg::Long("linger") => args.linger = seconds(&mut parser, "--linger")?,
            Arg::Long("no-traffic") => args.traffic = false,
            Arg::Long("fault-rate") => {
                args.fault_rate = value(&mut parser, "--fault-rate", "a number")?;
                if !(0.0..=1.0).contains(&args.fault_rate) {
                    return Err("--fault-rate must be from 0 to 1".to_owned());
                }
            }
            Arg::Long("outage") => outage = Some(seconds(&mut parser, "--outage")?),
            Arg::Long("otlp") => args.otlp = Some(value(&mut parser, "--otlp", "an address")?),
            Arg::Long("help") | Arg::Short('h') => return Ok(Command::Help),
            other => return Err(one_line(other.unexpected())),
        }
    }
    args.outage = outage.map(|lasts| Outage::within(args.seconds, lasts)).transpose()?;
    Ok(Command::Run(args))
}

fn value<T: FromStr>(parser: &mut Parser, flag: &str, what: &str) -> Result<T, String> {
    let value = parser.value().map_err(one_line)?.string().map_err(one_line)?;
    value.parse().map_err(|_| format!("{flag} takes {what}, not {value:?}"))
}

fn seconds(parser: &mut Parser, flag: &str) -> Result<Duration, String> {
    let seconds: u32 = value(parser, flag, "a whole number of seconds")?;
    Ok(Duration::from_secs(u64::from(seconds)))
}

fn one_line(error: impl Display) -> String {
    error.to_string().replace('\n', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Command, String> {
        parse(Parser::from_args(line.split_whitespace()))
    }

    #[test]
    fn every_flag_is_read() {
        let line = "--grpc 127.0.0.1:1 --metrics [::1]:2 --seconds 3 --linger 4 --no-traffic \
                    --fault-rate=0.5 --outage 1 --otlp 127.0.0.1:4317";
        let expected = Args {
            grpc: SocketAddr::from(([127, 0, 0, 1], 1)),
            metrics: "[::1]:2".parse().unwrap(),
            seconds: Some(Duration::from_secs(3)),
            linger: Duration::from_secs(4),
            traffic: false,
            fault_rate: 0.5,
            outage: Some(Outage { after: Duration::from_secs(1), lasts: Duration::from_secs(1) }),
            otlp: Some(SocketAddr::from(([127, 0, 0, 1], 4317))),
        };
        assert_eq!(parsed(line), Ok(Command::Run(expected)));
        assert_eq!(parsed("--help"), Ok(Command::Help));
    }

    #[test]
    fn an_outage_needs_no_end_of_the_run() {
        let Ok(Command::Run(args)) = parsed("--outage 30") else { panic!() };
        let lasts = Duration::from_secs(30);
        assert_eq!(args.outage, Some(Outage { after: BEFORE_OUTAGE, lasts }));
    }

    #[test]
    fn mistakes_are_told_in_one_line() {
        for line in [
            "--frob",
            "-x",
            "extra",
            "--grpc",
            "--grpc nowhere",
            "--metrics 127.0.0.1",
            "--seconds -1",
            "--seconds 1.5",
            "--linger soon",
            "--no-traffic=1",
            "--fault-rate 1.1",
            "--fault-rate NaN",
            "--outage",
            "--outage 0.5",
            "--otlp",
            "--otlp collector",
            "--seconds 3 --outage 3",
        ] {
            let message = parsed(line).unwrap_err();
            assert!(!message.is_empty() && !message.contains('\n'), "{line}: {message:?}");
        }
    }
}
