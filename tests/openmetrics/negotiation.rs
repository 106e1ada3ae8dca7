//! Which format `/metrics` answers in.

use std::io::Read;
use std::net::SocketAddr;

use flate2::read::GzDecoder;
use grpc_metrics_runtime::{GrpcMetrics, http, openmetrics};
use support::rng::Rng;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::open::parse;
use super::others::{Given, all_kinds, counter, ours, ours_with};

const CLASSIC: &str = "text/plain; version=0.0.4; charset=utf-8";
const OPEN: &str = openmetrics::CONTENT_TYPE;

/// What Prometheus 2 sends.
const PROMETHEUS: &str = "application/openmetrics-text;version=1.0.0,\
     application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
/// What Prometheus 3 sends.
const PROMETHEUS_3: &str = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,\
     application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,\
     text/plain;version=0.0.4;q=0.3,*/*;q=0.2";

pub(crate) async fn serve(metrics: &GrpcMetrics) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("a bound address");
    tokio::spawn(http::serve_registry(listener, metrics.registry()).into_future());
    address
}

/// Head, in lower case, and body of the answer to a request with these header lines.
pub(crate) async fn ask(address: SocketAddr, method: &str, headers: &[u8]) -> (String, Vec<u8>) {
    let mut stream = TcpStream::connect(address).await.expect("the server listens");
    // Whose answers are not in chunks.
    let start = format!("{method} /metrics HTTP/1.0\r\n");
    let request = [start.as_bytes(), headers, b"\r\n"].concat();
    stream.write_all(&request).await.expect("the server reads");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.expect("the server answers");
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").expect("a head") + 4;
    let body = answer.split_off(end);
    (String::from_utf8(answer).expect("a head is text").to_lowercase(), body)
}

/// The values of a header, put together.
pub(crate) fn header(head: &str, name: &str) -> String {
    let values = head.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    values.collect::<Vec<_>>().join(", ")
}

#[tokio::test]
async fn i6_who_asks_for_it_by_name_gets_it() {
    let address = serve(&ours()).await;
    for (accepts, expected) in [
        // Programs that there are.
        (&[PROMETHEUS][..], OPEN),
        (&[PROMETHEUS_3], OPEN),
        (&["application/openmetrics-text; version=1.0.0; charset=utf-8"], OPEN),
        (
            &[
                "application/openmetrics-text; version=0.0.1,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
            ],
            CLASSIC,
        ),
        (&["text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"], CLASSIC),
        // Nobody asks for it by name.
        (&[], CLASSIC),
        (&[""], CLASSIC),
        (&["*/*"], CLASSIC),
        (&["application/*"], CLASSIC),
        (&["application/*, text/plain;q=0.1"], CLASSIC),
        (&["text/plain"], CLASSIC),
        (&["application/json"], CLASSIC),
        (&["application/json, text/plain;q=0"], CLASSIC),
        (&["application/openmetrics-text-2"], CLASSIC),
        (&["text/openmetrics-text"], CLASSIC),
        // By name, and by version.
        (&["application/openmetrics-text"], OPEN),
        (&["Application/OpenMetrics-Text ; Version=\"1.0.0\" ; Q=1.0"], OPEN),
        (&["application/openmetrics-text;version=0.0.1"], CLASSIC),
        (&["application/openmetrics-text;version=2.0.0"], CLASSIC),
        (&["application/openmetrics-text;charset=utf-16"], CLASSIC),
        (&["application/openmetrics-text;charset=UTF-8"], OPEN),
        // Weights.
        (&["application/openmetrics-text;q=0"], CLASSIC),
        (&["application/openmetrics-text;q=0.000, */*"], CLASSIC),
        (&["application/openmetrics-text;q=0.001"], OPEN),
        (&["application/openmetrics-text;q=0.5, text/plain;q=0.5"], OPEN),
        (&["application/openmetrics-text;q=0.5, text/plain;q=0.501"], CLASSIC),
        (&["text/plain;q=0.5, application/openmetrics-text;q=0.6"], OPEN),
        (&["application/openmetrics-text;q=0.5, text/*;q=0.6"], CLASSIC),
        (&["application/openmetrics-text;q=0.5, */*;q=0.6"], CLASSIC),
        (&["application/openmetrics-text;q=0.5, */*"], CLASSIC),
        (&["application/openmetrics-text, */*"], OPEN),
        // The more specific range goes first, wherever it stands.
        (&["application/openmetrics-text;q=0.5, text/*;q=0.9, text/plain;q=0.4"], OPEN),
        (
            &["application/openmetrics-text;q=0.5, text/plain;q=0.4, text/plain;version=0.0.4"],
            CLASSIC,
        ),
        (&["application/openmetrics-text;q=0.5, text/plain;version=1.0.0"], OPEN),
        // Lists.
        (&["text/plain;q=0.5", "application/openmetrics-text"], OPEN),
        (&["application/openmetrics-text;q=0.4", "text/plain;q=0.5"], CLASSIC),
        (&[" , ,application/openmetrics-text,\t,"], OPEN),
        (
            &["application/json;a=\"x, text/plain\\\", y\", application/openmetrics-text;q=0.5"],
            OPEN,
        ),
        (&["application/openmetrics-text;;q=0.5;"], OPEN),
        // Not well-formed.
        (&["application/openmetrics-text;q=2"], CLASSIC),
        (&["application/openmetrics-text;q=1.001"], CLASSIC),
        (&["application/openmetrics-text;q=0.0001"], CLASSIC),
        (&["application/openmetrics-text;q=.5"], CLASSIC),
        (&["application/openmetrics-text;q=-0"], CLASSIC),
        (&["application/openmetrics-text;q=1e0"], CLASSIC),
        (&["application/openmetrics-text;q="], CLASSIC),
        (&["application/openmetrics-text;q"], CLASSIC),
        (&["application/openmetrics-text version=1.0.0"], CLASSIC),
        (&["application/openmetrics-text, nonsense"], OPEN),
        (&["application/openmetrics-text", "*/plain"], OPEN),
        (&["application/openmetrics-text, a/\u{fc}"], CLASSIC),
        (&["application /openmetrics-text"], CLASSIC),
    ] {
        let lines = accepts.iter().map(|accept| format!("Accept: {accept}\r\n"));
        let lines = lines.collect::<Vec<_>>().concat();
        let (head, body) = ask(address, "GET", lines.as_bytes()).await;
        assert!(head.starts_with("http/1.0 200"), "{accepts:?}: {head}");
        assert_eq!(header(&head, "content-type"), expected, "{accepts:?}");
        assert_eq!(body.ends_with(b"\n# EOF\n"), expected == OPEN, "{accepts:?}");
    }
}

