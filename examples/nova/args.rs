//! The command line.

use std::{fmt::Display, net::SocketAddr, str::FromStr, time::Duration};

use lexopt::{Arg, Parser, ValueExt as _};

use crate::{
    namings::Chosen,
    service::{Addresses, FIRST_GRPC, FIRST_METRICS, Service},
};

pub(crate) const HELP: &str = "\
Nova: six gRPC services under traffic, with their metrics as a live table.

Usage: nova [OPTIONS]

  --processes       run each service in a process of its own; the ports are consecutive, from those of
                    --grpc and --metrics, in the order of --service
  --service NAME    run one service alone, without traffic: auth, content, feed, messaging, streaming
                    or user; the default ports are those of --processes
  --auth ADDR, --content ADDR, --user ADDR
                    with --service: where a service that it calls is [on this machine]
  --child           with --service: stop when stdin closes; this is how --processes starts its children
  --grpc ADDR       where gRPC listens [127.0.0.1:50051]
  --metrics ADDR    where /metrics listens [127.0.0.1:8081]
  --seconds N       stop after N seconds [until Ctrl-C]
  --linger N        keep serving for N seconds after the traffic
  --no-traffic      serve only
  --fault-rate P    probability that a store operation fails, 0 to 1 [0]
  --outage N        break the store for N seconds, in the middle of --seconds, or else after a minute;
                    there are no other outages, so the dashboard shows the budget burn
  --naming NAME     the names of the metrics: default, go-grpc-prometheus, opentelemetry or grpc-a66
                    [default]
  --otlp ADDR       send the spans of all RPCs and clients, and the metrics, to a collector, by OTLP over
                    gRPC
  -h, --help        print this

With traffic, Nova compares the metrics with what its clients counted before it exits. Other clients
make them differ. The exit code is 0 if they agree, 1 if they differ, and 2 if Nova could not start.
";

#[derive(Debug, PartialEq)]
pub(crate) struct Args {
    pub(crate) processes: bool,
    /// The only service of this process.
    pub(crate) service: Option<Service>,
    /// Where the services are that this one calls.
    pub(crate) peers: Addresses,
    pub(crate) child: bool,
    pub(crate) grpc: SocketAddr,
    pub(crate) metrics: SocketAddr,
    pub(crate) seconds: Option<Duration>,
    pub(crate) linger: Duration,
    pub(crate) traffic: bool,
    pub(crate) fault_rate: f64,
    pub(crate) outage: Option<Outage>,
    pub(crate) naming: Chosen,
    pub(crate) otlp: Option<String>,
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
        processes: false,
        service: None,
        peers: Addresses::default(),
        child: false,
        grpc: FIRST_GRPC,
        metrics: FIRST_METRICS,
        seconds: None,
        linger: Duration::ZERO,
        traffic: true,
        fault_rate: 0.0,
        outage: None,
        naming: Chosen::default(),
        otlp: None,
    };
    let (mut grpc, mut metrics, mut outage) = (None, None, None);
    let mut peers = Vec::new();
    while let Some(arg) = parser.next().map_err(one_line)? {
        match arg {
            Arg::Long("grpc") => grpc = Some(value(&mut parser, "--grpc", "an address")?),
            Arg::Long("metrics") => metrics = Some(value(&mut parser, "--metrics", "an address")?),
            Arg::Long("processes") => args.processes = true,
            Arg::Long("service") => {
                args.service = Some(value(&mut parser, "--service", "the name of a service")?);
            }
            Arg::Long("auth") => peers.push((Service::Auth, host(&mut parser, "--auth")?)),
            Arg::Long("content") => peers.push((Service::Content, host(&mut parser, "--content")?)),
            Arg::Long("user") => peers.push((Service::User, host(&mut parser, "--user")?)),
            Arg::Long("child") => args.child = true,
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
            Arg::Long("naming") => {
                args.naming = value(&mut parser, "--naming", "the name of a naming")?;
            }
            Arg::Long("otlp") => args.otlp = Some(host(&mut parser, "--otlp")?),
            Arg::Long("help") | Arg::Short('h') => return Ok(Command::Help),
            other => return Err(one_line(other.unexpected())),
        }
    }
    match args.service {
        None if args.child || !peers.is_empty() => {
            return Err("--child, --auth, --content and --user go with --service".to_owned());
        }
        Some(_) if args.processes => {
            return Err("--service and --processes exclude each other".to_owned());
        }
        Some(service) => {
            args.traffic = false;
            args.grpc = service.address(FIRST_GRPC).unwrap_or(FIRST_GRPC);
            args.metrics = service.address(FIRST_METRICS).unwrap_or(FIRST_METRICS);
        }
        None => {}
    }
    for (service, address) in peers {
        args.peers.set(service, address);
    }
    args.grpc = grpc.unwrap_or(args.grpc);
    args.metrics = metrics.unwrap_or(args.metrics);
    args.outage = outage.map(|lasts| Outage::within(args.seconds, lasts)).transpose()?;
    Ok(Command::Run(args))
}

