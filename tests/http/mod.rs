//! O: `/metrics` as a scraper meets it: over TCP, byte by byte.

mod gate;
mod handler;
mod limits;
mod load;

use std::collections::BTreeSet;
use std::io::Read;
use std::net::SocketAddr;

use self::gate::Gate;
use flate2::read::GzDecoder;
use grpc_metrics_runtime::prometheus::{IntCounter, Registry};
use grpc_metrics_runtime::{GrpcMetrics, http};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// A server of a registry of its own, and what ends it.
struct Served {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    server: JoinHandle<std::io::Result<()>>,
}

async fn serve() -> Served {
    let registry = Registry::new();
    let metrics =
        GrpcMetrics::builder().registry(&registry).build().expect("the settings are right");
    metrics.guard("test.Service", "Method").complete(tonic::Code::Ok);
    let other = IntCounter::new("another_total", "Somebody else's.").expect("a legal name");
    registry.register(Box::new(other)).expect("a new name");

    let (listener, address) = bind().await;
    let (stop, stopped) = oneshot::channel();
    let server = http::serve_registry(listener, &registry).with_graceful_shutdown(async {
        // A dropped sender is a signal too.
        let _ = stopped.await;
    });
    Served { address, stop, server: tokio::spawn(server.into_future()) }
}

/// A free port, and where it is.
async fn bind() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("a bound address");
    (listener, address)
}

/// Head, in lower case, and body of the answer to one request.
async fn ask(address: SocketAddr, head: &str) -> (String, Vec<u8>) {
    let mut stream = TcpStream::connect(address).await.expect("the server listens");
    let request = format!("{head}\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.expect("the server reads");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.expect("the server answers");
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").expect("a head") + 4;
    let body = answer.split_off(end);
    (String::from_utf8(answer).expect("a head is text").to_lowercase(), body)
}

fn unpacked(body: &[u8]) -> Vec<u8> {
    let mut unpacked = Vec::new();
    GzDecoder::new(body).read_to_end(&mut unpacked).expect("a gzip stream");
    unpacked
}

#[tokio::test]
async fn o1_get_gives_the_whole_registry_as_text() {
    let served = serve().await;
    let (head, body) = ask(served.address, "GET /metrics HTTP/1.1").await;
    assert!(head.starts_with("http/1.1 200"), "{head}");
    assert!(head.contains("content-type: text/plain; version=0.0.4; charset=utf-8\r\n"), "{head}");
    assert!(!head.contains("content-encoding"), "{head}");
    let body = String::from_utf8(body).expect("the format is text");
    let ours = r#"grpc_server_requests_total{service="test.Service",method="Method",code="0"} 1"#;
    assert!(body.lines().any(|line| line == ours), "{body}");
    assert!(body.lines().any(|line| line == "another_total 0"), "{body}");
}

#[tokio::test]
async fn o1_gzip_when_asked() {
    let served = serve().await;
    let (_, plain) = ask(served.address, "GET /metrics HTTP/1.1").await;
    let (head, body) = ask(served.address, "GET /metrics HTTP/1.0\r\nAccept-Encoding: gzip").await;
    assert!(head.contains("content-encoding: gzip\r\n"), "{head}");
    assert_eq!(unpacked(&body), plain);
    assert!(body.len() < plain.len() / 4, "{} of {} bytes", body.len(), plain.len());
}

#[tokio::test]
async fn o1_gzip_if_it_is_weighed_no_less_than_the_text() {
    let served = serve().await;
    for (accepts, gzip) in [
        // Programs that there are.
        (&["gzip"][..], true),
        (&["gzip, deflate, br, zstd"], true),
        (&["gzip;q=1.0,deflate;q=0.6,identity;q=0.3"], true),
        (&["br;q=1.0, gzip;q=0.8, *;q=0.1"], true),
        // Nobody asks for it.
        (&[], false),
        (&[""], false),
        (&["br"], false),
        (&["identity"], false),
        (&["gzipped"], false),
        // By other names.
        (&["X-GZip"], true),
        (&["*"], true),
        (&["br, *;q=0.001"], true),
        (&["*;q=0"], false),
        (&["*, gzip;q=0"], false),
        (&["gzip, *;q=0"], true),
        // Weights.
        (&["gzip;q=0"], false),
        (&["gzip;q=0.000"], false),
        (&["gzip ; Q=0.001"], true),
        (&["gzip;q=0.5, identity;q=0.5"], true),
        (&["gzip;q=0.5, identity;q=0.501"], false),
        (&["gzip;q=0.5, identity"], false),
        (&["gzip;q=0.5, *;q=0.6"], false),
        // Lists.
        (&["br", "gzip"], true),
        (&[",\t, gzip ,,"], true),
        // Not well-formed.
        (&["gzip;q=2"], false),
        (&["gzip;q=1.001"], false),
        (&["gzip;q=-1"], false),
        (&["gzip;q="], false),
        (&["gzip deflate"], false),
        (&["\u{fc}", "gzip"], true),
    ] {
        let lines = accepts.iter().map(|accept| format!("\r\nAccept-Encoding: {accept}"));
        let lines = lines.collect::<Vec<_>>().concat();
        let (head, _) = ask(served.address, &format!("HEAD /metrics HTTP/1.1{lines}")).await;
        assert!(head.starts_with("http/1.1 200"), "{accepts:?}: {head}");
        assert_eq!(head.contains("\r\ncontent-encoding: gzip\r\n"), gzip, "{accepts:?}: {head}");
        assert!(head.contains("\r\nvary: accept-encoding\r\n"), "{head}");
    }
}

/// The lines of a head but for those that differ from answer to answer.
fn lines(head: &str) -> BTreeSet<&str> {
    let differing = ["date: ", "content-length: ", "transfer-encoding: "];
    head.lines().filter(|line| !differing.iter().any(|start| line.starts_with(start))).collect()
}

#[tokio::test]
async fn o5_head_has_the_headers_of_get_and_asks_no_collector() {
    let registry = Registry::new();
    let gate = Gate::closed_in(&registry);
    gate.open();
    let (listener, address) = bind().await;
    tokio::spawn(http::serve_registry(listener, &registry).into_future());
    for headers in [
        "",
        "\r\nAccept-Encoding: gzip",
        "\r\nAccept: application/openmetrics-text",
        "\r\nAccept: application/openmetrics-text\r\nAccept-Encoding: gzip, br",
    ] {
        let before = gate.asked();
        let (head, body) = ask(address, &format!("HEAD /metrics HTTP/1.1{headers}")).await;
        assert!(head.starts_with("http/1.1 200"), "{head}");
        assert!(!head.contains("content-length"), "it isn't known: {head}");
        assert_eq!(body, b"");
        assert_eq!(gate.asked(), before, "{headers}");
        let (of_get, body) = ask(address, &format!("GET /metrics HTTP/1.1{headers}")).await;
        assert_eq!(lines(&head), lines(&of_get));
        assert!(of_get.contains(&format!("\r\ncontent-length: {}\r\n", body.len())), "{of_get}");
        assert_eq!(gate.asked(), before + 1, "{headers}");
    }
}

#[tokio::test]
async fn o1_other_methods_and_paths_are_refused() {
    let served = serve().await;
    for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"] {
        let (head, _) = ask(served.address, &format!("{method} /metrics HTTP/1.1")).await;
        assert!(head.starts_with("http/1.1 405"), "{method}: {head}");
        assert!(head.contains("allow: get,head\r\n"), "{method}: {head}");
    }
    for path in ["/", "/metrics/", "/metrics/x", "/METRICS", "/../metrics", "//metrics"] {
        let (head, _) = ask(served.address, &format!("GET {path} HTTP/1.1")).await;
        assert!(head.starts_with("http/1.1 404"), "{path}: {head}");
    }
    let (head, _) = ask(served.address, "GET /metrics?name[]=up HTTP/1.1").await;
    assert!(head.starts_with("http/1.1 200"), "{head}");
}

