//! Contract, section E: the shapes that service impls have in the wild compile and count right.
//!
//! Each test is named for its line of the contract and sends real traffic, see [`support::shapes`]. The
//! lints of the crate are line E11 itself.

mod attributes;
mod bodies;
mod from_outside;
mod impls;
mod lints;
mod placement;
mod stream_types;
mod types;
mod unwrapped;
