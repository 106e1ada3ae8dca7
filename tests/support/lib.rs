//! A service that does what its requests say, its server and clients, the faults that befall them, and
//! what a scrape shows of it all.

// Helpers of tests: they panic where a test fails.
#![allow(clippy::missing_panics_doc, clippy::missing_errors_doc)]

pub mod bed;
pub mod clients;
pub mod codes;
pub mod collector;
pub mod faults;
pub mod nova;
pub mod pb;
pub mod process;
pub mod programs;
pub mod prometheus;
pub mod promql;
pub mod python;
pub mod random;
pub mod rng;
pub mod scrape;
pub mod script;
pub mod scripted;
pub mod server;
pub mod shapes;
pub mod stage;
pub mod wait;
pub mod watcher;
