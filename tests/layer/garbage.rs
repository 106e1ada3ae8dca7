//! What no client should send. The server goes on, and what has begun ends.

use std::collections::BTreeMap;
use std::iter::repeat_with;

use h2::Reason;
use support::clients::{self, Kind};
use support::rng::{Rng, seed};
use support::script::script;
use support::scripted::SERVICE;
use support::wait::{until, until_eq};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tonic::{Code, Request};

use super::raw::Raw;
use super::served::{Served, framed};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const EMPTY_SETTINGS: &[u8] = &[0, 0, 0, 4, 0, 0, 0, 0, 0];
const PATHS: [&str; 3] =
    ["/testing.v1.Scripted/Unary", "/testing.v1.Scripted/Upload", "/testing.v1.Scripted/Chat"];

/// Writes this, and waits until the server has closed the connection.
async fn write(served: &Served, bytes: &[u8]) {
    let mut stream = TcpStream::connect(served.server.address()).await.expect("it listens");
    // It may close at the first byte.
    if stream.write_all(bytes).await.is_ok() && stream.shutdown().await.is_ok() {
        let _ = stream.read_to_end(&mut Vec::new()).await;
    }
}

fn bytes(rng: &mut Rng, most: u64) -> Vec<u8> {
    let len = usize::try_from(rng.below(most)).expect("a short one");
    repeat_with(|| u8::try_from(rng.below(256)).expect("a byte")).take(len).collect()
}

/// Well-formed but for what it says.
fn frame(rng: &mut Rng) -> Vec<u8> {
    let payload = bytes(rng, 64);
    let [.., a, b, c] = payload.len().to_be_bytes();
    let [kind, flags, stream] = [10, 256, 6].map(|n| u8::try_from(rng.below(n)).expect("a byte"));
    [&[a, b, c, kind, flags, 0, 0, 0, stream][..], &payload].concat()
}

/// Everything has ended, and an RPC is what it was.
async fn assert_well(served: &Served) {
    until(|| served.in_flight(), |n| *n == 0).await;
    let before = served.requests(SERVICE, "Unary", Code::Ok);
    let channel = served.server.connect().await;
    let seen = clients::call(&channel, Kind::Unary, Request::new(script([], []))).await;
    assert_eq!(seen.code(), Code::Ok);
    assert_eq!(served.requests(SERVICE, "Unary", Code::Ok), before + 1);
    served.assert_settled();
}

#[tokio::test]
async fn k10_what_is_no_http_2_counts_nothing() {
    let served = Served::scripted().await;
    let before = served.scrape().text;
    let mut rng = Rng::new(seed());
    write(&served, b"").await;
    write(&served, b"GET /metrics HTTP/1.1\r\nhost: here\r\n\r\n").await;
    write(&served, &PREFACE[..10]).await;
    for _ in 0..100 {
        write(&served, &bytes(&mut rng, 4_096)).await;
        write(&served, &[PREFACE, &bytes(&mut rng, 4_096)].concat()).await;
    }
    assert_eq!(served.scrape().text, before);
    assert_well(&served).await;
}

#[tokio::test]
async fn k10_frames_of_garbage_leave_nothing_in_flight() {
    let served = Served::scripted().await;
    let mut rng = Rng::new(seed());
    for _ in 0..200 {
        let frames = repeat_with(|| frame(&mut rng)).take(20).flatten().collect::<Vec<_>>();
        write(&served, &[PREFACE, EMPTY_SETTINGS, &frames].concat()).await;
    }
    assert_well(&served).await;
}

#[tokio::test]
async fn k10_messages_of_garbage_count_with_the_code_that_the_client_gets() {
    let served = Served::scripted().await;
    let mut rng = Rng::new(seed());
    let raw = Raw::connect(served.server.address()).await;
    let mut expected = BTreeMap::<_, u64>::new();
    let prefixes: [&[u8]; 4] =
        // No such compression; more than may come; less than there is; more than there is.
        [&[0xff; 5], &[0, 0xff, 0xff, 0xff, 0xff], &[0, 0, 0, 0, 1], &[0, 0, 0, 1, 0]];
    for n in 0..400 {
        let path = PATHS[n % PATHS.len()];
        let prefix = prefixes.get(n / PATHS.len()).map_or_else(Vec::new, |prefix| prefix.to_vec());
        let mut asked = raw.ask(path, None).await;
        asked.send([prefix, bytes(&mut rng, 64)].concat(), true);
        let code = asked.code().await.expect("a status");
        let method = path.rsplit('/').next().expect("a method");
        *expected.entry((method, i32::from(code))).or_default() += 1;
    }
    until(|| served.in_flight(), |n| *n == 0).await;
    let ended = served.ended();
    let ended = ended.iter().map(|(method, code, n)| ((*method, i32::from(*code)), *n));
    assert_eq!(ended.collect::<BTreeMap<_, _>>(), expected);
    assert!(expected.contains_key(&("Unary", i32::from(Code::OutOfRange))), "{expected:?}");
    assert_well(&served).await;
}

/// Where a handler reads the messages, it has made an error of what tonic showed it.
#[tokio::test]
async fn k10_an_rpc_that_is_broken_off_within_a_message_is_cancelled() {
    let served = Served::scripted().await;
    let raw = Raw::connect(served.server.address()).await;
    let half = &framed(b"a message")[..8];
    for path in PATHS {
        for reason in [Reason::CANCEL, Reason::INTERNAL_ERROR, Reason::PROTOCOL_ERROR] {
            let mut asked = raw.ask(path, None).await;
            asked.send(half.to_vec(), false);
            until_eq(|| served.in_flight(), 1).await;
            asked.body.send_reset(reason);
            until_eq(|| served.in_flight(), 0).await;
        }
    }
    let expected = [
        ("Chat", Code::Cancelled, 1),
        ("Chat", Code::Internal, 2),
        ("Unary", Code::Cancelled, 3),
        ("Upload", Code::Cancelled, 1),
        ("Upload", Code::Internal, 2),
    ];
    assert_eq!(served.ended(), expected);
    assert_well(&served).await;
}

/// Whatever a client makes of it, half of a message is none.
#[tokio::test]
async fn k10_an_rpc_whose_message_ends_half_way_counts_with_the_code_that_the_client_gets() {
    let served = Served::scripted().await;
    let raw = Raw::connect(served.server.address()).await;
    let mut asked = raw.ask(PATHS[0], None).await;
    asked.send(framed(b"a message")[..8].to_vec(), true);
    let code = asked.code().await.expect("a status");
    assert_ne!(code, Code::Ok);
    assert_eq!(served.ended(), [("Unary", code, 1)]);
    assert_well(&served).await;
}
