//! `docs/errors.md` lists every message, and no other.

use std::{fs, iter};

use super::{read, root};

/// A heading of the page, with ‹…› for what differs.
struct Heading(String);

impl Heading {
    fn matches(&self, message: &str) -> bool {
        let mut parts = self.0.split('‹').flat_map(|part| {
            let (_, fixed) = part.split_once('›').unwrap_or(("", part));
            iter::once(fixed)
        });
        let Some(mut rest) = parts.next().and_then(|first| message.strip_prefix(first)) else {
            return false;
        };
        let parts: Vec<&str> = parts.collect();
        for (i, part) in parts.iter().enumerate() {
            let is_last = i + 1 == parts.len();
            let at = if is_last { rest.rfind(part) } else { rest.find(part) };
            let Some(at) = at else {
                return false;
            };
            rest = &rest[at + part.len()..];
        }
        rest.is_empty()
    }
}

struct Page {
    headings: Vec<Heading>,
    /// The cases in which the compiler has the word.
    left: String,
}

impl Page {
    fn explains(&self, message: &str) -> bool {
        self.headings.iter().any(|heading| heading.matches(message))
    }
}

fn page() -> Page {
    let page = read("docs/errors.md");
    let headings = page.lines().filter_map(|line| line.strip_prefix("### "));
    let (_, left) = page.split_once("## Left to the compiler").expect("the last section");
    Page {
        headings: headings.map(|heading| Heading(heading.to_owned())).collect(),
        left: left.to_owned(),
    }
}

/// All messages of the cases that must fail, each with its case.
fn messages() -> Vec<(String, String)> {
    let folder = root().join("tests/ui/fail");
    let files = fs::read_dir(folder).expect("the cases").map(|file| file.expect("a case").path());
    let blessed = files.filter(|path| path.extension().is_some_and(|ext| ext == "stderr"));
    let mut messages = Vec::new();
    for path in blessed {
        let case = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        for line in read(&path).lines().filter(|line| line.starts_with("error")) {
            let (_, message) = line.split_once(": ").expect("a message");
            messages.push((case.clone(), message.to_owned()));
        }
    }
    assert!(messages.len() > 50, "only {} messages", messages.len());
    messages
}

#[test]
fn every_message_is_on_the_page() {
    let page = page();
    for (case, message) in messages() {
        let explained = page.explains(&message);
        let left = page.left.contains(&format!("`{case}`"));
        assert!(explained || left, "{case}: docs/errors.md does not know: {message}");
    }
}

#[test]
fn every_entry_on_the_page_is_a_message() {
    let messages = messages();
    for heading in page().headings {
        let known = messages.iter().any(|(_, message)| heading.matches(message));
        assert!(known, "no case in ui/fail gives: {}", heading.0);
    }
}

#[test]
fn every_case_left_to_the_compiler_is_one() {
    let page = page();
    let (messages, explained) = (messages(), |message: &str| page.explains(message));
    let cases =
        page.left.split('`').skip(1).step_by(2).filter(|name| !name.contains([' ', '#', ':']));
    for case in cases.filter(|name| messages.iter().any(|(case, _)| case == name)) {
        let mut own = messages.iter().filter(|(of, _)| of == case);
        assert!(own.any(|(_, message)| !explained(message)), "{case} has its entry on the page");
    }
}

#[test]
fn every_case_has_its_messages() {
    let folder = root().join("tests/ui/fail");
    let sources = fs::read_dir(folder).expect("the cases").map(|file| file.expect("a case").path());
    for source in sources.filter(|path| path.extension().is_some_and(|ext| ext == "rs")) {
        assert!(source.with_extension("stderr").exists(), "{}", source.display());
    }
}
