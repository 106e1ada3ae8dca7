//! Services of every shape, what they are called, and what is known of them before the first call.
//!
//! The lints are line E11 of the contract, for all of them.

#![forbid(unsafe_code)]
#![deny(warnings, missing_docs, clippy::all, clippy::pedantic)]

mod cost;
mod inventory;
mod names;
mod own_errors;
mod shapes;
mod slo;
