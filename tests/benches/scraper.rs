//! What a scraper does to the latency of RPCs: a tonic server on 2 workers, which serve `/metrics` too, with
//! 1,000 methods of all 17 codes.
//!
//! `cargo bench -p tests --bench scraper`

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use grpc_metrics_runtime::{GrpcMetrics, RequestGuard, http, instrument_grpc};
use support::pb::names::Nothing;
use support::pb::names::bare_client::BareClient;
use support::pb::names::bare_server::{Bare, BareServer};
use support::server::connect;
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinSet;
use tokio::time::interval;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::Server;
use tonic::{Code, Request, Response, Status};

const METHODS: usize = 1_000;
const CODES: i32 = 17;
const WORKERS: usize = 2;
const ROUNDS: usize = 5;
const ROUND: Duration = Duration::from_secs(4);

/// From the start of an RPC to that of the next.
const EVERY: Duration = Duration::from_millis(5);

/// Between two scrapes. Prometheus would wait for 15 s, too long for a scrape to be seen in a P99.
const PAUSE: Duration = Duration::from_millis(100);

/// Requests that are sent at once.
const PIPELINED: usize = 64;
const FLOODS: usize = 4;

struct Service;

#[instrument_grpc]
#[tonic::async_trait]
impl Bare for Service {
    async fn say(&self, request: Request<Nothing>) -> Result<Response<Nothing>, Status> {
        Ok(Response::new(request.into_inner()))
    }
}

#[derive(Clone, Copy)]
enum Scraper {
    Nobody,
    Plain,
    Gzip,
    Floods,
}

impl Scraper {
    const ALL: [Self; 4] = [Self::Nobody, Self::Plain, Self::Gzip, Self::Floods];

    fn name(self) -> String {
        match self {
            Self::Nobody => "no scraper".to_owned(),
            Self::Plain => format!("GET, {PAUSE:?} between"),
            Self::Gzip => format!("GET with gzip, {PAUSE:?} between"),
            Self::Floods => format!("{FLOODS} connections of pipelined HEAD"),
        }
    }
}

/// Milliseconds, and answers per second.
#[derive(Clone, Copy, Default)]
struct Sample {
    p50: f64,
    p99: f64,
    longest: f64,
    answers: f64,
}

fn main() {
    GrpcMetrics::global();
    for method in 0..METHODS {
        let method: &str = Box::leak(format!("Method{method:04}").into_boxed_str());
        for code in 0..CODES {
            RequestGuard::new("bench.Service", method).complete(Code::from_i32(code));
        }
    }
    // In turns, so that a slower minute of the machine slows all of them.
    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        rounds.push(Scraper::ALL.map(measure));
    }

    println!(
        "An RPC every {EVERY:?}, of a server on {WORKERS} workers; {METHODS} methods with {CODES} codes.\n\
         Medians of {ROUNDS} rounds of {ROUND:?}; of the longest RPCs the longest.\n"
    );
    println!("{:<36}{:>10}{:>10}{:>12}{:>11}", "", "P50 ms", "P99 ms", "longest ms", "answers/s");
    for (i, scraper) in Scraper::ALL.into_iter().enumerate() {
        let all = |of: fn(&Sample) -> f64| {
            let mut all: Vec<f64> = rounds.iter().map(|round| of(&round[i])).collect();
            all.sort_by(f64::total_cmp);
            all
        };
        let median = |of| all(of)[ROUNDS / 2];
        println!(
            "{:<36}{:>10.3}{:>10.3}{:>12.1}{:>11.0}",
            scraper.name(),
            median(|sample| sample.p50),
            median(|sample| sample.p99),
            all(|sample| sample.longest)[ROUNDS - 1],
            median(|sample| sample.answers)
        );
    }
}

/// One round, with a server of its own: what is left of a scraper ends with it.
fn measure(scraper: Scraper) -> Sample {
    let workers = Builder::new_multi_thread().worker_threads(WORKERS).enable_all().build();
    let workers = workers.expect("threads can be started");
    let (rpcs, metrics) = serve(&workers);
    let scrapers = Scrapers::start(scraper, metrics);
    let caller = Builder::new_current_thread().enable_all().build().expect("an event queue");
    let (mut latencies, answers) = caller.block_on(call(rpcs, scrapers));
    workers.shutdown_timeout(Duration::from_secs(60));

    latencies.sort_by(f64::total_cmp);
    let last = latencies.len() - 1;
    #[allow(clippy::cast_precision_loss)]
    Sample {
        p50: latencies[last / 2],
        p99: latencies[last * 99 / 100],
        longest: latencies[last],
        answers: answers as f64 / ROUND.as_secs_f64(),
    }
}

