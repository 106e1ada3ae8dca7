//! Collectors that are gone or hang.

use std::net::{Ipv4Addr, TcpListener as Blocking};
use std::time::Duration;

use grpc_metrics_runtime::otlp::{PushError, Pusher};
use support::bed::Bed;
use support::clients::Kind;
use support::collector::{Answer, Collector};
use support::script::{gate, script};
use tokio::io::{AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tonic::Code;

use super::{NEVER, metrics, pusher};

/// RPCs complete and are counted while a push hangs.
#[tokio::test]
async fn n2_rpcs_do_not_wait_for_a_collector_that_hangs() {
    let (bed, collector) = (Bed::new().await, Collector::start().await);
    collector.answer(Answer::Hang);
    let pusher = pusher(&bed.metrics, &collector).timeout(NEVER).start().expect("right");
    {
        let push = pusher.flush();
        tokio::pin!(push);
        tokio::select! {
            result = &mut push => panic!("{result:?}"),
            _ = collector.until_arrived(1) => {}
        }
        let waiting = bed.spawn(Kind::Unary, script([gate()], []));
        bed.until_waiting(1).await;
        assert_eq!(bed.in_flight(Kind::Unary), 1);
        for kind in Kind::ALL {
            bed.call(kind, script([], [])).await;
        }
        bed.stage.open();
        waiting.await.expect("no panic");
        let ended = Kind::ALL.map(|kind| (kind, Code::Ok, 1 + u64::from(kind == Kind::Unary)));
        bed.until_ended(&ended).await;
        tokio::select! {
            biased;
            result = &mut push => panic!("{result:?}"),
            () = std::future::ready(()) => {}
        }
    }
    // The last push does not wait for the one that hangs, and has all RPCs.
    collector.answer(Answer::Accept);
    pusher.shutdown().await.expect("accepted");
    let last = collector.last();
    let counts = last.histogram("grpc_server_request_duration_seconds").into_iter();
    assert_eq!(counts.map(|point| point.count).sum::<u64>(), 5);
}

#[tokio::test]
async fn n2_nothing_queues_while_a_collector_hangs() {
    let (metrics, collector) = (metrics(), Collector::start().await);
    collector.answer(Answer::Hang);
    let timeout = Duration::from_millis(200);
    let pusher = pusher(&metrics, &collector).timeout(timeout).start().expect("right");
    let mut flushed = 3;
    for _ in 0..flushed {
        let result = pusher.flush().await;
        assert!(matches!(result, Err(PushError::Timeout(of)) if of == timeout), "{result:?}");
    }
    collector.answer(Answer::Accept);
    // On a busy machine, one may take longer than the timeout.
    while pusher.flush().await.is_err() {
        flushed += 1;
    }
    assert!(collector.arrived().len() <= flushed + 1, "none is sent again");
}

/// A port at which nobody listens.
#[tokio::test]
async fn n2_a_collector_that_is_gone_fails_a_push_at_once() {
    let free = Blocking::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port").local_addr();
    let endpoint = format!("http://{}", free.expect("an address"));
    let builder = Pusher::builder(&metrics()).endpoint(endpoint).timeout(NEVER);
    let pusher = builder.start().expect("a connection is made by the first push");
    let result = pusher.flush().await;
    let Err(PushError::Failed(status)) = &result else { panic!("{result:?}") };
    assert_eq!(status.code(), Code::Unavailable);
    let result = pusher.shutdown().await;
    assert!(matches!(result, Err(PushError::Failed(_))), "{result:?}");
}

/// One that accepts connections, and is silent. After a timeout, the next push has a connection of its own.
#[tokio::test]
async fn n2_a_collector_that_never_answers_costs_the_timeout() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let timeout = Duration::from_millis(50);
    let builder = Pusher::builder(&metrics()).endpoint(format!("http://{address}"));
    let pusher = builder.timeout(timeout).start().expect("right");
    let accepted = async {
        let first = listener.accept().await.expect("a connection");
        let second = listener.accept().await.expect("another");
        (first, second)
    };
    let flushed = async {
        loop {
            let result = pusher.flush().await;
            assert!(matches!(result, Err(PushError::Timeout(_))), "{result:?}");
        }
    };
    let connections = tokio::select! {
        connections = accepted => connections,
        () = flushed => unreachable!("it never ends"),
    };
    let result = pusher.shutdown().await;
    assert!(matches!(result, Err(PushError::Timeout(_))), "{result:?}");
    drop(connections);
}

/// A connection that is dead without having been closed, as behind a firewall that has forgotten it.
#[tokio::test]
async fn n2_the_last_push_does_not_use_the_connection_of_one_that_hangs() {
    let (metrics, collector) = (metrics(), Collector::start().await);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let builder = Pusher::builder(&metrics).endpoint(format!("http://{address}"));
    let pusher = builder.timeout(Duration::from_secs(60)).start().expect("right");
    let _dead = tokio::select! {
        result = pusher.flush() => panic!("{result:?}"),
        accepted = listener.accept() => accepted.expect("a connection"),
    };
    let relayed = async {
        let (mut pusher, _) = listener.accept().await.expect("another");
        let mut collector = TcpStream::connect(collector.address()).await.expect("it listens");
        copy_bidirectional(&mut pusher, &mut collector).await
    };
    tokio::select! {
        biased;
        result = pusher.shutdown() => result.expect("accepted"),
        relayed = relayed => panic!("{relayed:?}"),
    }
    assert_eq!(collector.arrived().len(), 1);
}

/// Another server at the collector's port, or one that crashes.
#[tokio::test]
async fn n2_an_answer_that_is_not_a_collectors_fails_a_push() {
    const RESET: &[u8] = b"\0\0\x04\x03\0\0\0\0\x01\0\0\0\x02";
    const SETTINGS: &[u8] = b"\0\0\0\x04\0\0\0\0\0";
    let answers = [
        b"".to_vec(),
        b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n".to_vec(),
        vec![0xff; 1_000],
        [SETTINGS, RESET].concat(),
    ];
    let metrics = metrics();
    for answer in answers {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let builder = Pusher::builder(&metrics).endpoint(format!("http://{address}"));
        let pusher = builder.timeout(NEVER).start().expect("right");
        let server = async {
            loop {
                let (mut connection, _) = listener.accept().await.expect("a connection");
                let _ = connection.write_all(&answer).await;
            }
        };
        let result = tokio::select! {
            result = pusher.flush() => result,
            () = server => unreachable!("it never ends"),
        };
        assert!(matches!(result, Err(PushError::Failed(_))), "{answer:?}: {result:?}");
    }
}
