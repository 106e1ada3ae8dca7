//! Service impls as they occur in the wild, with real traffic: each module is one such shape.

mod arc_self;
mod interop;
mod macro_made;
mod nine_queries;
mod renamed;
mod response_alias;
mod wide;
mod without_a_word;
