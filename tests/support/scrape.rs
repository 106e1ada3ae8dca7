//! The Prometheus text of a registry, read back.

use std::collections::{BTreeMap, BTreeSet};

use grpc_metrics_runtime::prometheus::{Registry, TextEncoder};

/// A series' labels.
pub type Labels = BTreeMap<String, String>;

/// What a scrape shows.
#[derive(Clone, Debug, PartialEq)]
pub struct Scrape {
    pub text: String,
    /// By family: its type.
    pub types: BTreeMap<String, String>,
    /// By name and labels. That of a histogram is one of its parts'.
    pub series: BTreeMap<(String, Labels), f64>,
}

/// What users see of `registry`.
pub fn text(registry: &Registry) -> String {
    TextEncoder::new().encode_to_string(&registry.gather()).unwrap()
}

impl Scrape {
    pub fn of(registry: &Registry) -> Self {
        Self::parse(text(registry))
    }

    /// Reads the text format; panics on what is not well-formed.
    pub fn parse(text: String) -> Self {
        let mut types = BTreeMap::new();
        let mut series = BTreeMap::new();
        for line in text.lines().filter(|line| !line.is_empty()) {
            if let Some(comment) = line.strip_prefix("# ") {
                if let Some((name, kind)) =
                    comment.strip_prefix("TYPE ").and_then(|r| r.split_once(' '))
                {
                    let before = types.insert(name.to_owned(), kind.to_owned());
                    assert_eq!(before, None, "family {name} twice");
                }
                continue;
            }
            let (name, labels, value) = parse_sample(line);
            let before = series.insert((name, labels), value);
            assert_eq!(before, None, "series twice: {line}");
        }
        Self { text, types, series }
    }

    /// The series of this name.
    pub fn named<'a>(&'a self, name: &str) -> impl Iterator<Item = (&'a Labels, f64)> {
        let named = self.series.iter().filter(move |((of, _), _)| of == name);
        named.map(|((_, labels), value)| (labels, *value))
    }

    /// The series of this name that have these labels among theirs.
    pub fn with<'a>(
        &'a self,
        name: &str,
        labels: &[(&str, &str)],
    ) -> impl Iterator<Item = (&'a Labels, f64)> {
        let has = |of: &Labels| {
            labels.iter().all(|(key, value)| of.get(*key).is_some_and(|is| is == value))
        };
        self.named(name).filter(move |(of, _)| has(of))
    }

    /// The one series of this name with these labels among its own.
    pub fn value(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let mut with = self.with(name, labels);
        let value = with.next().map(|(_, value)| value);
        assert_eq!(with.next(), None, "more than one {name} with {labels:?}");
        value
    }

    /// All values that a label has in the series of this name.
    pub fn label_values(&self, name: &str, label: &str) -> BTreeSet<&str> {
        self.named(name).filter_map(|(labels, _)| labels.get(label).map(String::as_str)).collect()
    }

    /// The label names of the series of this name.
    pub fn label_names(&self, name: &str) -> BTreeSet<Vec<&str>> {
        self.named(name).map(|(labels, _)| labels.keys().map(String::as_str).collect()).collect()
    }
}

fn parse_sample(line: &str) -> (String, Labels, f64) {
    let name_end = line.find(['{', ' ']).expect(line);
    let (name, mut rest) = line.split_at(name_end);
    let mut labels = Labels::new();
    if let Some(inside) = rest.strip_prefix('{') {
        rest = inside;
        while !rest.starts_with('}') {
            let (label, after) = rest.split_once("=\"").expect(line);
            let (value, after) = parse_quoted(after);
            assert_eq!(labels.insert(label.to_owned(), value), None, "{line}");
            rest = after.strip_prefix(',').unwrap_or(after);
        }
        rest = &rest[1..];
    }
    (name.to_owned(), labels, rest.trim().parse().expect(line))
}

/// A label's value up to its closing quote, and what is behind it.
fn parse_quoted(text: &str) -> (String, &str) {
    let mut value = String::new();
    let mut chars = text.chars();
    loop {
        match chars.next().expect("a closing quote") {
            '"' => return (value, chars.as_str()),
            '\\' => value.push(match chars.next() {
                Some('n') => '\n',
                Some(escaped @ ('"' | '\\')) => escaped,
                other => panic!("no such escape: {other:?}"),
            }),
            other => value.push(other),
        }
    }
}
