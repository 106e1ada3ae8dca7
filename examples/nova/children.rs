//! Each service as a child process of this one.
//!
//! The parent controls a child by its stdin: a line is the weather, which the child repeats when it applies. A child
//! stops when its stdin closes, and so also if the parent is killed.

use std::{
    env, io,
    net::SocketAddr,
    process::{ExitStatus, Stdio},
    sync::Arc,
    time::Duration,
};

use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines},
    process::{ChildStdin, ChildStdout, Command},
    sync::Mutex,
    task::JoinSet,
    time,
};

use crate::{
    args::Args,
    run::Failure,
    screen::print,
    servers::{self, Place},
    service::{Addresses, Service},
    weather::Weather,
};

/// Longer than a child's servers and spans take to end.
const STOP: Duration = Duration::from_secs(10);

pub(crate) struct Children {
    pub(crate) addresses: Addresses,
    pub(crate) metrics: Vec<SocketAddr>,
    pub(crate) controls: Controls,
    /// Children that are dropped are killed.
    running: JoinSet<(Service, io::Result<ExitStatus>)>,
}

impl Children {
    pub(crate) async fn start(args: &Args) -> Result<Self, Failure> {
        let (mut addresses, mut metrics) = (Addresses::default(), Vec::new());
        let (mut controls, mut running) = (Vec::new(), JoinSet::new());
        for service in Service::CALLEES_FIRST {
            let fail = |why: String| Failure::Start(format!("{}: {why}", service.name()));
            let mut process = command(service, args, &addresses).map_err(fail)?;
            let mut process = process.spawn().map_err(|error| fail(error.to_string()))?;
            let (Some(stdin), Some(stdout)) = (process.stdin.take(), process.stdout.take()) else {
                return Err(fail("no pipes".to_owned()));
            };
            let mut output = BufReader::new(stdout).lines();
            // A child that can't start has said why on stderr.
            let title = output.next_line().await.ok().flatten().unwrap_or_default();
            let place = servers::place(&title).ok_or_else(|| fail("did not start".to_owned()))?;
            let pid = process.id().unwrap_or_default();
            // Only for information: the output may be closed.
            let _ = print([format!("{:<9}  pid {pid}  {}", service.name(), place.title())]);
            let Place { grpc, metrics: page } = place;
            addresses.set(service, grpc.to_string());
            metrics.push(page);
            controls.push(Control { stdin, output });
            running.spawn(async move { (service, process.wait().await) });
        }
        Ok(Self { addresses, metrics, controls: Controls(Arc::new(Mutex::new(controls))), running })
    }

    /// Returns when a child ends unexpectedly.
    pub(crate) async fn failure(&mut self) -> Failure {
        let why = match self.running.join_next().await {
            Some(Ok((service, Ok(status)))) => format!("{} ended: {status}", service.name()),
            _ => "a child process ended".to_owned(),
        };
        Failure::Running(why)
    }

    pub(crate) async fn stop(mut self) -> Result<(), Failure> {
        self.controls.0.lock().await.clear();
        let ended = async {
            while let Some(ended) = self.running.join_next().await {
                if !matches!(&ended, Ok((_, Ok(status))) if status.success()) {
                    return Err(Failure::Running(format!("a child process failed: {ended:?}")));
                }
            }
            Ok(())
        };
        let late = |_| Err(Failure::Running("a child process did not stop".to_owned()));
        time::timeout(STOP, ended).await.unwrap_or_else(late)
    }
}

fn command(service: Service, args: &Args, addresses: &Addresses) -> Result<Command, String> {
    let own = |first| service.address(first).ok_or_else(|| format!("no port left after {first}"));
    let mut command = Command::new(env::current_exe().map_err(|error| error.to_string())?);
    command
        .args(["--child", "--service", service.name()])
        .args(["--grpc", &own(args.grpc)?.to_string()])
        .args(["--metrics", &own(args.metrics)?.to_string()])
        .args(["--fault-rate", &args.fault_rate.to_string()])
        .args(["--naming", &args.naming.to_string()]);
    for callee in service.calls() {
        command.arg(format!("--{}", callee.name())).arg(addresses.of(*callee));
    }
    if let Some(otlp) = &args.otlp {
        command.args(["--otlp", otlp]);
    }
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
    // A terminal sends Ctrl-C to a whole group. It is for the parent, which reads its children's metrics before it
    // stops them.
    #[cfg(unix)]
    command.process_group(0);
    Ok(command)
}

/// The pipes to and from the children. Closing them stops the children.
#[derive(Clone)]
pub(crate) struct Controls(Arc<Mutex<Vec<Control>>>);

struct Control {
    stdin: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
}

impl Controls {
    /// Returns when it applies to every child. A child that has ended is ignored here, and reported by
    /// [`Children::failure`].
    pub(crate) async fn set(&self, weather: Weather) {
        for control in &mut *self.0.lock().await {
            let _ = control.tell(weather).await;
        }
    }
}

impl Control {
    async fn tell(&mut self, weather: Weather) -> io::Result<()> {
        self.stdin.write_all(format!("{}\n", weather.name()).as_bytes()).await?;
        while self.output.next_line().await?.is_some_and(|line| line != weather.name()) {}
        Ok(())
    }
}
