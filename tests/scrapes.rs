//! What a scrape shows: in each format, over HTTP, and while RPCs run.

mod http;
mod label;
mod naming;
mod native;
mod openmetrics;
mod otlp;
mod random_rpcs;
mod text_format;
mod threads;
