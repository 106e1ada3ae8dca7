//! What the compiler says about every mistake, and that the pages know it.
//!
//! `TRYBUILD=overwrite cargo test -p tests --test ui` writes the messages anew, for a reviewer to read.

mod pages;

#[test]
fn every_mistake_has_its_message() {
    trybuild::TestCases::new().compile_fail("ui/fail/*.rs");
}

// What is right is compiled with the tests in `real_services`. Among these cases, it would have trybuild build all
// dependencies, which it only checks so.
