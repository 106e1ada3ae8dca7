//! Section I of the contract: OpenMetrics.

mod families;
mod format;
mod negotiation;
pub(crate) mod open;
mod others;
mod programs;
