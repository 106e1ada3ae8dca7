//! Section N of the contract: native histograms.

mod buckets;
mod format;
mod monitoring;
mod program;
mod read;
