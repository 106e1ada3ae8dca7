//! Sharded counters. Independent of RPCs and of Prometheus.

mod arena;
mod buckets;
mod labelled;
mod lease;
mod method;
#[cfg(all(test, cells_model))]
pub(crate) mod model;
mod native;
mod per_lease;
pub(crate) mod sync;
mod thread;

pub(crate) use buckets::Buckets;
pub(crate) use labelled::{LabelledCells, LabelledCounts};
pub(crate) use method::{Counts, MethodCells};
#[cfg(feature = "native-histograms")]
pub(crate) use native::{NativeCounts, SCHEMA};
