//! What the compiler says about every mistake, that it says nothing about what is right, and that the pages
//! know both.
//!
//! `TRYBUILD=overwrite cargo test -p tests --test ui` writes the messages anew, for a reviewer to read.

mod pages;

#[test]
fn every_mistake_has_its_message() {
    trybuild::TestCases::new().compile_fail("ui/fail/*.rs");
}

#[test]
fn what_is_right_compiles() {
    trybuild::TestCases::new().pass("ui/pass/*.rs");
}
