//! Export of a snapshot in the formats of scrapers.

mod exposition;
mod gathered;
mod metric_families;
#[cfg(feature = "openmetrics")]
pub mod openmetrics;
mod schema;
mod series;
pub(crate) mod text;

pub(crate) use self::exposition::Exposition;
#[cfg(feature = "monitoring")]
pub(crate) use self::schema::{FamilyId, Schema};