/// Where RPCs are served, and where `/metrics`.
fn serve(workers: &Runtime) -> (SocketAddr, SocketAddr) {
    let listen = || {
        let listener = workers.block_on(TcpListener::bind("127.0.0.1:0")).expect("a free port");
        let address = listener.local_addr().expect("a bound address");
        (listener, address)
    };
    let ((rpcs, of_rpcs), (metrics, of_metrics)) = (listen(), listen());
    let server = Server::builder().add_service(BareServer::new(Service));
    workers.spawn(server.serve_with_incoming(TcpListenerStream::new(rpcs)));
    workers.spawn(async { http::serve(metrics).await });
    (of_rpcs, of_metrics)
}

/// Milliseconds of RPCs that start at their time, however long the others take.
async fn call(address: SocketAddr, scrapers: Scrapers) -> (Vec<f64>, u64) {
    let client = BareClient::new(connect(address).await);
    let mut rpcs = JoinSet::new();
    let (start, mut ticks) = (Instant::now(), interval(EVERY));
    while start.elapsed() < ROUND {
        ticks.tick().await;
        let mut client = client.clone();
        rpcs.spawn(async move {
            let start = Instant::now();
            client.say(Nothing {}).await.expect("the server answers");
            start.elapsed().as_secs_f64() * 1e3
        });
    }
    let answers = scrapers.stop();
    (rpcs.join_all().await, answers)
}

/// Threads that ask for `/metrics` until they are stopped.
struct Scrapers {
    stop: Arc<AtomicBool>,
    answers: Arc<AtomicU64>,
    threads: Vec<JoinHandle<io::Result<()>>>,
}

impl Scrapers {
    fn start(scraper: Scraper, address: SocketAddr) -> Self {
        let mut all = Self { stop: Arc::default(), answers: Arc::default(), threads: Vec::new() };
        match scraper {
            Scraper::Nobody => {}
            Scraper::Plain => all.spawn(address, "GET /metrics HTTP/1.0\r\n\r\n", scrape),
            Scraper::Gzip => {
                let request = "GET /metrics HTTP/1.0\r\nAccept-Encoding: gzip\r\n\r\n";
                all.spawn(address, request, scrape);
            }
            Scraper::Floods => {
                for _ in 0..FLOODS {
                    all.spawn(address, "HEAD /metrics HTTP/1.1\r\nHost: x\r\n\r\n", flood);
                }
            }
        }
        all
    }

    fn spawn(
        &mut self,
        address: SocketAddr,
        request: &'static str,
        ask: fn(SocketAddr, &str, &AtomicBool, &AtomicU64) -> io::Result<()>,
    ) {
        let (stop, answers) = (self.stop.clone(), self.answers.clone());
        self.threads.push(thread::spawn(move || ask(address, request, &stop, &answers)));
    }

    /// How many answers there were.
    fn stop(self) -> u64 {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads {
            thread.join().expect("no panic").expect("the server answers");
        }
        self.answers.load(Ordering::Relaxed)
    }
}

fn scrape(
    address: SocketAddr,
    request: &str,
    stop: &AtomicBool,
    answers: &AtomicU64,
) -> io::Result<()> {
    while !stop.load(Ordering::Relaxed) {
        let mut stream = TcpStream::connect(address)?;
        stream.write_all(request.as_bytes())?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        assert!(answer.starts_with(b"HTTP/1.0 200"));
        answers.fetch_add(1, Ordering::Relaxed);
        thread::sleep(PAUSE);
    }
    Ok(())
}

/// Sends many requests at once, and takes the answers before it sends more.
fn flood(
    address: SocketAddr,
    request: &str,
    stop: &AtomicBool,
    answers: &AtomicU64,
) -> io::Result<()> {
    let mut stream = TcpStream::connect(address)?;
    // To see that it shall stop.
    stream.set_read_timeout(Some(Duration::from_millis(100)))?;
    let requests = request.repeat(PIPELINED);
    let mut due = 0;
    let mut buffer = [0; 16 * 1024];
    // What of an answer's end was read last.
    let mut matched = 0;
    while !stop.load(Ordering::Relaxed) {
        if due == 0 {
            stream.write_all(requests.as_bytes())?;
            due = PIPELINED;
        }
        let read = match stream.read(&mut buffer) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => continue,
            Err(error) => return Err(error),
        };
        for byte in &buffer[..read] {
            matched = match (byte, matched) {
                (b'\r', 0 | 2) | (b'\n', 1 | 3) => matched + 1,
                (b'\r', _) => 1,
                _ => 0,
            };
            if matched == 4 {
                matched = 0;
                due -= 1;
                answers.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
    Ok(())
}
