//! Many scrapes at once, and RPCs beside them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::SocketAddr;
use std::panic::panic_any;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::middleware::map_response;
use axum::response::Response;
use grpc_metrics_runtime::http;
use grpc_metrics_runtime::prometheus::Registry;
use grpc_metrics_runtime::prometheus::core::{Collector, Desc};
use grpc_metrics_runtime::prometheus::proto::MetricFamily;
use support::clients::{self, Kind};
use support::pb::scripted_server::ScriptedServer;
use support::script::script;
use support::scripted::Plain;
use support::server::{Server, connect};
use support::wait::{until, until_eq};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinSet, yield_now};
use tokio::time::timeout;
use tonic::service::Routes;
use tonic::{Code, Request};

use super::gate::Gate;
use super::{ask, bind, unpacked};

/// Bounds a test that has failed, and no other.
const LIMIT: Duration = Duration::from_secs(60);

/// As documented.
const QUEUE: usize = 16;

/// RPCs and `/metrics` on the same workers.
async fn serve_both(workers: usize, registry: &Registry) -> (Server, SocketAddr) {
    let routes = Routes::new(ScriptedServer::new(Plain::default()));
    let server = Server::start_on(workers, routes).await;
    let (address, listening) = tokio::sync::oneshot::channel();
    let registry = registry.clone();
    server.spawn(async move {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        address.send(listener.local_addr().expect("a bound address")).expect("somebody asks");
        http::serve_registry(listener, &registry).await.expect("no error");
    });
    let address = listening.await.expect("an address");
    (server, address)
}

async fn call_rpcs(server: &Server) {
    let channel = timeout(LIMIT, connect(server.address())).await.expect("a worker is free");
    for _ in 0..20 {
        let call = clients::call(&channel, Kind::Unary, Request::new(script([], [])));
        let seen = timeout(LIMIT, call).await.expect("a worker is free");
        assert_eq!(seen.code(), Code::Ok);
    }
}

/// Sends requests in batches until told to stop; counts the answers.
async fn flood(address: SocketAddr, stop: Arc<AtomicBool>, answers: Arc<AtomicUsize>) {
    const BATCH: usize = 64;
    let mut stream = TcpStream::connect(address).await.expect("the server listens");
    let batch = "HEAD /metrics HTTP/1.1\r\nHost: x\r\n\r\n".repeat(BATCH);
    while !stop.load(Ordering::SeqCst) {
        stream.write_all(batch.as_bytes()).await.expect("the server reads");
        let mut read = Vec::new();
        let ended = |read: &[u8]| read.windows(4).filter(|four| four == b"\r\n\r\n").count();
        while ended(&read) < BATCH {
            let n = stream.read_buf(&mut read).await.expect("the server answers");
            assert!(n > 0, "the server closed the connection");
        }
        let text = String::from_utf8(read).expect("heads are text");
        assert_eq!(text.matches("HTTP/1.1 200 OK\r\n").count(), BATCH, "{text}");
        answers.fetch_add(BATCH, Ordering::SeqCst);
    }
}

#[tokio::test]
async fn o2_o5_pipelined_heads_do_not_stop_rpcs() {
    for workers in [2, 1] {
        let registry = Registry::new();
        // Whoever asks it never comes back.
        let gate = Gate::closed_in(&registry);
        let (server, address) = serve_both(workers, &registry).await;
        let (stop, answers) = (Arc::<AtomicBool>::default(), Arc::<AtomicUsize>::default());
        let floods: JoinSet<_> =
            (0..4).map(|_| flood(address, Arc::clone(&stop), Arc::clone(&answers))).collect();
        let flooded = until(|| answers.load(Ordering::SeqCst), |answers| *answers > 0);
        timeout(LIMIT, flooded).await.expect("HEAD is answered");
        call_rpcs(&server).await;
        stop.store(true, Ordering::SeqCst);
        floods.join_all().await;
        assert_eq!(gate.asked(), 0, "{workers} workers");
    }
}

