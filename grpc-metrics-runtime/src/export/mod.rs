//! Export of a snapshot in the formats of scrapers.

mod dialects;
mod exposition;
mod families;
#[cfg(any(feature = "native-histograms", feature = "openmetrics"))]
mod foreign;
mod gathered;
mod method_labels;
mod metric_families;
#[cfg(feature = "openmetrics")]
pub mod openmetrics;
#[cfg(all(test, not(cells_model)))]
mod order_tests;
#[cfg(feature = "native-histograms")]
pub mod protobuf;
mod schema;
mod series;
pub(crate) mod text;

pub(crate) use self::dialects::{dialect, is_family, is_label};
pub(crate) use self::exposition::Exposition;
#[cfg(feature = "monitoring")]
pub(crate) use self::families::FamilyId;
#[cfg(feature = "otlp")]
pub(crate) use self::families::FamilyType;
#[cfg(feature = "otlp")]
pub(crate) use self::schema::Family;
pub(crate) use self::schema::Schema;
#[cfg(feature = "otlp")]
pub(crate) use self::series::{Histogram, Labels, Value};
