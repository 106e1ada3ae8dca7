//! An RPC from start to end, and its owners: a handler's future, a response stream or a guard.

mod caller;
mod claim;
mod client;
mod deadline;
mod handler;
mod request_guard;
mod response_stream;
mod span;
mod state;
mod ticket;
mod wire;

pub use self::caller::{Caller, Scoped};
pub(crate) use self::client::{CallBytes, ClientRpc, Undecodable, code_of_call};
pub(crate) use self::deadline::Deadline;
pub use self::handler::Handler;
pub(crate) use self::handler::{
    AtBoxedStreamEnd, AtReturn, AtStreamEnd, BoxStream, Ending, SyncBoxStream, UnpinBoxStream,
};
pub use self::request_guard::RequestGuard;
pub use self::response_stream::{MessageStream, ResponseStream, StreamItem};
pub(crate) use self::state::Target;
pub use self::state::{Entered, Rpc};
pub(crate) use self::ticket::{is_measured, layered};
pub(crate) use self::wire::{Received, ServicePart, WireRpc};
