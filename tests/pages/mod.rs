//! What stands in the repository's pages.

mod errors;
mod links;

use std::fs;
use std::path::{Path, PathBuf};

/// Where the repository is checked out.
fn root() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().expect("the workspace").to_owned()
}

/// The text of a file; a path that is not absolute is one in the repository.
fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
