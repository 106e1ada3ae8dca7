//! Nova as a program.
#![cfg(unix)]

mod endings;
mod namings;
mod processes;
mod spans;
mod stack;
