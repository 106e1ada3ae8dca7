//! What nobody can keep the server waiting for. The clock is the test's: it is paused, and goes on when told to.

use std::collections::HashMap;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::mpsc;
use std::task::{Context, Waker};
use std::time::Duration;

use grpc_metrics_runtime::http;
use grpc_metrics_runtime::prometheus::core::{Collector, Desc};
use grpc_metrics_runtime::prometheus::proto::MetricFamily;
use grpc_metrics_runtime::prometheus::{IntGauge, Registry};
use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadBuf};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::{spawn_blocking, yield_now};
use tokio::time::advance;

use super::ask;
use super::gate::Gate;
use super::load::round_trips;

// As documented; times in seconds.
const CONNECTIONS: usize = 32;
const TO_WAIT: u64 = 5;
const TO_ASK: u64 = 30;
const TO_TAKE: u64 = 30;

/// Of sockets, in bytes, so that they are soon full.
const BUFFER: u32 = 16 * 1024;

const GET_REQUEST: &[u8] = b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

const HEAD_REQUEST: &[u8] = b"HEAD /metrics HTTP/1.1\r\nHost: x\r\n\r\n";

/// Otherwise a paused clock runs ahead whenever there is nothing to do. Ends when dropped.
fn hold_the_clock() -> mpsc::Sender<()> {
    let (held, end) = mpsc::channel();
    spawn_blocking(move || end.recv());
    held
}

fn socket() -> TcpSocket {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(BUFFER).expect("a legal size");
    socket.set_send_buffer_size(BUFFER).expect("a legal size");
    socket
}

/// A server whose sockets hold little.
fn serve(registry: &Registry) -> SocketAddr {
    let socket = socket();
    socket.bind("127.0.0.1:0".parse().expect("an address")).expect("a free port");
    let listener = socket.listen(128).expect("a free port");
    let address = listener.local_addr().expect("a bound address");
    tokio::spawn(http::serve_registry(listener, registry).into_future());
    address
}

async fn connect(address: SocketAddr) -> TcpStream {
    socket().connect(address).await.expect("the server listens")
}

/// Second by second, and the server does meanwhile what it can.
async fn pass(address: SocketAddr, seconds: u64) {
    for _ in 0..seconds {
        advance(Duration::from_secs(1)).await;
        ask(address, "HEAD /metrics HTTP/1.1").await;
    }
}

/// Whether there is an answer, or an end, by now.
fn has_news(stream: &TcpStream) -> bool {
    let mut context = Context::from_waker(Waker::noop());
    stream.poll_peek(&mut context, &mut ReadBuf::new(&mut [0])).is_ready()
}

/// Fails, and does not wait for ever, if there is none.
async fn until_news(stream: &TcpStream) {
    for _ in 0..100_000 {
        if has_news(stream) {
            return;
        }
        yield_now().await;
    }
    panic!("no answer");
}

/// Asks for a head, and reads it.
async fn answered(stream: &mut TcpStream) {
    stream.write_all(HEAD_REQUEST).await.expect("the server reads");
    until_news(stream).await;
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        assert!(stream.read_buf(&mut answer).await.expect("an answer") > 0);
    }
    assert!(answer.starts_with(b"HTTP/1.1 200"));
}

#[tokio::test(start_paused = true)]
async fn o3_who_has_waited_long_is_told_to_come_back() {
    let registry = Registry::new();
    let gate = Gate::closed_in(&registry);
    let address = serve(&registry);
    let _held = hold_the_clock();
    let mut first = connect(address).await;
    first.write_all(GET_REQUEST).await.expect("the server reads");
    while gate.asked() == 0 {
        yield_now().await;
    }
    let mut second = connect(address).await;
    second.write_all(GET_REQUEST).await.expect("the server reads");
    round_trips(address).await;
    pass(address, TO_WAIT - 1).await;
    assert!(!has_news(&second));
    pass(address, 2).await;
    assert!(has_news(&second));
    let mut answer = String::new();
    second.read_to_string(&mut answer).await.expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
    assert!(answer.contains("\r\nretry-after: 5\r\n"), "{answer}");
    // Who is served is not cut off.
    assert!(!has_news(&first));
    gate.open();
    let mut answer = String::new();
    first.read_to_string(&mut answer).await.expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert_eq!(gate.asked(), 1);
}

#[tokio::test(start_paused = true)]
async fn o7_so_many_connections_and_the_next_waits_for_one_to_end() {
    let address = serve(&Registry::new());
    let _held = hold_the_clock();
    let mut connections = Vec::new();
    for _ in 0..CONNECTIONS {
        let mut stream = connect(address).await;
        answered(&mut stream).await;
        connections.push(stream);
    }
    let mut next = connect(address).await;
    next.write_all(HEAD_REQUEST).await.expect("it can be sent");
    // What could be done by now is done.
    for _ in 0..50 {
        answered(&mut connections[0]).await;
    }
    assert!(!has_news(&next));
    connections.pop();
    until_news(&next).await;
    let mut answer = [0; 12];
    next.read_exact(&mut answer).await.expect("an answer");
    assert_eq!(&answer, b"HTTP/1.1 200");
}

