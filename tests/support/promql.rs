//! The names in Prometheus's expressions, and those that a scrape shows.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;

use promql_parser::label::{MatchOp, Matcher};
use promql_parser::parser::{self, Expr, VectorSelector};
use promql_parser::util::{ExprVisitor, walk_expr};

use crate::scrape::Scrape;

/// Prometheus gives these to every series that it scrapes.
const OF_THE_TARGET: [&str; 2] = ["job", "instance"];

/// By metric and label: the values.
#[derive(Clone, Debug)]
pub struct Known(pub BTreeMap<String, BTreeMap<String, BTreeSet<String>>>);

impl Known {
    /// What is scraped, and `up`.
    pub fn of(scrape: &Scrape) -> Self {
        let mut metrics = BTreeMap::<_, BTreeMap<_, BTreeSet<_>>>::new();
        for (name, labels) in scrape.series.keys() {
            let metric = metrics.entry(name.clone()).or_default();
            for (label, value) in labels {
                metric.entry(label.clone()).or_default().insert(value.clone());
            }
        }
        let mut known = Self(metrics);
        known.0.entry("up".to_owned()).or_default();
        for labels in known.0.values_mut() {
            labels.extend(OF_THE_TARGET.map(|label| (label.to_owned(), BTreeSet::new())));
        }
        known
    }

    /// Adds labels that Prometheus gives the target.
    pub fn add_target_labels(&mut self, added: &[&str]) {
        for labels in self.0.values_mut() {
            labels.extend(added.iter().map(|label| ((*label).to_owned(), BTreeSet::new())));
        }
    }

    /// Adds what a rule records.
    pub fn add(&mut self, metric: &str, labels: BTreeSet<String>) {
        let labels = labels.into_iter().map(|label| (label, BTreeSet::new()));
        self.0.insert(metric.to_owned(), labels.collect());
    }

    /// The metric, its labels and their values have to be known.
    pub fn check(&self, selector: &VectorSelector) {
        let metric = name(selector);
        let labels = self.0.get(metric).unwrap_or_else(|| panic!("nothing shows {metric}"));
        for matcher in &selector.matchers.matchers {
            let label = &matcher.name;
            let known =
                labels.get(label).unwrap_or_else(|| panic!("{metric} has no label {label}"));
            for value in spelled_out(matcher) {
                assert!(known.contains(value), "{metric} has no {label}={value:?}");
            }
        }
    }

    /// Every selector, and every label that is grouped or matched by. Labels that are in no list have to
    /// be the same on both sides of an operator, or it gives nothing.
    pub fn check_all(&self, expr: &Expr) {
        for selector in selectors(expr) {
            self.check(&selector);
        }
        visit(expr, |part| match part {
            Expr::Aggregate(aggregate) => {
                if let Some(by) = &aggregate.modifier {
                    self.check_labels(&by.labels().labels, &aggregate.expr);
                }
            }
            Expr::Binary(binary) => {
                let sides = [&*binary.lhs, &*binary.rhs];
                if let Some(on) = binary.modifier.as_ref().and_then(|with| with.matching.as_ref()) {
                    for side in sides {
                        self.check_labels(&on.labels().labels, side);
                    }
                } else if let [Some(left), Some(right)] = sides.map(|side| self.labels(side))
                    && binary.op.to_string() != "or"
                {
                    assert_eq!(left, right, "nothing matches in {part}");
                }
            }
            _ => {}
        });
    }

    fn check_labels(&self, named: &[String], of: &Expr) {
        let labels = self.labels(of).unwrap_or_default();
        for label in named {
            assert!(labels.contains(label), "nothing has the label {label} in {of}");
        }
    }

    /// The labels of what an expression gives; none for a number.
    pub fn labels(&self, expr: &Expr) -> Option<BTreeSet<String>> {
        let of_metric = |selector| {
            let labels = self.0.get(name(selector))?;
            Some(labels.keys().cloned().collect())
        };
        match expr {
            Expr::VectorSelector(selector) => of_metric(selector),
            Expr::MatrixSelector(matrix) => of_metric(&matrix.vs),
            Expr::Aggregate(aggregate) => {
                let by = aggregate.modifier.as_ref();
                Some(by.map(|by| by.labels().labels.iter().cloned().collect()).unwrap_or_default())
            }
            Expr::Binary(binary) => self.labels(&binary.lhs).or_else(|| self.labels(&binary.rhs)),
            Expr::Paren(inner) => self.labels(&inner.expr),
            Expr::Subquery(inner) => self.labels(&inner.expr),
            Expr::Unary(inner) => self.labels(&inner.expr),
            Expr::Call(call) => {
                let mut labels =
                    call.args.args.iter().find_map(|argument| self.labels(argument))?;
                match call.func.name {
                    "histogram_quantile" => {
                        labels.remove("le");
                    }
                    "label_replace" | "label_join" => {
                        if let Some(Expr::StringLiteral(added)) =
                            call.args.args.get(1).map(|it| &**it)
                        {
                            labels.insert(added.val.clone());
                        }
                    }
                    _ => {}
                }
                Some(labels)
            }
            _ => None,
        }
    }
}

pub fn parsed(text: &str) -> Expr {
    parser::parse(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

pub fn name(selector: &VectorSelector) -> &str {
    selector.name.as_deref().expect("a selector without a metric")
}

/// The values that a matcher names; none if it takes all.
pub fn spelled_out(matcher: &Matcher) -> Vec<&str> {
    // The last one is all services, with or without a method behind.
    let takes_all = [".+", ".*", "", "(.+)(/.+)?"].contains(&&*matcher.value);
    match matcher.op {
        _ if takes_all => Vec::new(),
        MatchOp::Equal | MatchOp::NotEqual => vec![&matcher.value],
        MatchOp::Re(_) | MatchOp::NotRe(_) => matcher.value.split('|').collect(),
    }
}

/// Calls `each` with all parts of an expression.
pub fn visit(expr: &Expr, each: impl FnMut(&Expr)) {
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

pub fn selectors(expr: &Expr) -> Vec<VectorSelector> {
    let mut selectors = Vec::new();
    visit(expr, |part| match part {
        Expr::VectorSelector(selector) => selectors.push(selector.clone()),
        Expr::MatrixSelector(matrix) => selectors.push(matrix.vs.clone()),
        _ => {}
    });
    selectors
}
