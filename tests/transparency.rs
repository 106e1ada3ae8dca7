//! Contract, B14 and K11: what the client sees is the same with the attribute and without, under the server layer too.

use std::time::Duration;

use support::bed::own_metrics;
use support::clients::{Kind, Seen, call};
use support::faults::{expect_panics, panic_id, panics_of};
use support::pb::Script;
use support::pb::scripted_server::ScriptedServer;
use support::script::{
    Step, Way, drain, fail, fail_by, hang, panics, panics_in_drop, script, send, wait,
};
use support::scripted::{Plain, Scripted};
use support::server::Server;
use support::stage::Stage;
use tonic::service::Routes;
use tonic::transport::Channel;
use tonic::{Code, Request};

/// The same service twice.
struct Both {
    with: (Server, Channel),
    without: (Server, Channel),
}

impl Both {
    async fn start() -> Self {
        expect_panics();
        let (_registry, metrics) = own_metrics(|builder| builder);
        let stage = Stage::default();
        let layer = metrics.server_layer();
        let with = Routes::new(ScriptedServer::new(Scripted { metrics, stage }));
        let without = Server::start(Routes::new(ScriptedServer::new(Plain::default()))).await;
        let with = if super::IS_LAYERED {
            Server::start_layered(layer, with).await
        } else {
            Server::start(with).await
        };
        let channels = (with.connect().await, without.connect().await);
        Self { with: (with, channels.0), without: (without, channels.1) }
    }

    /// What the client sees of both; and how often there was a panic, if the script has one.
    async fn see(&self, kind: Kind, script: impl Fn(u32) -> Request<Script>) -> [(Seen, usize); 2] {
        let (of_with, of_without) = (panic_id(), panic_id());
        let with = call(&self.with.1, kind, script(of_with)).await;
        let without = call(&self.without.1, kind, script(of_without)).await;
        [(with, panics_of(of_with)), (without, panics_of(of_without))]
    }

    /// Asserts that both are the same, and gives what they are.
    async fn same(&self, kind: Kind, script: impl Fn(u32) -> Script) -> Seen {
        let [with, without] = self.see(kind, |id| Request::new(script(id))).await;
        assert_eq!(with, without, "{kind:?} {:?}", script(0));
        with.0
    }
}

#[tokio::test]
async fn b14_answers_and_their_metadata() {
    let both = Both::start().await;
    for kind in Kind::ALL {
        let seen = both.same(kind, |_| script([wait(1)], [send(), wait(1), send()])).await;
        assert_eq!(seen.code(), Code::Ok);
        assert_eq!(seen.metadata.unwrap()["x-scripted"], "\"reply\"");
        assert_eq!(seen.messages.len(), if kind.streams() { 2 } else { 1 });
        assert_eq!(seen.trailers.is_some(), kind.streams());
        both.same(kind, |_| script([], [])).await;
    }
}

#[tokio::test]
async fn b14_statuses_with_their_details_and_metadata() {
    let both = Both::start().await;
    for kind in Kind::ALL {
        for code in (0..=16).map(Code::from) {
            for way in [Way::Tail, Way::QuestionMark, Way::Return, Way::Macro] {
                let seen = both.same(kind, |_| script([fail_by(way, code)], [])).await;
                if code != Code::Ok {
                    let failure = seen.failure.unwrap();
                    assert_eq!(failure.code, code);
                    assert_eq!(failure.details, b"details");
                    assert_eq!(failure.metadata["x-scripted"], "\"failure\"");
                }
            }
        }
    }
}

#[tokio::test]
async fn b14_statuses_of_streams() {
    let both = Both::start().await;
    for kind in Kind::STREAMS {
        for code in (0..=16).map(Code::from) {
            for before in [0, 1, 3] {
                let stream = || {
                    let after = [fail(code), send()];
                    std::iter::repeat_with(send).take(before).chain(after)
                };
                let seen = both.same(kind, |_| script([], stream())).await;
                assert_eq!((seen.code(), seen.messages.len()), (code, before));
            }
        }
    }
}

#[tokio::test]
async fn b14_panics() {
    type Panics = fn(u32) -> (Vec<Step>, Vec<Step>);
    let in_handler: [Panics; 2] =
        [|id| (vec![panics(id)], vec![]), |id| (vec![wait(1), panics(id)], vec![send()])];
    let in_stream: [Panics; 4] = [
        |id| (vec![], vec![panics(id)]),
        |id| (vec![], vec![send(), panics(id)]),
        |id| (vec![], vec![panics_in_drop(id), send()]),
        |id| (vec![], vec![send(), panics_in_drop(id), fail(Code::Aborted)]),
    ];
    let both = Both::start().await;
    for kind in Kind::ALL {
        let streams = kind.streams().then_some(in_stream).into_iter().flatten();
        for panics in in_handler.into_iter().chain(streams) {
            let request = |id| {
                let (handler, stream) = panics(id);
                Request::new(script(handler, stream))
            };
            let [with, without] = both.see(kind, request).await;
            assert_eq!(with, without, "{kind:?}");
        }
    }
}

#[tokio::test]
async fn b14_panics_reach_the_server() {
    let both = Both::start().await;
    for kind in Kind::ALL {
        let request = |id| Request::new(script([panics(id)], []));
        let [(with, panics), _] = both.see(kind, request).await;
        assert_ne!(with.code(), Code::Ok);
        assert_eq!(panics, 1, "the runtime's hook saw it once");
    }
}

#[tokio::test]
async fn b14_deadlines() {
    let both = Both::start().await;
    for kind in Kind::ALL {
        let request = |_| {
            let mut request = Request::new(script([hang()], []));
            request.set_timeout(Duration::from_millis(50));
            request
        };
        let [with, without] = both.see(kind, request).await;
        assert_eq!(with, without);
        assert_eq!(with.0.code(), Code::Cancelled);
    }
}

#[tokio::test]
async fn b14_uploads_are_read_to_their_end() {
    let both = Both::start().await;
    for kind in [Kind::Upload, Kind::Chat] {
        let seen = both.same(kind, |_| script([drain()], [send()])).await;
        assert_eq!((seen.code(), seen.messages), (Code::Ok, vec![1]));
    }
}
