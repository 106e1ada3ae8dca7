//! Section I of the contract: OpenMetrics.

mod families;
mod format;
mod negotiation;
mod open;
mod others;
mod programs;
