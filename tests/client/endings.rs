//! L3: how a call ends.

use std::mem;
use std::time::Duration;

use support::clients::Kind;
use support::script::{fail, hang, script, send};
use support::server::Server;
use support::wait::until_eq;
use tokio::time::timeout;
use tonic::service::Routes;
use tonic::transport::Endpoint;
use tonic::{Code, Request};

use super::called::{Called, Way, stays_open};

const LONG: Duration = Duration::from_secs(600);

#[tokio::test]
async fn l3_ok_of_every_kind() {
    for way in Way::ALL {
        let called = Called::scripted(way).await;
        for kind in Kind::ALL {
            called.call(kind, Request::new(script([], [send(), send()]))).await.unwrap();
        }
        called.assert_ended(&Kind::ALL.map(|kind| (kind, Code::Ok, 1))).await;
    }
}

#[tokio::test]
async fn l3_every_status_of_the_server_in_headers_and_in_trailers() {
    for way in Way::ALL {
        let called = Called::scripted(way).await;
        let mut expected = Vec::new();
        for code in (1..=16).map(Code::from) {
            for kind in Kind::ALL {
                let status = called.call(kind, Request::new(script([fail(code)], []))).await;
                assert_eq!(status.unwrap_err().code(), code);
                let in_trailers = u64::from(kind.streams());
                if kind.streams() {
                    let status = called.call(kind, Request::new(script([], [send(), fail(code)])));
                    assert_eq!(status.await.unwrap_err().code(), code);
                }
                expected.push((kind, code, 1 + in_trailers));
            }
        }
        called.assert_ended(&expected).await;
    }
}

#[tokio::test]
async fn l3_a_connection_that_can_t_be_made_is_unavailable() {
    for way in Way::ALL {
        let called = Called::scripted(way).await;
        let nobody = Endpoint::from_static("http://127.0.0.1:1").connect_lazy();
        let client = called.client(nobody);
        for kind in Kind::ALL {
            let status = client.call(kind, Request::new(script([], []))).await.unwrap_err();
            assert_eq!(status.code(), Code::Unavailable);
        }
        called.assert_ended(&Kind::ALL.map(|kind| (kind, Code::Unavailable, 1))).await;
    }
}

#[tokio::test]
async fn l3_a_connection_that_is_lost_ends_what_runs() {
    for way in Way::ALL {
        let called = Called::scripted(way).await;
        let mut codes = Vec::new();
        let mut calls = Vec::new();
        for kind in Kind::ALL {
            let client = called.client.clone();
            let steps = script([hang()], []);
            calls.push((
                kind,
                tokio::spawn(async move { client.call(kind, Request::new(steps)).await }),
            ));
        }
        until_eq(|| called.stage.waiting(), 4).await;
        assert_eq!(called.in_flight(), 4);
        let mut called = called;
        let server = mem::replace(&mut called.server, Server::start(Routes::default()).await);
        server.kill().await;
        for (kind, call) in calls {
            codes.push((kind, call.await.unwrap().unwrap_err().code(), 1));
        }
        called.assert_ended(&codes).await;
    }
}

#[tokio::test]
async fn l3_the_client_s_own_timeout_is_a_deadline() {
    for way in Way::ALL {
        let called = Called::scripted(way).await;
        for kind in Kind::ALL {
            let mut request = Request::new(script([hang()], []));
            request.set_timeout(Duration::from_millis(20));
            let status = called.call(kind, request).await.unwrap_err();
            // What tonic shows the program; or the server's answer, whose timer is the same.
            assert!(
                [Code::Cancelled, Code::DeadlineExceeded].contains(&status.code()),
                "{status:?}"
            );
        }
        let endpoint =
            Endpoint::from_shared(format!("http://{}", called.server.address())).unwrap();
        let channel = endpoint.timeout(Duration::from_millis(20)).connect().await.unwrap();
        let client = called.client(channel);
        for kind in Kind::ALL {
            let steps = script([hang()], []);
            let status = client.call(kind, Request::new(steps)).await.unwrap_err();
            assert_eq!((status.code(), status.message()), (Code::Cancelled, "Timeout expired"));
        }
        until_eq(|| called.in_flight(), 0).await;
        for kind in Kind::ALL {
            let late = (kind.method(), Code::DeadlineExceeded, 2);
            assert!(called.ended().contains(&late), "{:?}", called.ended());
        }
    }
}

