//! Nova as a program.
#![cfg(unix)]

mod endings;
mod namings;
mod processes;
mod pushes;
mod spans;
mod stack;
