//! Runs the whole system, the traffic and the table.

use std::{
    convert::Infallible,
    future, io,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{sync::watch, task::JoinHandle, time};

use crate::{
    args::{Args, Outage},
    check, child,
    naming::Names,
    scrape::{Pages, Scrape},
    screen::{Screen, print, print_error},
    signals::interrupt,
    system::System,
    table,
    traces::Traces,
    traffic::{Tally, Traffic},
    weather::{Stores, Weather},
    window::Window,
};

const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Longer than any call that is running when the traffic stops.
const DRAIN: Duration = Duration::from_secs(20);
/// Time for a cancellation to reach the server.
const SETTLE: Duration = Duration::from_millis(100);

/// Why Nova failed, in one line.
#[derive(Debug)]
pub(crate) enum Failure {
    Start(String),
    Running(String),
}

/// Returns whether metrics and clients agree.
pub(crate) async fn run(args: Args) -> Result<bool, Failure> {
    let traces = args.otlp.as_deref().map(|address| Traces::export_to(address, args.service));
    let traces = traces.transpose().map_err(Failure::Start)?;
    let agree =
        if args.child { child::run(&args).await.map(|()| true) } else { attend(&args).await };
    if let Some(traces) = traces {
        traces.end().await;
    }
    agree
}

/// Shows the system, and checks it at the end.
async fn attend(args: &Args) -> Result<bool, Failure> {
    let mut system = System::start(args).await?;
    let pages = Pages { addresses: system.metrics(), names: Names::of(args.naming.0) };
    let start = || RunningTraffic::start(&system, args.outage.is_some());
    let traffic = args.traffic.then(start).transpose()?;

    let (title, stores) = (system.title(), system.stores());
    tokio::select! {
        // Listen for signals before painting: a signal must not leave the alternate screen on.
        biased;
        () = interrupt() => {}
        () = time_is_up(args.seconds) => {}
        never = break_stores(stores, args.outage) => match never {},
        // The output is closed.
        _ = show(&pages, title) => {}
        failure = system.failure() => return Err(failure),
    }

    let agree = match traffic {
        Some(traffic) => {
            let tally = traffic.stop().await?;
            let last = drained(&pages).await?;
            report(&last, Some(&tally))
        }
        None => report(&look(&pages).await?, None),
    };
    tokio::select! {
        () = interrupt() => {}
        () = time::sleep(args.linger) => {}
        failure = system.failure() => return Err(failure),
    }
    system.stop().await?;
    Ok(agree)
}

struct RunningTraffic {
    task: JoinHandle<()>,
    tally: Arc<Tally>,
    stop: watch::Sender<bool>,
}

impl RunningTraffic {
    fn start(system: &System, fair: bool) -> Result<Self, Failure> {
        let (stop, stopped) = watch::channel(false);
        let mut traffic = Traffic::new(system.addresses(), system.stores(), stopped)
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

/// Never returns. After the outage the stores work as before.
async fn break_stores(stores: Stores, outage: Option<Outage>) -> Infallible {
    if let Some(Outage { after, lasts }) = outage {
        time::sleep(after).await;
        stores.set(Weather::Outage).await;
        time::sleep(lasts).await;
        stores.set(Weather::Fair).await;
    }
    future::pending().await
}

/// Returns only if the output is closed.
async fn show(pages: &Pages, title: String) -> io::Result<()> {
    let mut screen = Screen::open(title)?;
    let mut window = Window::new();
    let start = Instant::now();
    let mut ticks = time::interval(LOOK_EVERY);
    loop {
        ticks.tick().await;
        match pages.scrape().await {
            Ok(scrape) => {
                window.push(Instant::now(), scrape);
                screen.show(&window, start.elapsed())?;
            }
            Err(error) => screen.warn(&error.to_string())?,
        }
    }
}

async fn look(pages: &Pages) -> Result<Scrape, Failure> {
    pages.scrape().await.map_err(|error| Failure::Running(error.to_string()))
}

/// Scrapes until nothing is in flight, and returns the last scrape. Returns it also if RPCs stay in flight.
async fn drained(pages: &Pages) -> Result<Scrape, Failure> {
    let start = Instant::now();
    loop {
        time::sleep(SETTLE).await;
        let now = look(pages).await?;
        let idle = now.methods.values().all(|method| method.in_flight == 0);
        if idle || start.elapsed() > DRAIN {
            time::sleep(SETTLE).await;
            return look(pages).await;
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

async fn time_is_up(after: Option<Duration>) {
    match after {
        Some(after) => time::sleep(after).await,
        None => future::pending().await,
    }
}
