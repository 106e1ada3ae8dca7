//! What a request tells the scripted service to do.

use tonic::Code;

use crate::pb::step::Step as Do;
pub use crate::pb::{Fail, Script, Step, Way};

/// The handler's steps, then those of its response stream.
pub fn script(
    handler: impl IntoIterator<Item = Step>,
    stream: impl IntoIterator<Item = Step>,
) -> Script {
    Script { handler: handler.into_iter().collect(), stream: stream.into_iter().collect() }
}

fn step(step: Do) -> Step {
    Step { step: Some(step) }
}

pub fn fail(code: Code) -> Step {
    fail_by(Way::Tail, code)
}

pub fn fail_by(way: Way, code: Code) -> Step {
    step(Do::Fail(Fail { code: code.into(), way: way.into() }))
}

/// Panic with a message that holds `id`.
pub fn panics(id: u32) -> Step {
    step(Do::Panic(id))
}

/// Panic with a message that holds `id` when dropped.
pub fn panics_in_drop(id: u32) -> Step {
    step(Do::PanicInDrop(id))
}

/// Never go on.
pub fn hang() -> Step {
    hang_as(0)
}

/// The same, in a way that `Stage::hangs` can tell from others.
pub fn hang_as(id: u32) -> Step {
    step(Do::Hang(id))
}

/// Go on when the test lets one through.
pub fn gate() -> Step {
    step(Do::Gate(true))
}

/// The same, and hold the thread.
pub fn block() -> Step {
    step(Do::Block(true))
}

pub fn wait(millis: u32) -> Step {
    step(Do::WaitMillis(millis))
}

pub fn send() -> Step {
    step(Do::Send(true))
}

/// Read the request's stream to its end.
pub fn drain() -> Step {
    step(Do::Drain(true))
}
