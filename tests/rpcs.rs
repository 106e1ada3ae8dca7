//! One RPC and what is counted of it: of the scripted service alone, so that a scrape shows nothing else.

// With another server around it, see `layered`.
#![allow(clippy::duplicate_mod)]

mod diff;
mod direct_calls;
mod endings;
mod faults;
mod layer;
mod layered;
mod metrics;
mod request_guard;
mod settings;
mod transparency;

/// See `layered`.
const IS_LAYERED: bool = false;

/// The attribute alone.
type Bed = support::bed::Bed;
