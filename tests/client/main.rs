//! Contract, section L: what the program calls.

mod answers;
mod called;
mod counts;
mod diff;
mod edges;
mod endings;
mod nested;
mod panics;
mod random;
