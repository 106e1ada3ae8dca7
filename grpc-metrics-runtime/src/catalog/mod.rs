//! The services linked into the program, known before the first RPC: their methods, kinds and objectives.

mod key;
mod method;
mod objectives;
mod services;

pub(crate) use self::key::{MethodKey, Side};
pub use self::method::{Definition, Method};
pub(crate) use self::objectives::{Latency, Objectives};
pub use self::services::{
    ClientEntry, DuplicateService, NamedAfterTrait, Service, UnmeasuredClient,
};
pub(crate) use self::services::{
    duplicates, find, latency_objectives, method_count, methods_of, objectives, services,
    unmeasured_clients,
};