#[tokio::test]
async fn o7_nonsense_is_refused_and_a_long_head_too() {
    const MOST: usize = 16 * 1024;
    const START: &str = "GET /metrics HTTP/1.1\r\nConnection: close\r\nX-Long: ";
    let served = serve().await;
    let (head, _) = ask(served.address, "nonsense").await;
    assert!(head.starts_with("http/1.1 400"), "{head}");
    // One that is as long as it may be, and one that would be longer. No more is sent than the server reads, or it
    // would reset the connection, and its answer might be lost with that.
    for (end, status) in [("\r\n\r\n", "HTTP/1.1 200"), ("", "HTTP/1.1 431")] {
        let long = "a".repeat(MOST - START.len() - end.len());
        let mut stream = TcpStream::connect(served.address).await.expect("the server listens");
        let head = [START, &long, end].concat();
        stream.write_all(head.as_bytes()).await.expect("the server reads");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.expect("an answer, and its end");
        assert!(answer.starts_with(status.as_bytes()), "{}", String::from_utf8_lossy(&answer));
    }
}

#[tokio::test]
async fn o8_a_request_that_never_ends_holds_nobody_up_and_does_not_outlive_the_server() {
    let served = serve().await;
    // A head without an end, a body without an end, and a connection that says nothing.
    let mut stuck = Vec::new();
    for start in [
        "GET /metrics HTTP/1.1\r\nHost: ",
        "POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\nabc",
        "",
    ] {
        let mut stream = TcpStream::connect(served.address).await.expect("the server listens");
        stream.write_all(start.as_bytes()).await.expect("the server reads");
        stuck.push(stream);
    }
    let (head, _) = ask(served.address, "GET /metrics HTTP/1.1").await;
    assert!(head.starts_with("http/1.1 200"), "{head}");

    served.stop.send(()).expect("the server runs");
    served.server.await.expect("no panic").expect("no error");
    for mut stream in stuck {
        // The end of the stream, or a reset: the connection is closed either way.
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest).await;
    }
    let error = TcpStream::connect(served.address).await.expect_err("nobody listens any more");
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionRefused);
}

#[tokio::test]
async fn o8_shutdown_lets_a_kept_connection_go() {
    let served = serve().await;
    let mut stream = TcpStream::connect(served.address).await.expect("the server listens");
    stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n").await.expect("the server reads");
    let mut first = [0; 1];
    stream.read_exact(&mut first).await.expect("an answer");
    served.stop.send(()).expect("the server runs");
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).await.expect("the answer is sent to its end");
    assert!(String::from_utf8_lossy(&rest).contains("grpc_server_requests_total"));
    served.server.await.expect("no panic").expect("no error");
}

#[tokio::test]
async fn o9_the_router_mounts_in_a_program_s_own() {
    let own = axum::Router::new().route("/health", axum::routing::get(|| async { "fine" }));
    let router = own.merge(http::router());
    let (listener, address) = bind().await;
    tokio::spawn(axum::serve(listener, router).into_future());
    let (_, body) = ask(address, "GET /health HTTP/1.1").await;
    assert_eq!(body, b"fine");
    GrpcMetrics::global().guard("test.Mounted", "Method").complete(tonic::Code::Ok);
    let (_, body) = ask(address, "GET /metrics HTTP/1.0").await;
    let body = String::from_utf8(body).expect("the format is text");
    assert!(body.contains(r#"grpc_server_requests_total{service="test.Mounted""#), "{body}");
}
