//! Every metric, label and label's value in a query is one that a scrape shows.

use std::collections::BTreeSet;

use promql_parser::parser::Expr;
use support::promql::{self, Known, name, selectors};

use super::queries::{ALL, queries, variable_queries};
use crate::service;

fn parsed(text: &str) -> Expr {
    promql::parsed(&ALL.put_into(text))
}

#[test]
fn every_query_parses() {
    for query in queries() {
        parsed(&query.expr);
    }
}

#[tokio::test]
async fn every_metric_and_label_is_in_a_scrape() {
    let known = Known::of(&service::after_traffic("grpc_server").await);
    let mut metrics = BTreeSet::new();
    for query in queries() {
        let expr = parsed(&query.expr);
        known.check_all(&expr);
        metrics.extend(selectors(&expr).iter().map(|selector| name(selector).to_owned()));
        let labels = known.labels(&expr).unwrap_or_default();
        for label in query.legend.split("{{").skip(1).filter_map(|rest| rest.split_once("}}")) {
            assert!(labels.contains(label.0), "{}: legend {}", query.name(), query.legend);
        }
    }
    for (selector, label) in variable_queries() {
        let expr = parsed(&selector);
        known.check_all(&expr);
        assert!(known.labels(&expr).unwrap().contains(&label), "{selector} has no {label}");
    }
    // And the other way round: what the runtime counts is shown.
    let shown = |family: &String| metrics.iter().any(|metric| metric.starts_with(&**family));
    let families = known.0.keys().filter(|metric| *metric != "up");
    let families: Vec<_> = families.map(|metric| family(metric)).collect();
    assert!(families.iter().all(shown), "{families:?} and {metrics:?}");
}

/// The metric less what a histogram adds to its parts.
fn family(metric: &str) -> String {
    let parts = ["_bucket", "_sum", "_count"].iter();
    parts.fold(metric.to_owned(), |name, part| name.strip_suffix(part).unwrap_or(&name).to_owned())
}
