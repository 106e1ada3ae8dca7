//! Section I of the contract: OpenMetrics.

mod families;
mod format;
pub(crate) mod negotiation;
pub(crate) mod open;
pub(crate) mod others;
mod programs;
