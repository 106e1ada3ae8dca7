//! Every metric and label in a query is one that a scrape shows.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;

use promql_parser::label::MatchOp;
use promql_parser::parser::{self, Expr, VectorSelector};
use promql_parser::util::{ExprVisitor, walk_expr};
use support::scrape::Scrape;

use crate::queries::{ALL, queries, variable_queries};
use crate::service;

/// Prometheus gives these to every series that it scrapes.
const OF_THE_TARGET: [&str; 2] = ["job", "instance"];

/// By metric and label: the values.
struct Known(BTreeMap<String, BTreeMap<String, BTreeSet<String>>>);

impl Known {
    fn of(scrape: &Scrape) -> Self {
        let mut metrics = BTreeMap::<_, BTreeMap<_, BTreeSet<_>>>::new();
        for (name, labels) in scrape.series.keys() {
            let metric = metrics.entry(name.clone()).or_default();
            for (label, value) in labels {
                metric.entry(label.clone()).or_default().insert(value.clone());
            }
        }
        Self(metrics)
    }

    fn has_label(&self, metric: &str, label: &str) -> bool {
        let has = self.0.get(metric).is_some_and(|labels| labels.contains_key(label));
        has || OF_THE_TARGET.contains(&label)
    }

    fn check(&self, selector: &VectorSelector) {
        let metric = name(selector);
        let labels = self.0.get(metric).unwrap_or_else(|| panic!("no scrape shows {metric}"));
        for matcher in &selector.matchers.matchers {
            let label = &matcher.name;
            assert!(self.has_label(metric, label), "{metric} has no label {label}");
            // The codes are in two spellings, of which a program has one.
            let spelled_out = ![".+", ""].contains(&&*matcher.value) && label != "code";
            if spelled_out && matches!(matcher.op, MatchOp::Equal | MatchOp::Re(_)) {
                for value in matcher.value.split('|') {
                    assert!(labels[label].contains(value), "{metric} has no {label}={value:?}");
                }
            }
        }
    }
}

fn name(selector: &VectorSelector) -> &str {
    selector.name.as_deref().expect("a selector without a metric")
}

/// Calls `each` with all parts of an expression.
fn visit(expr: &Expr, each: impl FnMut(&Expr)) {
    struct Each<F>(F);
    impl<F: FnMut(&Expr)> ExprVisitor for Each<F> {
        type Error = Infallible;
        fn pre_visit(&mut self, expr: &Expr) -> Result<bool, Infallible> {
            (self.0)(expr);
            Ok(true)
        }
    }
    let _ = walk_expr(&mut Each(each), expr);
}

fn selectors(expr: &Expr) -> Vec<VectorSelector> {
    let mut selectors = Vec::new();
    visit(expr, |part| match part {
        Expr::VectorSelector(selector) => selectors.push(selector.clone()),
        Expr::MatrixSelector(matrix) => selectors.push(matrix.vs.clone()),
        _ => {}
    });
    selectors
}

/// Some metric in the expression has to have each of the labels.
fn check_labels(known: &Known, labels: &[String], of: &Expr) {
    let metrics = selectors(of);
    for label in labels {
        let has = |selector| known.has_label(name(selector), label);
        assert!(metrics.iter().any(has), "nothing has the label {label} in {of}");
    }
}

fn parsed(text: &str) -> Expr {
    parser::parse(&ALL.put_into(text)).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[test]
fn every_query_parses() {
    for query in queries() {
        parsed(&query.expr);
    }
}

#[tokio::test]
async fn every_metric_and_label_is_in_a_scrape() {
    let known = Known::of(&service::after_traffic().await);
    let mut metrics = BTreeSet::new();
    for query in queries() {
        let expr = parsed(&query.expr);
        let mut grouped = BTreeSet::new();
        for selector in selectors(&expr) {
            known.check(&selector);
            metrics.insert(name(&selector).to_owned());
        }
        visit(&expr, |part| match part {
            Expr::Aggregate(aggregate) => {
                if let Some(by) = &aggregate.modifier {
                    check_labels(&known, &by.labels().labels, &aggregate.expr);
                    grouped.extend(by.labels().labels.iter().cloned());
                }
            }
            Expr::Binary(binary) => {
                if let Some(on) = binary.modifier.as_ref().and_then(|with| with.matching.as_ref()) {
                    check_labels(&known, &on.labels().labels, &binary.lhs);
                    check_labels(&known, &on.labels().labels, &binary.rhs);
                }
            }
            _ => {}
        });
        for label in query.legend.split("{{").skip(1).filter_map(|rest| rest.split_once("}}")) {
            assert!(grouped.contains(label.0), "{}: legend {}", query.name(), query.legend);
        }
    }
    for (selector, label) in variable_queries() {
        let expr = parsed(&selector);
        known.check(&selectors(&expr)[0]);
        check_labels(&known, &[label], &expr);
    }
    // And the other way round: what the runtime counts is shown.
    let shown = |family: &String| metrics.iter().any(|metric| metric.starts_with(&**family));
    let families: Vec<_> = known.0.keys().map(|metric| family(metric)).collect();
    assert!(families.iter().all(shown), "{families:?} and {metrics:?}");
}

/// The metric less what a histogram adds to its parts.
fn family(metric: &str) -> String {
    let parts = ["_bucket", "_sum", "_count"].iter();
    parts.fold(metric.to_owned(), |name, part| name.strip_suffix(part).unwrap_or(&name).to_owned())
}