#[tokio::test(start_paused = true)]
async fn o7_a_head_that_does_not_come_ends_the_connection() {
    let address = serve(&Registry::new());
    let _held = hold_the_clock();
    let mut silent = connect(address).await;
    let mut halfway = connect(address).await;
    halfway.write_all(b"GET /metrics HTTP/1.1\r\nHost:").await.expect("the server reads");
    let mut kept = connect(address).await;
    answered(&mut kept).await;
    round_trips(address).await;
    pass(address, TO_ASK - 1).await;
    for stream in [&silent, &halfway, &kept] {
        assert!(!has_news(stream));
    }
    pass(address, 2).await;
    for stream in [&mut silent, &mut halfway, &mut kept] {
        assert!(has_news(stream));
        // The end or a reset, perhaps behind a 408.
        let _ = stream.read_to_end(&mut Vec::new()).await;
    }
}

/// A collector that has much to say.
struct Long(Desc);

const LONG: usize = 1024 * 1024;

impl Long {
    fn registry() -> Registry {
        let registry = Registry::new();
        let desc = Desc::new("long".to_owned(), "long".to_owned(), vec![], HashMap::new());
        registry.register(Box::new(Self(desc.expect("a legal name")))).expect("a new name");
        registry
    }
}

impl Collector for Long {
    fn desc(&self) -> Vec<&Desc> {
        vec![&self.0]
    }

    fn collect(&self) -> Vec<MetricFamily> {
        IntGauge::new("long", "x".repeat(LONG)).expect("a legal name").collect()
    }
}

/// Reads to the end: whether all is there. `None` if the connection was reset.
async fn rest(stream: &mut TcpStream) -> Option<bool> {
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.ok()?;
    Some(answer.ends_with(b"\nlong 0\n"))
}

#[tokio::test(start_paused = true)]
async fn o7_who_does_not_take_the_answer_in_time_is_cut_off() {
    let address = serve(&Long::registry());
    let _held = hold_the_clock();
    // One that reads nothing, one that reads a little every second, and one that takes its time.
    let mut streams = Vec::new();
    for _ in 0..3 {
        let mut stream = connect(address).await;
        stream.write_all(GET_REQUEST).await.expect("the server reads");
        assert_eq!(stream.read_u8().await.expect("an answer"), b'H');
        streams.push(stream);
    }
    round_trips(address).await;
    for _ in 0..TO_TAKE - 1 {
        pass(address, 1).await;
        streams[1].read_exact(&mut [0; LONG / 100]).await.expect("it is not cut off yet");
    }
    assert_eq!(rest(&mut streams[2]).await, Some(true));
    pass(address, 2).await;
    for stream in &mut streams[..2] {
        assert_ne!(rest(stream).await, Some(true));
    }
}

#[tokio::test(start_paused = true)]
async fn o7_who_takes_a_long_answer_late_may_ask_again() {
    let address = serve(&Long::registry());
    let _held = hold_the_clock();
    let mut stream = connect(address).await;
    stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n").await.expect("the server reads");
    pass(address, TO_TAKE / 2).await;
    let mut answer = Vec::new();
    while !answer.ends_with(b"\nlong 0\n") {
        assert!(stream.read_buf(&mut answer).await.expect("the answer") > 0);
    }
    // Its time begins anew with each answer.
    for _ in 0..3 {
        pass(address, TO_TAKE / 2).await;
        answered(&mut stream).await;
    }
}

#[tokio::test(start_paused = true)]
async fn o7_no_more_is_read_from_who_does_not_read() {
    const ENOUGH: usize = 1024 * 1024;
    let address = serve(&Registry::new());
    let _held = hold_the_clock();
    let stream = connect(address).await;
    let requests = HEAD_REQUEST.repeat(1000);
    let (mut sent, mut idle) = (0, 0);
    // Until nothing goes, however often the server is given the turn.
    while idle < 20 {
        idle += 1;
        while let Ok(n) = stream.try_write(&requests[sent % requests.len()..]) {
            sent += n;
            idle = 0;
        }
        assert!(sent < ENOUGH, "the server goes on reading");
        round_trips(address).await;
    }
    // It ends after a time from when nothing goes, which is hard to tell from here.
    let end = loop {
        match stream.try_write(&requests) {
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => pass(address, 1).await,
            Err(error) => break error.kind(),
        }
    };
    assert!([ErrorKind::ConnectionReset, ErrorKind::BrokenPipe].contains(&end), "{end}");
}

#[tokio::test(start_paused = true)]
async fn o7_who_pipelines_and_reads_late_gets_every_answer() {
    const REQUESTS: usize = 2000;
    let address = serve(&Registry::new());
    let _held = hold_the_clock();
    let (mut read, mut write) = connect(address).await.into_split();
    let sending = tokio::spawn(async move {
        let requests = HEAD_REQUEST.repeat(REQUESTS);
        write.write_all(&requests).await.expect("the server reads");
        write
    });
    pass(address, 10).await;
    let mut answers = Vec::new();
    let ended = |answers: &[u8]| answers.windows(4).filter(|four| four == b"\r\n\r\n").count();
    let mut all = 0;
    while all < REQUESTS {
        answers.clear();
        while !answers.ends_with(b"\r\n\r\n") {
            assert!(read.read_buf(&mut answers).await.expect("answers") > 0);
        }
        all += ended(&answers);
    }
    assert_eq!(all, REQUESTS);
    drop(sending.await.expect("no panic"));
}
