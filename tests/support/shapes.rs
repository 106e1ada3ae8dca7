//! The services of `shapes.proto`, in the forms that `tonic-prost-build` can give them, and traffic for
//! implementations of them. The client side is the same for all.

use grpc_metrics_runtime::{GrpcMetrics, MethodKind, MethodSnapshot};
use tokio_stream::StreamExt;
use tonic::service::Routes;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Channel, Endpoint, Server};
use tonic::{Code, Response, Status, Streaming};

use pb::plain_client::PlainClient;
use pb::shapes_client::ShapesClient;
use pb::streams_client::StreamsClient;
use pb::{Answer, Ask};

macro_rules! generated {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        pub mod $name {
            #![allow(clippy::all, clippy::pedantic, missing_debug_implementations, unreachable_pub)]
            include!(concat!(env!("OUT_DIR"), "/", stringify!($name), "/testing.shapes.v1.rs"));
        }
    )*};
}

generated! {
    /// As is.
    pb
    /// With `generate_default_stubs(true)`: no associated types.
    stubs
    /// With `use_arc_self(true)`.
    arc
}

/// What a unary handler answers.
///
/// # Errors
///
/// The status that was asked for.
pub fn answer(ask: Ask) -> Result<Answer, Status> {
    match Code::from(ask.code) {
        Code::Ok => Ok(Answer { number: ask.count }),
        code => Err(Status::new(code, "as asked")),
    }
}

/// What a handler's response stream yields.
pub fn answers(ask: Ask) -> Vec<Result<Answer, Status>> {
    let messages = (0..ask.count).map(|number| Ok(Answer { number }));
    let failure = answer(ask).err().map(Err);
    messages.chain(failure).collect()
}

/// What a handler with a stream of requests goes by: the last of them.
///
/// # Errors
///
/// The status that the client's stream ends with.
pub async fn last(mut asks: Streaming<Ask>) -> Result<Ask, Status> {
    let mut last = Ask::default();
    while let Some(ask) = asks.message().await? {
        last = ask;
    }
    Ok(last)
}

/// Serves on loopback until the program ends, and connects.
///
/// # Panics
///
/// If there is no free port.
pub async fn serve(routes: Routes) -> Channel {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    let incoming = TcpIncoming::from(listener);
    tokio::spawn(Server::builder().add_routes(routes).serve_with_incoming(incoming));
    let endpoint = Endpoint::from_shared(format!("http://{address}")).expect("a URI");
    endpoint.connect().await.expect("the server just started")
}

const GOOD: Ask = Ask { count: 3, code: 0 };
const BAD: Ask = Ask { count: 2, code: Code::NotFound as i32 };

/// Calls each method of `Shapes` once well and once for a `NOT_FOUND`, and checks what the client gets and
/// what is counted under `label`.
///
/// # Panics
///
/// If something is not as it should be.
pub async fn check_shapes(routes: Routes, label: &str) {
    let mut client = ShapesClient::new(serve(routes).await);
    assert_eq!(number(client.one(GOOD).await), Ok(3));
    assert_eq!(number(client.one(BAD).await), Err(Code::NotFound));
    assert_eq!(number(client.upload(tokio_stream::iter([BAD, GOOD])).await), Ok(3));
    assert_eq!(number(client.upload(tokio_stream::iter([BAD])).await), Err(Code::NotFound));
    assert_eq!(messages(client.watch(GOOD).await).await, (3, Code::Ok));
    assert_eq!(messages(client.watch(BAD).await).await, (2, Code::NotFound));
    assert_eq!(messages(client.chat(tokio_stream::iter([BAD, GOOD])).await).await, (3, Code::Ok));
    assert_eq!(messages(client.chat(tokio_stream::iter([BAD])).await).await, (2, Code::NotFound));

    for (method, kind, sent) in [
        ("One", MethodKind::Unary, 0),
        ("Upload", MethodKind::ClientStream, 0),
        ("Watch", MethodKind::ServerStream, 5),
        ("Chat", MethodKind::BidiStream, 5),
    ] {
        let counted = counted(label, method);
        assert_eq!(codes_of(&counted), [(Code::Ok, 1), (Code::NotFound, 1)], "{label} {method}");
        assert_eq!((counted.kind(), counted.messages_sent()), (kind, sent), "{label} {method}");
    }
}

/// The same for the two methods of `Plain`.
///
/// # Panics
///
/// If something is not as it should be.
pub async fn check_plain(routes: Routes, label: &str) {
    let mut client = PlainClient::new(serve(routes).await);
    assert_eq!(number(client.first(GOOD).await), Ok(3));
    assert_eq!(number(client.first(BAD).await), Err(Code::NotFound));
    assert_eq!(number(client.second(GOOD).await), Ok(3));
    assert_eq!(number(client.second(BAD).await), Err(Code::NotFound));
    for method in ["First", "Second"] {
        assert_eq!(codes(label, method), [(Code::Ok, 1), (Code::NotFound, 1)], "{label} {method}");
        assert_eq!(counted(label, method).kind(), MethodKind::Unary, "{label} {method}");
    }
}

/// The same for the two methods of `Streams`.
///
/// # Panics
///
/// If something is not as it should be.
pub async fn check_streams(routes: Routes, label: &str) {
    let mut client = StreamsClient::new(serve(routes).await);
    assert_eq!(messages(client.read(GOOD).await).await, (3, Code::Ok));
    assert_eq!(messages(client.read(BAD).await).await, (2, Code::NotFound));
    assert_eq!(messages(client.tail(GOOD).await).await, (3, Code::Ok));
    assert_eq!(messages(client.tail(BAD).await).await, (2, Code::NotFound));
    for method in ["Read", "Tail"] {
        let counted = counted(label, method);
        assert_eq!(codes_of(&counted), [(Code::Ok, 1), (Code::NotFound, 1)], "{label} {method}");
        assert_eq!(counted.messages_sent(), 5, "{label} {method}");
        assert_eq!(counted.kind(), MethodKind::ServerStream, "{label} {method}");
    }
}

/// What the process-wide instance has counted for a method that nothing calls any more.
///
/// # Panics
///
/// If the method is unknown, or if not all RPCs that have started have ended, once each.
pub fn counted(label: &str, method: &str) -> MethodSnapshot {
    let snapshot = GrpcMetrics::global().snapshot();
    let counted = snapshot.method(label, method);
    let counted = counted.unwrap_or_else(|| panic!("no method {method} of {label}")).clone();
    assert_eq!(counted.started(), counted.finished(), "{label} {method}");
    counted
}

/// How often a method's RPCs ended with which code, for the codes that occurred.
pub fn codes(label: &str, method: &str) -> Vec<(Code, u64)> {
    codes_of(&counted(label, method))
}

fn codes_of(counted: &MethodSnapshot) -> Vec<(Code, u64)> {
    let all = (0..=16).map(Code::from);
    all.map(|code| (code, counted.requests(code))).filter(|(_, count)| *count > 0).collect()
}

fn number(answer: Result<Response<Answer>, Status>) -> Result<u32, Code> {
    answer.map(|answer| answer.into_inner().number).map_err(|status| status.code())
}

/// How many messages came, and how the stream ended.
async fn messages(answer: Result<Response<Streaming<Answer>>, Status>) -> (usize, Code) {
    let mut stream = match answer {
        Ok(answer) => answer.into_inner(),
        Err(status) => return (0, status.code()),
    };
    let mut count = 0;
    loop {
        match stream.next().await {
            Some(Ok(_)) => count += 1,
            Some(Err(status)) => return (count, status.code()),
            None => return (count, Code::Ok),
        }
    }
}
