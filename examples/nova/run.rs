//! Runs the whole system: servers, traffic and table.

use std::{
    convert::Infallible,
    future, io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{
    net::TcpListener,
    signal,
    sync::watch,
    task::{JoinHandle, JoinSet},
    time,
};

use crate::{
    args::{Args, Outage},
    channels::Peers,
    check,
    scrape::{Scrape, scrape},
    screen::{Screen, print, print_error},
    server,
    service::{Addresses, Service},
    store::{Faults, Store},
    table,
    traces::Traces,
    traffic::{Tally, Traffic},
    window::Window,
};

const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Longer than any call that is running when the traffic stops.
const DRAIN: Duration = Duration::from_secs(20);
/// Time for a cancellation to reach the server.
const SETTLE: Duration = Duration::from_millis(100);
/// Other clients may hold streams open. Shutdown waits no longer than this for them.
const SHUTDOWN: Duration = Duration::from_secs(2);

/// Why Nova failed, in one line.
#[derive(Debug)]
pub(crate) enum Failure {
    Start(String),
    Running(String),
}

/// Returns whether metrics and clients agree.
pub(crate) async fn run(args: Args) -> Result<bool, Failure> {
    let grpc = listen("--grpc", args.grpc).await?;
    let metrics = listen("--metrics", args.metrics).await?;
    let (grpc_at, metrics_at) = (reachable(&grpc)?, reachable(&metrics)?);
    let traces = args.otlp.map(Traces::export_to).transpose().map_err(Failure::Start)?;
    let store = Arc::new(Store::new(args.fault_rate));
    let addresses = Addresses::all_at(grpc_at);
    let peers = Peers::at(&addresses).map_err(|error| Failure::Start(error.to_string()))?;
    let mut servers = Servers::start(grpc, metrics, &store, peers);
    let start = || RunningTraffic::start(&addresses, &store, args.outage.is_some());
    let traffic = args.traffic.then(start).transpose()?;

    let title = format!("gRPC {grpc_at}  http://{metrics_at}/metrics");
    tokio::select! {
        // Listen for signals before painting: a signal must not leave the alternate screen on.
        biased;
        () = interrupt() => {}
        () = time_is_up(args.seconds) => {}
        never = break_store(&store.faults, args.outage) => match never {},
        // The output is closed.
        _ = show(metrics_at, title) => {}
        failure = servers.failure() => return Err(failure),
    }

    let agree = match traffic {
        Some(traffic) => {
            let tally = traffic.stop().await?;
            let last = drained(metrics_at).await?;
            report(&last, Some(&tally))
        }
        None => report(&look(metrics_at).await?, None),
    };
    tokio::select! {
        () = interrupt() => {}
        () = time::sleep(args.linger) => {}
        failure = servers.failure() => return Err(failure),
    }
    servers.stop().await?;
    if let Some(traces) = traces {
        traces.end().await;
    }
    Ok(agree)
}

async fn listen(flag: &str, address: SocketAddr) -> Result<TcpListener, Failure> {
    TcpListener::bind(address)
        .await
        .map_err(|error| Failure::Start(format!("cannot listen on {address} ({flag}): {error}")))
}

/// Returns the address at which a client on this machine reaches the listener.
fn reachable(listener: &TcpListener) -> Result<SocketAddr, Failure> {
    let mut address = listener.local_addr().map_err(|error| Failure::Start(error.to_string()))?;
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(ip) if ip.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    Ok(address)
}

/// gRPC and `/metrics`.
struct Servers {
    tasks: JoinSet<Result<(), String>>,
    shutdown: watch::Sender<bool>,
}

impl Servers {
    fn start(grpc: TcpListener, metrics: TcpListener, store: &Arc<Store>, peers: Peers) -> Self {
        let (shutdown, ends) = watch::channel(false);
        let mut tasks = JoinSet::new();
        let serve =
            server::serve(grpc, &Service::ALL, Arc::clone(store), peers, asked(ends.clone()));
        tasks.spawn(async { serve.await.map_err(|error| format!("gRPC: {error}")) });
        let serve = grpc_metrics_runtime::http::serve(metrics).with_graceful_shutdown(asked(ends));
        tasks.spawn(async { serve.await.map_err(|error| format!("/metrics: {error}")) });
        Self { tasks, shutdown }
    }

    /// Returns when a server ends unexpectedly.
    async fn failure(&mut self) -> Failure {
        let why = match self.tasks.join_next().await {
            Some(Ok(Err(why))) => why,
            _ => "a server ended unexpectedly".to_owned(),
        };
        Failure::Running(why)
    }

    async fn stop(mut self) -> Result<(), Failure> {
        self.shutdown.send_replace(true);
        let ended = async {
            while let Some(task) = self.tasks.join_next().await {
                let result = task.map_err(|error| error.to_string()).and_then(|result| result);
                result.map_err(Failure::Running)?;
            }
            Ok(())
        };
        time::timeout(SHUTDOWN, ended).await.unwrap_or(Ok(()))
    }
}

struct RunningTraffic {
    task: JoinHandle<()>,
    tally: Arc<Tally>,
    stop: watch::Sender<bool>,
}

impl RunningTraffic {
    fn start(addresses: &Addresses, store: &Arc<Store>, fair: bool) -> Result<Self, Failure> {
        let (stop, stopped) = watch::channel(false);
        let mut traffic = Traffic::new(addresses, Arc::clone(store), stopped)
            .map_err(|error| Failure::Start(error.to_string()))?;
        if fair {
            traffic = traffic.in_fair_weather();
        }
        let tally = traffic.tally();
        Ok(Self { task: tokio::spawn(traffic.run()), tally, stop })
    }

    /// Starts no more calls and waits for those that are running.
    async fn stop(self) -> Result<Arc<Tally>, Failure> {
        self.stop.send_replace(true);
        match time::timeout(DRAIN, self.task).await {
            Ok(Ok(())) => Ok(self.tally),
            Ok(Err(error)) => Err(Failure::Running(format!("traffic: {error}"))),
            Err(_) => Err(Failure::Running("traffic: a call did not end".to_owned())),
        }
    }
}

/// Never returns. After the outage the store works as before.
async fn break_store(faults: &Faults, outage: Option<Outage>) -> Infallible {
    if let Some(Outage { after, lasts }) = outage {
        time::sleep(after).await;
        faults.set_outage(true);
        time::sleep(lasts).await;
        faults.set_outage(false);
    }
    future::pending().await
}

/// Returns only if the output is closed.
async fn show(metrics: SocketAddr, title: String) -> io::Result<()> {
    let mut screen = Screen::open(title)?;
    let mut window = Window::new();
    let start = Instant::now();
    let mut ticks = time::interval(LOOK_EVERY);
    loop {
        ticks.tick().await;
        match scrape(metrics).await {
            Ok(scrape) => {
                window.push(Instant::now(), scrape);
                screen.show(&window, start.elapsed())?;
            }
            Err(error) => screen.warn(&error.to_string())?,
        }
    }
}

async fn look(metrics: SocketAddr) -> Result<Scrape, Failure> {
    scrape(metrics).await.map_err(|error| Failure::Running(error.to_string()))
}

/// Scrapes until nothing is in flight, and returns the last scrape. Returns it also if RPCs stay in flight.
async fn drained(metrics: SocketAddr) -> Result<Scrape, Failure> {
    let start = Instant::now();
    loop {
        time::sleep(SETTLE).await;
        let now = look(metrics).await?;
        let idle = now.methods.values().all(|method| method.in_flight == 0);
        if idle || start.elapsed() > DRAIN {
            time::sleep(SETTLE).await;
            return look(metrics).await;
        }
    }
}

/// Prints the last table and, with traffic, whether it agrees with the clients.
fn report(last: &Scrape, tally: Option<&Tally>) -> bool {
    let mut lines = table::last(last, tally);
    let differences = tally.map_or_else(Vec::new, |tally| check::differences(tally, last));
    if let Some(tally) = tally {
        lines.push(table::verdict(tally, last, differences.len()));
        lines.push("traffic done".to_owned());
    }
    for line in &differences {
        print_error(line);
    }
    // If stdout is closed, the exit code still has the result.
    let _ = print(lines);
    differences.is_empty()
}

async fn asked(mut ends: watch::Receiver<bool>) {
    // An error means that the sender is gone, which also means shutdown.
    let _ = ends.wait_for(|asked| *asked).await;
}

/// Waits for Ctrl-C, SIGTERM or SIGHUP.
async fn interrupt() {
    tokio::select! {
        () = keyboard() => {}
        () = terminated() => {}
    }
}

async fn keyboard() {
    if signal::ctrl_c().await.is_err() {
        future::pending::<()>().await;
    }
}

/// Waits for SIGTERM, or for SIGHUP, which a closing terminal sends.
#[cfg(unix)]
async fn terminated() {
    use signal::unix::{SignalKind, signal};

    let (Ok(mut terminate), Ok(mut hang_up)) =
        (signal(SignalKind::terminate()), signal(SignalKind::hangup()))
    else {
        return future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = hang_up.recv() => {}
    }
}

#[cfg(not(unix))]
async fn terminated() {
    future::pending().await
}

async fn time_is_up(after: Option<Duration>) {
    match after {
        Some(after) => time::sleep(after).await,
        None => future::pending().await,
    }
}
