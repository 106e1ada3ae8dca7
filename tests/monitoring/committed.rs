//! The files in `monitoring/` are those that the code renders.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::monitoring;

const HOW: &str = "cargo run -p examples --bin monitoring -- --out monitoring";

/// All files below `directory`, by their path from there.
fn files(directory: &Path) -> BTreeMap<PathBuf, String> {
    let mut files = BTreeMap::new();
    let mut directories = vec![directory.to_owned()];
    while let Some(next) = directories.pop() {
        for entry in
            fs::read_dir(&next).unwrap_or_else(|error| panic!("{}: {error}", next.display()))
        {
            let path = entry.unwrap().path();
            if path.is_dir() {
                directories.push(path);
            } else {
                let text = fs::read_to_string(&path).unwrap();
                files.insert(path.strip_prefix(directory).unwrap().to_owned(), text);
            }
        }
    }
    files
}

#[test]
fn the_committed_files_are_what_the_code_renders() {
    let committed = files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../monitoring"));
    // As the example has them without arguments.
    let rendered = monitoring("grpc_server").files("nova", &["host.docker.internal:8081"]);
    let rendered: BTreeMap<_, _> =
        rendered.into_iter().map(|file| (PathBuf::from(file.path), file.text)).collect();
    let names = |files: &BTreeMap<PathBuf, String>| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&committed), names(&rendered), "{HOW}");
    for (path, text) in &rendered {
        assert!(committed[path] == *text, "{} is out of date: {HOW}", path.display());
    }
}