#[tokio::test]
async fn i6_nothing_in_an_accept_gives_an_error() {
    const PARTS: [&[u8]; 22] = [
        b"application",
        b"openmetrics-text",
        b"/",
        b"*",
        b"text/plain",
        b";",
        b",",
        b"q=",
        b"0.5",
        b"1",
        b"version=",
        b"1.0.0",
        b"\"",
        b"\\",
        b" ",
        b"\t",
        b"=",
        b"\xc3\xbc",
        b"\xff",
        b"q",
        b".",
        b"escaping",
    ];
    let address = serve(&ours()).await;
    let mut rng = Rng::new(13);
    for _ in 0..300 {
        let mut lines = Vec::new();
        for _ in 0..=rng.below(2) {
            lines.extend_from_slice(b"Accept: ");
            for _ in 0..rng.below(16) {
                lines.extend_from_slice(PARTS[usize::try_from(rng.below(22)).expect("small")]);
            }
            lines.extend_from_slice(b"\r\n");
        }
        let (head, _) = ask(address, "GET", &lines).await;
        let shown = String::from_utf8_lossy(&lines);
        assert!(head.starts_with("http/1.0 200"), "{shown}: {head}");
        let kind = header(&head, "content-type");
        assert!([CLASSIC, OPEN].contains(&kind.as_str()), "{shown}: {kind}");
    }
}

