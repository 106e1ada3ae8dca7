//! What the pages link to is there, from wherever they are read.

use std::path::PathBuf;

use super::{read, root};

/// The workspace manifest's word for where the repository is.
fn repository() -> String {
    let manifest = read("Cargo.toml");
    let line = manifest.lines().find_map(|line| line.strip_prefix("repository = \""));
    line.and_then(|url| url.strip_suffix('"')).expect("the repository").to_owned()
}

/// The targets of a page's links and images: `[text](target)` and `[name]: target`.
fn targets(page: &str) -> Vec<String> {
    let inline = page.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
    let references = page.lines().filter_map(|line| line.strip_prefix('[')?.split_once("]: "));
    let targets = inline.map(|(target, _)| target).chain(references.map(|(_, target)| target));
    targets.map(str::to_owned).collect()
}

/// A registry's page and docs.rs show the README under another address, and resolve no path for it.
#[test]
fn the_readme_links_work_away_from_the_repository() {
    let readme = read("README.md");
    let repository = repository();
    let mut into_the_repository = 0;
    for target in targets(&readme) {
        if target.starts_with('#') {
            continue;
        }
        assert!(target.starts_with("https://"), "README.md: {target} is a path");
        let Some(path) = target.strip_prefix(&repository) else { continue };
        let file = path.strip_prefix("/blob/HEAD/").or_else(|| path.strip_prefix("/raw/HEAD/"));
        let file = file.unwrap_or_else(|| panic!("README.md: {target} is no file"));
        assert!(root().join(file).is_file(), "README.md: no {file}");
        into_the_repository += 1;
    }
    assert!(into_the_repository > 5, "only {into_the_repository} links");
}

#[test]
fn the_readme_defines_what_it_refers_to() {
    let readme = read("README.md");
    let text = readme.split("```").step_by(2).collect::<String>();
    for (name, rest) in text.split('[').skip(1).filter_map(|rest| rest.split_once(']')) {
        let defined = rest.starts_with(['(', '[']) || readme.contains(&format!("\n[{name}]: "));
        assert!(defined || !name.contains(".md"), "README.md: [{name}] leads nowhere");
    }
}

#[test]
fn the_crates_say_where_the_repository_is() {
    for name in ["grpc-metrics-macros", "grpc-metrics-runtime"] {
        let manifest = read(format!("{name}/Cargo.toml"));
        assert!(manifest.contains("\nrepository.workspace = true\n"), "{name}");
    }
}

/// The pages in `docs/`.
fn docs() -> Vec<PathBuf> {
    let docs = root().join("docs").read_dir().expect("docs");
    let pages = docs.map(|file| file.expect("a file").path());
    pages.filter(|path| path.extension().is_some_and(|extension| extension == "md")).collect()
}

/// The other pages are read in the repository, or on docs.rs as modules of `guide`.
#[test]
fn the_other_pages_link_to_what_is_there() {
    let others = ["CONTRIBUTING.md", "BENCHMARKS.md", "SECURITY.md"].map(|name| root().join(name));
    for page in docs().into_iter().chain(others) {
        let folder = page.parent().expect("a folder");
        for target in targets(&read(&page)) {
            let file = target.split('#').next().unwrap_or_default();
            let is_path = !file.is_empty() && !file.contains("://") && !file.contains(' ');
            let exists = folder.join(file).exists();
            assert!(!is_path || exists, "{}: no {target}", page.display());
        }
    }
}

/// A path to another page leads nowhere on docs.rs, so `guide.rs` gives each such link another target, by its name.
#[test]
fn the_guide_redefines_each_link_between_pages() {
    let guide = read("grpc-metrics-runtime/src/guide.rs");
    let mut links = 0;
    for page in docs() {
        let name = page.file_name().unwrap_or_default().to_string_lossy();
        assert!(guide.contains(&format!("\"{name}\")")), "guide.rs: no {name}");
        let text = read(&page);
        let is_path = |target: &str| !target.starts_with('#') && !target.contains("://");
        for (target, _) in text.split("](").skip(1).filter_map(|rest| rest.split_once(')')) {
            assert!(!is_path(target), "{name}: write [{target}] and define it at the end");
        }
        let definitions = text.lines().filter(|line| line.starts_with('['));
        for (label, target) in definitions.filter_map(|line| line.split_once("]: ")) {
            let redefined = guide.contains(&format!("/// {label}]: "));
            assert!(redefined || !is_path(target), "guide.rs: no {label}], which {name} defines");
            links += 1;
        }
    }
    assert!(links > 2, "only {links} links");
}

#[test]
fn the_sections_that_pages_link_to_are_there() {
    let mut links = 0;
    for page in docs().into_iter().chain([root().join("README.md")]) {
        let text = read(&page);
        let titles = text.lines().filter(|line| line.starts_with('#'));
        let titles = titles.map(|title| title.trim_start_matches('#').trim().to_lowercase());
        let sections: Vec<_> = titles.map(|title| title.replace(' ', "-")).collect();
        for target in targets(&text) {
            let Some(section) = target.strip_prefix('#') else { continue };
            let is_there = sections.iter().any(|title| title == section);
            assert!(is_there, "{}: no {target}", page.display());
            links += 1;
        }
    }
    assert!(links > 5, "only {links} links");
}
