//! Nova as a program.
#![cfg(unix)]

mod endings;
mod processes;
mod spans;
mod stack;
