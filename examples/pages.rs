//! The Rust blocks of the README and of `docs/`, as doc tests. Those of `docs/tracing.md` are in `tests/traces`.
#![cfg(doctest)]

#[doc = include_str!("../README.md")]
struct Readme;

#[doc = include_str!("../docs/errors-of-your-own.md")]
struct ErrorsOfYourOwn;

#[doc = include_str!("../docs/monitoring.md")]
struct Monitoring;
