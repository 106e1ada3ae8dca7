//! Sharded counters. Independent of RPCs and of Prometheus.

mod arena;
mod labelled;
mod lease;
mod method;
#[cfg(all(test, cells_model))]
pub(crate) mod model;
mod per_lease;
pub(crate) mod sync;
mod thread;

pub(crate) use labelled::{LabelledCells, LabelledCounts};
pub(crate) use method::{Counts, MethodCells};