#[tokio::test]
async fn o5_o9_others_have_their_turn_between_pipelined_heads() {
    const REQUESTS: usize = 64;
    let (turns, at_answers) = (Arc::<AtomicUsize>::default(), Arc::<Mutex<Vec<_>>>::default());
    let (turn, seen, answers) = (turns.clone(), turns, at_answers.clone());
    let router = http::router_of(&Registry::new()).layer(map_response(move |answer: Response| {
        answers.lock().unwrap().push(seen.load(Ordering::SeqCst));
        async { answer }
    }));
    let (listener, address) = bind().await;
    tokio::spawn(axum::serve(listener, router).into_future());
    tokio::spawn(async move {
        loop {
            turn.fetch_add(1, Ordering::SeqCst);
            yield_now().await;
        }
    });
    let mut stream = TcpStream::connect(address).await.expect("the server listens");
    let requests = "HEAD /metrics HTTP/1.1\r\nHost: x\r\n\r\n".repeat(REQUESTS);
    stream.write_all(requests.as_bytes()).await.expect("the server reads");
    let all = until(|| at_answers.lock().unwrap().clone(), |all| all.len() == REQUESTS).await;
    // A server may look twice at what it waits for.
    assert!(all.windows(3).all(|three| three[0] < three[2]), "{all:?}");
}

#[tokio::test]
async fn o2_scrapes_that_hang_do_not_stop_rpcs() {
    for workers in [2, 1] {
        let registry = Registry::new();
        let gate = Gate::closed_in(&registry);
        let (server, address) = serve_both(workers, &registry).await;
        let mut pipelines = Vec::new();
        for _ in 0..4 {
            let mut stream = TcpStream::connect(address).await.expect("the server listens");
            let requests = "GET /metrics HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\n\r\n";
            stream.write_all(requests.repeat(16).as_bytes()).await.expect("the server reads");
            pipelines.push(stream);
        }
        until(|| gate.asked(), |asked| *asked > 0).await;
        call_rpcs(&server).await;
        assert_eq!((gate.asked(), gate.most()), (1, 1), "{workers} workers");
        gate.open();
        let answer = timeout(LIMIT, ask(address, "GET /metrics HTTP/1.1")).await;
        let (head, _) = answer.expect("scrapes go on");
        assert!(head.starts_with("http/1.1 200"), "{head}");
        assert_eq!(gate.most(), 1, "{workers} workers");
    }
}

/// The number that the gate gave.
fn number(body: &[u8]) -> usize {
    let text = str::from_utf8(body).expect("text");
    let number = text.lines().find_map(|line| line.strip_prefix("gate "));
    // OpenMetrics shows a float.
    number.expect(text).trim_end_matches(".0").parse().expect(text)
}

const OPEN: &str = "\r\nAccept: application/openmetrics-text";
const GZIP: &str = "\r\nAccept-Encoding: gzip";

