//! From a snapshot to the formats of scrapers.

mod collector;
mod gathered;
#[cfg(feature = "openmetrics")]
pub mod openmetrics;
mod series;
pub(crate) mod text;

pub(crate) use self::collector::Exposition;
