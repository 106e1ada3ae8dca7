//! Counting, and nothing but counting: this module knows neither RPCs nor Prometheus.

mod arena;
mod lease;
mod method;
#[cfg(all(test, cells_model))]
mod model;
mod per_lease;
mod sync;
mod thread;

pub(crate) use method::{Counts, MethodCells};
