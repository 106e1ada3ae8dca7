//! Contract, section E: the shapes that service impls have in the wild compile and count right.
//!
//! Each test is named for its line of the contract and sends real traffic, see [`support::shapes`]. The
//! lints below are line E11 itself.

#![forbid(unsafe_code)]
#![deny(warnings, missing_docs, clippy::all, clippy::pedantic)]

mod attributes;
mod bodies;
mod from_outside;
mod impls;
mod lints;
mod placement;
mod stream_types;
mod types;
mod unwrapped;