#[tokio::test]
async fn l3_a_call_that_its_caller_drops_is_cancelled() {
    for way in Way::ALL {
        let called = Called::scripted(way).await;
        for kind in Kind::ALL {
            let waiting = called.stage.waiting();
            let call = called.call(kind, Request::new(script([hang()], [])));
            let arrived = until_eq(|| called.stage.waiting(), waiting + 1);
            tokio::select! {
                _ = call => panic!("it hangs"),
                () = arrived => {}
            }
        }
        called.assert_ended(&Kind::ALL.map(|kind| (kind, Code::Cancelled, 1))).await;
    }
}

#[tokio::test]
async fn l3_a_call_that_its_caller_drops_late_is_a_deadline() {
    for way in Way::ALL {
        let called = Called::scripted(way).await;
        for kind in Kind::STREAMS {
            let mut request = Request::new(script([], [send(), hang()]));
            request.set_timeout(Duration::from_millis(300));
            let mut replies = called.open(kind, request).await.unwrap().into_inner();
            replies.message().await.unwrap();
            // The stream has no timer of tonic's: it is the caller's, and ends by the same deadline.
            timeout(Duration::from_millis(300), replies.message()).await.unwrap_err();
        }
        called.assert_ended(&Kind::STREAMS.map(|kind| (kind, Code::DeadlineExceeded, 1))).await;
        let mut request = Request::new(script([], [send(), hang()]));
        request.set_timeout(LONG);
        drop(called.open(Kind::Watch, request).await.unwrap());
        until_eq(|| called.in_flight(), 0).await;
        assert!(called.ended().contains(&("Watch", Code::Cancelled, 1)));
    }
}

#[tokio::test]
async fn l3_a_stream_dropped_before_its_end_is_cancelled() {
    for way in Way::ALL {
        let called = Called::scripted(way).await;
        for kind in Kind::STREAMS {
            let request = Request::new(script([], [send(), send(), hang()]));
            let mut replies = called.open(kind, request).await.unwrap().into_inner();
            replies.message().await.unwrap();
            assert_eq!(called.in_flight(), 1);
        }
        called.assert_ended(&Kind::STREAMS.map(|kind| (kind, Code::Cancelled, 1))).await;
    }
}

/// The last message was read, and nobody asks for more: as `message` in a loop that knows how many there are.
#[tokio::test]
async fn l3_a_stream_dropped_after_its_status_has_arrived_has_that() {
    for way in Way::ALL {
        let called = Called::scripted(way).await;
        let mut expected = Vec::new();
        for kind in Kind::STREAMS {
            for (last, code) in [(None, Code::Ok), (Some(fail(Code::DataLoss)), Code::DataLoss)] {
                let dropped = called.stage.dropped();
                let steps = script([], [send(), send()].into_iter().chain(last));
                let mut replies =
                    called.open(kind, Request::new(steps)).await.unwrap().into_inner();
                replies.message().await.unwrap();
                // The server has sent all. Another call on the connection comes behind it.
                until_eq(|| called.stage.dropped(), dropped + 1).await;
                called.call(Kind::Unary, Request::new(script([], []))).await.unwrap();
                drop(replies);
                assert_eq!(called.in_flight(), 0, "the status has arrived");
                expected.push((kind, code, 1));
            }
        }
        expected.push((Kind::Unary, Code::Ok, 4));
        called.assert_ended(&expected).await;
    }
}

#[tokio::test]
async fn l3_a_call_is_in_flight_until_its_stream_has_ended() {
    for way in Way::ALL {
        let called = Called::scripted(way).await;
        let client = called.client.clone();
        let steps = script([], [send(), hang()]);
        let mut replies = client.chat(stays_open(steps)).await.unwrap().into_inner();
        replies.message().await.unwrap();
        assert_eq!(called.in_flight(), 1);
        drop(replies);
        called.assert_ended(&[(Kind::Chat, Code::Cancelled, 1)]).await;
    }
}
