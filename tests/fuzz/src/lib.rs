//! What each target does with its input. It panics if a property does not hold.
//!
//! The targets in `targets/` call it with what libFuzzer makes up, and `tests/seeds.rs` with the committed inputs.

#![allow(clippy::missing_panics_doc, reason = "they panic to report what they have found")]

extern crate proc_macro;

// The macro crate exports nothing but macros, so its modules are compiled in.
#[path = "../../../grpc-metrics-macros/src/client/mod.rs"]
mod client;
#[path = "../../../grpc-metrics-macros/src/derive/mod.rs"]
mod derive;
mod expansions;
#[path = "../../../grpc-metrics-macros/src/instrument/mod.rs"]
mod instrument;
mod requests;
#[path = "../../../grpc-metrics-macros/src/syntax/mod.rs"]
mod syntax;

pub use expansions::{arguments, attribute, client, derive};
pub use requests::{accept, frames, grpc_timeout, queries};