/// Asks once, then more often than there is room for, while the first scrape lasts.
async fn crowd(address: SocketAddr, gate: &Gate) {
    let scrape = move |headers: String| async move {
        let (head, body) = ask(address, &format!("GET /metrics HTTP/1.0{headers}")).await;
        (headers, head, body)
    };
    let first = tokio::spawn(scrape(String::new()));
    until_eq(|| gate.asked(), 1).await;
    let kinds = [String::new(), OPEN.to_owned(), GZIP.to_owned(), format!("{OPEN}{GZIP}")];
    let mut others: JoinSet<_> = (0..=QUEUE).map(|i| scrape(kinds[i % 4].clone())).collect();
    let refused = timeout(LIMIT, others.join_next()).await.expect("there is room for no more");
    let (_, head, body) = refused.expect("there are others").expect("no panic");
    assert!(head.starts_with("http/1.0 503"), "{head}");
    assert!(head.contains("\r\nretry-after: 5\r\n"), "{head}");
    assert!(head.contains("\r\ncontent-type: text/plain; charset=utf-8\r\n"), "{head}");
    assert_eq!(body, b"busy with other scrapes\n");

    // All others wait, and only the first asks the collectors.
    assert_eq!((gate.asked(), gate.most()), (1, 1));
    gate.open();
    let (_, _, body) = first.await.expect("no panic");
    assert_eq!(number(&body), 1);
    // They get what was counted after they had come, once for all that ask for the same.
    let mut numbers = BTreeMap::<_, BTreeSet<_>>::new();
    for (headers, head, body) in others.join_all().await {
        assert!(head.starts_with("http/1.0 200"), "{head}");
        assert_eq!(head.contains("\r\ncontent-encoding: gzip\r\n"), headers.contains(GZIP));
        let body = if headers.contains(GZIP) { unpacked(&body) } else { body };
        assert_eq!(head.contains("application/openmetrics-text"), headers.contains(OPEN), "{head}");
        assert_eq!(body.ends_with(b"# EOF\n"), headers.contains(OPEN));
        numbers.entry(headers).or_default().insert(number(&body));
    }
    let numbers: Vec<_> = numbers.into_values().flatten().collect();
    let mut sorted = numbers.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, [2, 3, 4, 5], "{numbers:?}");
    assert_eq!((gate.asked(), gate.most()), (5, 1));
    let (_, _, body) = scrape(String::new()).await;
    assert_eq!(number(&body), 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn o2_o3_one_scrape_at_a_time_and_a_queue_with_an_end() {
    let registry = Registry::new();
    let gate = Gate::closed_in(&registry);
    let (listener, address) = bind().await;
    tokio::spawn(http::serve_registry(listener, &registry).into_future());
    crowd(address, &gate).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn o3_o9_a_mounted_router_has_the_queue_too() {
    let registry = Registry::new();
    let gate = Gate::closed_in(&registry);
    let (listener, address) = bind().await;
    tokio::spawn(axum::serve(listener, http::router_of(&registry)).into_future());
    crowd(address, &gate).await;
}

/// Requests of other connections, one after the other: what a server on this thread could do, it then has done.
pub(crate) async fn round_trips(address: SocketAddr) {
    for _ in 0..10 {
        let (head, _) = ask(address, "HEAD /metrics HTTP/1.1").await;
        assert!(head.starts_with("http/1.1 200"), "{head}");
    }
}

#[tokio::test]
async fn o4_who_hangs_up_starts_no_second_encoding() {
    let registry = Registry::new();
    let gate = Gate::closed_in(&registry);
    let (listener, address) = bind().await;
    tokio::spawn(http::serve_registry(listener, &registry).into_future());
    for _ in 0..4 {
        let mut stream = TcpStream::connect(address).await.expect("the server listens");
        let request = b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n";
        stream.write_all(request).await.expect("the server reads");
        until(|| gate.asked(), |asked| *asked > 0).await;
        round_trips(address).await;
        drop(stream);
        round_trips(address).await;
    }
    assert_eq!((gate.asked(), gate.most()), (1, 1));
    gate.open();
    let (head, body) = ask(address, "GET /metrics HTTP/1.1").await;
    assert!(head.starts_with("http/1.1 200"), "{head}");
    // Those who waited are gone, and nobody has encoded for them.
    assert_eq!(number(&body), 2);
    assert_eq!(gate.most(), 1);
}

/// A collector that panics when it is scraped.
struct Broken {
    desc: Desc,
    worse: bool,
}

/// What panics once more when it is dropped.
struct Worse;

impl Drop for Worse {
    fn drop(&mut self) {
        panic!("scripted panic in drop")
    }
}

impl Collector for Broken {
    fn desc(&self) -> Vec<&Desc> {
        vec![&self.desc]
    }

    fn collect(&self) -> Vec<MetricFamily> {
        if self.worse { panic_any(Worse) } else { panic!("scripted panic") }
    }
}

#[tokio::test]
async fn o6_a_collector_that_panics_is_answered_with_500_and_the_workers_go_on() {
    support::faults::expect_panics();
    for worse in [false, true] {
        let registry = Registry::new();
        let desc = Desc::new("broken".to_owned(), "broken".to_owned(), vec![], HashMap::new());
        let broken = Broken { desc: desc.expect("a legal name"), worse };
        registry.register(Box::new(broken)).expect("a new name");
        let (server, address) = serve_both(1, &registry).await;
        for _ in 0..3 {
            for headers in ["", GZIP, OPEN] {
                let (head, body) = ask(address, &format!("GET /metrics HTTP/1.1{headers}")).await;
                assert!(head.starts_with("http/1.1 500"), "{head}");
                assert_eq!(body, b"a collector panicked\n");
            }
        }
        call_rpcs(&server).await;
        let (head, _) = ask(address, "HEAD /metrics HTTP/1.1").await;
        assert!(head.starts_with("http/1.1 200"), "{head}");
    }
}
