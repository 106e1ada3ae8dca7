//! Contract, sections J and N, and L7. What a test does to the whole program, it does in a process of its own; the others share the
//! subscriber of [`traces::exporter`], or have one of their thread's.

mod b3;
mod clients;
mod endings;
mod followed;
mod nesting;
mod no_opentelemetry;
mod no_subscriber;
mod pushed;
mod rotel;
mod surroundings;