#[tokio::test]
async fn i6_caches_are_told_and_both_formats_are_compressed() {
    let metrics = ours_with(all_kinds(1_234_567_890_123));
    let address = serve(&metrics).await;
    for accept in ["", "Accept: application/openmetrics-text\r\n"] {
        let (plain_head, plain) = ask(address, "GET", accept.as_bytes()).await;
        let lines = format!("{accept}Accept-Encoding: gzip\r\n");
        let (head, body) = ask(address, "GET", lines.as_bytes()).await;
        assert_eq!(header(&head, "content-encoding"), "gzip");
        let mut unpacked = Vec::new();
        GzDecoder::new(&body[..]).read_to_end(&mut unpacked).expect("a gzip stream");
        assert!(unpacked == plain);
        assert!(body.len() < plain.len() / 4, "{} of {} bytes", body.len(), plain.len());
        for head in [plain_head, head] {
            let vary = header(&head, "vary");
            let mut vary: Vec<_> = vary.split(", ").collect();
            vary.sort_unstable();
            assert_eq!(vary, ["accept", "accept-encoding"]);
        }
        let (head, body) = ask(address, "HEAD", accept.as_bytes()).await;
        let expected = if accept.is_empty() { CLASSIC } else { OPEN };
        assert_eq!(header(&head, "content-type"), expected);
        assert_eq!(body, b"");
    }
}

#[tokio::test]
async fn i6_the_answers_are_what_the_encoders_give() {
    let metrics = ours_with(all_kinds(1_234_567_890_123));
    let address = serve(&metrics).await;
    let (head, body) = ask(address, "GET", b"Accept: */*\r\n").await;
    let classic = metrics.encode().expect("text");
    assert!(body == classic.as_bytes());
    // Line by line: what there was without the feature, and `Vary`.
    let lines: Vec<_> = head.lines().filter(|line| !line.starts_with("date: ")).collect();
    let length = format!("content-length: {}", classic.len());
    let mut expected = vec![
        "http/1.0 200 ok",
        "content-type: text/plain; version=0.0.4; charset=utf-8",
        "vary: accept",
        "vary: accept-encoding",
        &length,
        "",
    ];
    let mut lines = lines;
    lines.sort_unstable();
    expected.sort_unstable();
    assert_eq!(lines, expected);

    let accept = format!("Accept: {PROMETHEUS}\r\n");
    let (_, body) = ask(address, "GET", accept.as_bytes()).await;
    let open = metrics.encode_openmetrics().expect("OpenMetrics");
    assert!(body == open.as_bytes());
    parse(&open);
}

#[tokio::test]
async fn i5_broken_collectors_are_answered_with_500_in_both_formats() {
    support::faults::expect_panics();
    let panicking = ours();
    let given = Given::boxed("broken", || panic!("scripted panic"));
    panicking.registry().register(given).expect("a new name");
    let nameless = ours_with(vec![counter("", 1.0)]);
    for accept in ["text/plain", "application/openmetrics-text"] {
        let accept = format!("Accept: {accept}\r\n");
        let (head, body) = ask(serve(&panicking).await, "GET", accept.as_bytes()).await;
        assert!(head.starts_with("http/1.0 500"), "{head}");
        assert_eq!(body, b"a collector panicked\n");
        let (head, body) = ask(serve(&nameless).await, "GET", accept.as_bytes()).await;
        assert!(head.starts_with("http/1.0 500"), "{head}");
        let body = String::from_utf8(body).expect("text");
        assert!(body.contains("MetricFamily has no name"), "{body}");
    }
}
