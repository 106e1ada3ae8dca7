//! OpenMetrics read back, and held against the classic text.

use std::collections::{BTreeMap, BTreeSet};

use grpc_metrics_runtime::GrpcMetrics;
use support::scrape::{Labels, Scrape};

/// Series with the spelling of bounds evened out. A value that is NaN is equal to itself here.
pub(crate) type Values = BTreeMap<(String, Labels), u64>;

pub(crate) fn values(scrape: &Scrape) -> Values {
    let even = |labels: &Labels| {
        let mut labels = labels.clone();
        if let Some(le) = labels.get_mut("le") {
            *le = le.parse::<f64>().expect("a number").to_string();
        }
        labels
    };
    let series = scrape.series.iter();
    series.map(|((name, labels), value)| ((name.clone(), even(labels)), value.to_bits())).collect()
}

/// Reads the format; panics on what is not well-formed, and on names that clash.
pub(crate) fn parse(text: &str) -> Scrape {
    let (body, rest) = text.split_once("# EOF\n").expect("an end");
    assert_eq!(rest, "", "behind the end");
    let mut taken = BTreeSet::new();
    let mut allowed = Vec::new();
    for line in body.lines() {
        assert!(!line.is_empty(), "an empty line");
        if let Some(of_type) = line.strip_prefix("# TYPE ") {
            let (name, kind) = of_type.split_once(' ').expect(line);
            let suffixes: (&[&str], &[&str]) = match kind {
                "counter" => (&["_total"], &["", "_total", "_created"]),
                "histogram" => {
                    (&["_bucket", "_sum", "_count"], &["", "_bucket", "_sum", "_count", "_created"])
                }
                "gauge" | "unknown" => (&[""], &[""]),
                other => panic!("no type of ours: {other}"),
            };
            allowed = suffixes.0.iter().map(|suffix| format!("{name}{suffix}")).collect();
            for suffix in suffixes.1 {
                assert!(taken.insert(format!("{name}{suffix}")), "clash: {name}{suffix}");
            }
        } else if !line.starts_with("# HELP ") {
            let name = &line[..line.find(['{', ' ']).expect(line)];
            assert!(allowed.iter().any(|allowed| allowed == name), "in no family: {line}");
        }
    }
    // The classic text has neither exemplars nor fractions of seconds.
    let lines = body.lines().map(|line| {
        if line.starts_with('#') {
            return line.to_owned();
        }
        let at = line.rfind('}').map_or(0, |end| end + 1);
        let (name, numbers) = line.split_at(at);
        let mut words = numbers.split(' ');
        format!("{name}{} {}", words.next().expect(line), words.next().expect(line))
    });
    Scrape::parse(lines.collect::<Vec<_>>().join("\n"))
}

/// Both formats of a registry, at the same counts.
pub(crate) fn both(metrics: &GrpcMetrics) -> (String, String) {
    (metrics.encode().expect("text"), metrics.encode_openmetrics().expect("OpenMetrics"))
}

/// Without timestamps, which our reader of the classic text does not know.
pub(crate) fn classic(text: &str) -> Scrape {
    let lines = text.lines().map(|line| {
        let (before, last) = line.rsplit_once(' ').expect(line);
        let is_stamp = !line.starts_with('#')
            && before.rsplit_once(' ').is_some_and(|(_, value)| value.parse::<f64>().is_ok())
            && last.len() == 13;
        if is_stamp { before } else { line }
    });
    Scrape::parse(lines.collect::<Vec<_>>().join("\n"))
}

pub(crate) fn assert_same_series(metrics: &GrpcMetrics) -> Scrape {
    let (text, open) = both(metrics);
    let open = parse(&open);
    let (ours, theirs) = (values(&open), values(&classic(&text)));
    for (series, value) in &theirs {
        assert_eq!(ours.get(series), Some(value), "{series:?}");
    }
    assert_eq!(ours.len(), theirs.len());
    open
}
