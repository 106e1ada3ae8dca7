//! RPCs of all kinds with random endings, which a seed repeats.

use std::iter::repeat_with;
use std::time::Duration;

use tonic::transport::Channel;
use tonic::{Code, Request};

use crate::clients::{Kind, call, open};
use crate::faults::panic_id;
use crate::rng::Rng;
use crate::script::{
    Script, Step, Way, fail_by, hang_as, panics, panics_in_drop, script, send, wait,
};
use crate::stage::Stage;
use crate::wait::until;

/// What the client does.
#[derive(Clone, Copy, Debug)]
pub enum Client {
    Waits,
    /// Aborts once the handler is where it hangs.
    AbortsInHandler(u32),
    /// Drops the stream after so many messages.
    DropsAfter(u64),
}

#[derive(Debug)]
pub struct Rpc {
    pub kind: Kind,
    pub script: Script,
    pub client: Client,
    /// How it ends, if the client sees it through.
    pub code: Code,
}

fn ways(rng: &mut Rng) -> Way {
    rng.pick(&[Way::Tail, Way::QuestionMark, Way::Return, Way::Macro])
}

fn pause(rng: &mut Rng) -> Option<Step> {
    (rng.below(3) == 0).then(|| wait(u32::try_from(rng.below(4)).unwrap()))
}

/// An RPC that ends in the handler.
fn in_handler(rng: &mut Rng, kind: Kind) -> Rpc {
    let id = panic_id();
    let (step, client, code) = match rng.below(4) {
        0 => (panics(id), Client::Waits, Code::Unknown),
        1 => (hang_as(id), Client::AbortsInHandler(id), Code::Cancelled),
        2 => {
            // Without a message where one is due: INTERNAL.
            let code = if kind.streams() { Code::Ok } else { Code::Internal };
            (fail_by(ways(rng), Code::Ok), Client::Waits, code)
        }
        _ => {
            let code = Code::from(i32::try_from(1 + rng.below(16)).unwrap());
            (fail_by(ways(rng), code), Client::Waits, code)
        }
    };
    let aborts = matches!(client, Client::AbortsInHandler(_));
    let bomb = (aborts && rng.below(4) == 0).then(|| panics_in_drop(id));
    let code = if bomb.is_some() { Code::Unknown } else { code };
    let handler = pause(rng).into_iter().chain(bomb).chain([step]);
    Rpc { kind, script: script(handler, []), client, code }
}

/// An RPC that ends in its stream.
fn in_stream(rng: &mut Rng, kind: Kind) -> Rpc {
    let (id, messages) = (panic_id(), rng.below(5));
    let (last, client, code) = match rng.below(4) {
        0 => (None, Client::Waits, Code::Ok),
        1 => (Some(panics(id)), Client::Waits, Code::Unknown),
        2 => {
            let code = Code::from(i32::try_from(rng.below(17)).unwrap());
            (Some(fail_by(Way::Tail, code)), Client::Waits, code)
        }
        _ => {
            let drops = Client::DropsAfter(messages);
            (Some(hang_as(id)), drops, Code::Cancelled)
        }
    };
    let drops = matches!(client, Client::DropsAfter(_));
    // Only a stream that was polled can be told to panic.
    let bomb = drops && messages > 0 && rng.below(4) == 0;
    let bomb = bomb.then(|| panics_in_drop(id));
    let code = if bomb.is_some() { Code::Unknown } else { code };
    let sent = repeat_with(send).take(usize::try_from(messages).unwrap());
    let stream = bomb.into_iter().chain(sent).chain(pause(rng)).chain(last);
    Rpc { kind, script: script(pause(rng), stream), client, code }
}

/// Any ending of any kind of RPC.
pub fn any_rpc(rng: &mut Rng) -> Rpc {
    let kind = rng.pick(&Kind::ALL);
    match rng.below(4) {
        0 if !kind.streams() => {
            Rpc { kind, script: script(pause(rng), []), client: Client::Waits, code: Code::Ok }
        }
        0..2 if kind.streams() => in_stream(rng, kind),
        _ => in_handler(rng, kind),
    }
}

/// The metadata that names the client of a random RPC, for tests of a label.
pub const CLIENT: &str = "x-client-name";

/// Runs it as planned.
pub async fn run(channel: &Channel, stage: &Stage, rpc: Rpc) {
    let Rpc { kind, script, .. } = rpc;
    // With or without a deadline that is far away.
    let mut request = Request::new(script);
    let entered = stage.entered();
    if entered.is_multiple_of(2) {
        request.set_timeout(Duration::from_secs(3600));
    }
    if !entered.is_multiple_of(5) {
        let client = format!("client-{}", entered % 7);
        request.metadata_mut().insert(CLIENT, client.parse().unwrap());
    }
    match rpc.client {
        Client::Waits => drop(call(channel, kind, request).await),
        Client::AbortsInHandler(id) => {
            let channel = channel.clone();
            let task = tokio::spawn(async move { call(&channel, kind, request).await });
            until(|| stage.hangs(id), |hangs| *hangs).await;
            task.abort();
        }
        Client::DropsAfter(messages) => {
            let opened = open(channel, kind, request).await;
            let mut stream = opened.unwrap().into_inner();
            for _ in 0..messages {
                stream.message().await.unwrap().unwrap();
            }
            // Its handler has returned, or else there would be no stream.
        }
    }
}
