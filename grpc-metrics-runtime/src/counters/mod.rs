//! The counters of a method, summed over all threads. Independent of how an RPC ends and of how the counts are
//! exported.

mod causes;
mod cells;
mod clock;
mod edges;
#[cfg(feature = "opentelemetry")]
mod exemplars;
mod label;
mod method;
mod sizes;

pub use self::causes::ErrorCount;
#[cfg(all(test, cells_model))]
pub(crate) use self::cells::model::model;
pub(crate) use self::cells::{Buckets, Counts, sync};
#[cfg(feature = "native-histograms")]
pub(crate) use self::cells::{NativeCounts, SCHEMA};
pub(crate) use self::clock::{Clock, Instant};
pub use self::edges::EdgeCount;
#[cfg(feature = "opentelemetry")]
pub use self::exemplars::Exemplar;
pub(crate) use self::label::{LabelValue, LabelValues, MOST_VALUES};
pub(crate) use self::method::{MethodCounters, Reading};
pub(crate) use self::sizes::{SIZE_BOUNDS, SizeReading};
