//! What the pages link to is there, from wherever they are read.

use crate::{read, root};

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

/// The other pages are read where they stand.
#[test]
fn the_other_pages_link_to_what_is_there() {
    let docs = root().join("docs");
    let docs = docs.read_dir().expect("docs").map(|file| file.expect("a file").path());
    let pages = docs.chain(["CONTRIBUTING.md", "BENCHMARKS.md"].map(|name| root().join(name)));
    for page in pages.filter(|path| path.extension().is_some_and(|extension| extension == "md")) {
        let folder = page.parent().expect("a folder");
        for target in targets(&read(&page)) {
            let file = target.split('#').next().unwrap_or_default();
            let is_path = !file.is_empty() && !file.contains("://") && !file.contains(' ');
            let exists = folder.join(file).exists();
            assert!(!is_path || exists, "{}: no {target}", page.display());
        }
    }
}
