//! Counting: what one method has counted, on all threads. Knows neither how an RPC ends nor who reads the counts.

mod causes;
mod cells;
mod clock;
#[cfg(feature = "opentelemetry")]
mod exemplars;
mod method;

pub use self::causes::ErrorCount;
pub(crate) use self::cells::Counts;
pub(crate) use self::clock::{Clock, Instant};
#[cfg(feature = "opentelemetry")]
pub use self::exemplars::Exemplar;
pub(crate) use self::method::{MethodCounters, Reading};
