//! Counting, and nothing but counting: this module knows neither RPCs nor Prometheus.

mod lease;
mod method;
#[cfg(all(test, cells_model))]
mod model;
mod per_lease;
mod room;
mod sync;
mod thread;

pub(crate) use method::{Counts, MethodCells};
