//! What the compiler says about every mistake, and that it says nothing about what is right.
//!
//! `TRYBUILD=overwrite cargo test -p tests --test ui` writes the messages anew, for a reviewer to read.

#[test]
fn every_mistake_has_its_message() {
    trybuild::TestCases::new().compile_fail("ui/fail/*.rs");
}

#[test]
fn what_is_right_compiles() {
    trybuild::TestCases::new().pass("ui/pass/*.rs");
}