fn value<T: FromStr>(parser: &mut Parser, flag: &str, what: &str) -> Result<T, String> {
    let value = parser.value().map_err(one_line)?.string().map_err(one_line)?;
    value.parse().map_err(|_| format!("{flag} takes {what}, not {value:?}"))
}

/// An address whose host may be a name.
fn host(parser: &mut Parser, flag: &str) -> Result<String, String> {
    let address: String = value(parser, flag, "host:port")?;
    match address.rsplit_once(':') {
        Some((host, port)) if !host.is_empty() && port.parse::<u16>().is_ok() => Ok(address),
        _ => Err(format!("{flag} takes host:port, not {address:?}")),
    }
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
                    --fault-rate=0.5 --outage 1 --naming opentelemetry --otlp 127.0.0.1:4317";
        let expected = Args {
            processes: false,
            service: None,
            peers: Addresses::default(),
            child: false,
            grpc: SocketAddr::from(([127, 0, 0, 1], 1)),
            metrics: "[::1]:2".parse().unwrap(),
            seconds: Some(Duration::from_secs(3)),
            linger: Duration::from_secs(4),
            traffic: false,
            fault_rate: 0.5,
            outage: Some(Outage { after: Duration::from_secs(1), lasts: Duration::from_secs(1) }),
            naming: "opentelemetry".parse().unwrap(),
            otlp: Some("127.0.0.1:4317".to_owned()),
        };
        assert_eq!(parsed(line), Ok(Command::Run(expected)));
        assert_eq!(parsed("--help"), Ok(Command::Help));
    }

    #[test]
    fn a_service_alone_has_its_own_ports() {
        let Ok(Command::Run(args)) = parsed("--service user --auth auth:1") else { panic!() };
        assert_eq!(args.service, Some(Service::User));
        assert_eq!((args.grpc.port(), args.metrics.port()), (50056, 8086));
        let of = |service| args.peers.of(service);
        assert_eq!((of(Service::Auth), of(Service::Content)), ("auth:1", "127.0.0.1:50052"));
        assert!(!args.traffic);
        let line = "--metrics 127.0.0.1:9 --service feed --child";
        let Ok(Command::Run(args)) = parsed(line) else { panic!() };
        assert_eq!((args.grpc.port(), args.metrics.port(), args.child), (50053, 9, true));
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
            "--naming",
            "--naming mine",
            "--otlp",
            "--otlp collector",
            "--seconds 3 --outage 3",
            "--service",
            "--service mail",
            "--service user --processes",
            "--service feed --user nowhere",
            "--service feed --user :1",
            "--user 127.0.0.1:1",
            "--child",
            "--processes=6",
        ] {
            let message = parsed(line).unwrap_err();
            assert!(!message.is_empty() && !message.contains('\n'), "{line}: {message:?}");
        }
    }
}
