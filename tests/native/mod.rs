//! Section N of the contract: native histograms.

mod buckets;
mod format;
mod program;
mod read;
