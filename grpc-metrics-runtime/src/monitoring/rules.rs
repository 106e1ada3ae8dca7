//! Prometheus rules, and their tests for promtool.

use tonic::Code;

use super::Metrics;
use super::target_labels::TargetLabels;
use super::template::fill;
use crate::catalog::Side;
use crate::export::{FamilyId, Schema};
use crate::grpc::ALL_CODES;
use crate::instance::Settings;

const HEAD: &str = include_str!("templates/rules/head.yml");
const EVENTS_SHORT: &str = include_str!("templates/rules/events_short.yml");
const EVENTS_LONG: &str = include_str!("templates/rules/events_long.yml");
const HOUR_HEAD: &str = include_str!("templates/rules/hour_head.yml");
const LONG_HEAD: &str = include_str!("templates/rules/long_head.yml");
const RATIOS: &str = include_str!("templates/rules/ratios.yml");
const BURN_HEAD: &str = include_str!("templates/rules/burn_head.yml");
const BURN: &str = include_str!("templates/rules/burn.yml");
const OVER: &str = include_str!("templates/rules/over.yml");
const PRESENCE: &str = include_str!("templates/rules/presence.yml");
const HANGS_HEAD: &str = include_str!("templates/rules/hangs_head.yml");
const HANGS: &str = include_str!("templates/rules/hangs.yml");
const DEPENDENCIES: &str = include_str!("templates/rules/dependencies.yml");
const TESTS: &str = include_str!("templates/rules_test.yml");
const TESTS_APART: &str = include_str!("templates/rules_test_apart.yml");
const TESTS_FIRST_DAY: &str = include_str!("templates/rules_test_first_day.yml");
const TESTS_DEPENDENCIES: &str = include_str!("templates/rules_test_dependencies.yml");
const TESTS_DEPENDENCIES_APART: &str = include_str!("templates/rules_test_dependencies_apart.yml");

/// The minimum number of bad requests in the long window for a budget alert, of requests in flight for a hang alert,
/// and of failed calls for a dependency alert.
const GATE: &str = "10";

/// Tolerates rounding: an objective that is met exactly must not alert, although 1 - 0.9 is less than 0.1 as an `f64`.
const SLACK: &str = "1.000001";

/// The window from which the long windows are summed.
const SHORTEST_WINDOW: &str = "5m";

/// Windows that are also computed from samples, in their own group.
const HOUR_WINDOWS: [&str; 2] = ["30m", "1h"];

/// Windows that are summed from the shortest: the group's name, its evaluation interval, and its windows.
const LONG_WINDOWS: [(&str, &str, [&str; 2]); 2] =
    [("hours", "1m", ["2h", "6h"]), ("days", "2m", ["1d", "3d"])];

/// A burn-rate alert with two pairs of windows. The burn rates are those of the Site Reliability Workbook, chapter 5:
/// they spend 2 %, 5 %, 10 % and 10 % of the 30-day budget.
struct Burn {
    severity: &'static str,
    /// The end of the alert's name.
    suffix: &'static str,
    what: &'static str,
    /// Short window, long window, factor.
    pairs: [(&'static str, &'static str, &'static str); 2],
}

const BURNS: [Burn; 2] = [
    Burn {
        severity: "page",
        suffix: "BudgetBurnsFast",
        what: "at this rate the 30-day budget is spent within days",
        pairs: [("5m", "1h", "14.4"), ("30m", "6h", "6")],
    },
    Burn {
        severity: "ticket",
        suffix: "BudgetBurnsSlowly",
        what: "at this rate the 30-day budget does not last",
        pairs: [("2h", "1d", "3"), ("6h", "3d", "1")],
    },
];

/// A level of aggregation. The service level covers methods with little traffic, each of which is below the gate. The
/// method level covers a method whose failures are lost in the service's sum.
struct Level {
    name: &'static str,
    /// The start of the alert's name.
    alert: &'static str,
    who: &'static str,
    /// The labels to aggregate by, in addition to those of the deployment and the objective.
    labels: &'static str,
    /// An expression for the ratio of requests that may be bad, by window.
    budget: &'static str,
    todo: &'static str,
    /// The advice if it hangs.
    todo_hangs: &'static str,
}

const LEVELS: [Level; 2] = [
    Level {
        name: "service",
        alert: "GrpcService",
        who: "{{ $labels.service }}",
        labels: "service",
        budget: "@prefix@:service_slo_budget:ratio@window@",
        todo: "On the dashboard, find the methods and codes affected, and when it began. If that was a \
               deployment, roll it back. If one dependency fails, continue there.",
        todo_hangs: "Check what all its methods need: the database, a lock, a pool.",
    },
    Level {
        name: "method",
        alert: "GrpcMethod",
        who: "{{ $labels.service }}/{{ $labels.method }}",
        labels: "service, method",
        budget: "(1 - @prefix@:method_slo_objective:max)",
        todo: "Other methods of the service may be healthy. Check what only this one uses, its errors \
               by code and cause, and what changed when it began.",
        todo_hangs: "Check what only its handler waits for: a lock, a pool, a call without a deadline.",
    },
];

/// The values that all templates share, by name. Families have the default names, which are translated in the end.
struct Common([(&'static str, String); 13]);

impl Common {
    fn new(metrics: &Metrics, labels: &TargetLabels) -> Self {
        let schema = Schema::new(&Settings::default());
        let name = |family| schema.family(family).name.clone();
        Self([
            ("prefix", metrics.prefix.clone()),
            ("duration", name(FamilyId::Duration)),
            ("in_flight", name(FamilyId::InFlight)),
            ("method_info", name(FamilyId::MethodInfo)),
            ("slo_events", name(FamilyId::SloEvents)),
            ("slo_bad_events", name(FamilyId::SloBadEvents)),
            ("slo_objective", name(FamilyId::SloObjective)),
            ("client_requests", schema.name_in_queries(Side::Client, FamilyId::Requests)),
            ("faults", metrics.fault_labels()),
            ("identity", labels.identity()),
            ("beside", labels.alert_text()),
            ("where", labels.title_suffix()),
            ("apart", labels.record_prefix()),
        ])
    }

    /// Fills a template with these values and its own.
    fn fill(&self, template: &str, own: &[(&str, &str)]) -> String {
        let common = self.0.each_ref().map(|(name, value)| (*name, value.as_str()));
        fill(template, &[&common, own].concat())
    }
}

pub(super) fn rules(metrics: &Metrics, labels: &TargetLabels) -> String {
    let common = Common::new(metrics, labels);
    let mut rules = common.fill(HEAD, &[]);
    let recorded = |events, window| {
        let values = [("window", window)];
        common.fill(events, &values) + &common.fill(RATIOS, &values)
    };
    rules += &recorded(EVENTS_SHORT, SHORTEST_WINDOW);
    rules += &common.fill(HOUR_HEAD, &[]);
    for window in HOUR_WINDOWS {
        rules += &recorded(EVENTS_SHORT, window);
    }
    for (name, interval, windows) in LONG_WINDOWS {
        rules += &common.fill(LONG_HEAD, &[("name", name), ("interval", interval)]);
        for window in windows {
            rules += &recorded(EVENTS_LONG, window);
        }
    }
    rules += &common.fill(BURN_HEAD, &[("slack", SLACK)]);
    for level in &LEVELS {
        for burn in &BURNS {
            rules += &alert(&common, level, burn);
        }
    }
    rules += &common.fill(PRESENCE, &[]);
    rules += HANGS_HEAD;
    for level in &LEVELS {
        rules += &hangs(&common, level);
    }
    rules += &common.fill(DEPENDENCIES, &[("gate", GATE), ("slack", SLACK)]);
    metrics.vocabulary.rules(&rules)
}

fn alert(common: &Common, level: &Level, burn: &Burn) -> String {
    let name = format!("{}{}", level.alert, burn.suffix);
    let [(short1, long1, factor1), (short2, long2, factor2)] = burn.pairs;
    let over = |window, factor| over(common, level, window, factor);
    common.fill(
        BURN,
        &[
            ("alert", &name),
            ("level", level.name),
            ("who", level.who),
            ("todo", level.todo),
            ("what", burn.what),
            ("severity", burn.severity),
            ("gate", GATE),
            ("over_short1", &over(short1, factor1)),
            ("over_long1", &over(long1, factor1)),
            ("long1", long1),
            ("over_short2", &over(short2, factor2)),
            ("over_long2", &over(long2, factor2)),
            ("long2", long2),
        ],
    )
}

/// Returns an expression that is true if the burn rate in one window is above `factor`.
fn over(common: &Common, level: &Level, window: &str, factor: &str) -> String {
    let budget = common.fill(level.budget, &[("window", window)]);
    let values = [
        ("level", level.name),
        ("window", window),
        ("factor", factor),
        ("slack", SLACK),
        ("budget", &budget),
    ];
    common.fill(OVER.trim_end(), &values)
}

fn hangs(common: &Common, level: &Level) -> String {
    let name = format!("{}Hangs", level.alert);
    let values = [
        ("alert", name.as_str()),
        ("who", level.who),
        ("labels", level.labels),
        ("todo", level.todo_hangs),
        ("gate", GATE),
    ];
    common.fill(HANGS, &values)
}

pub(super) fn rule_tests(metrics: &Metrics, labels: &TargetLabels) -> String {
    let common = Common::new(metrics, labels);
    // All labels have the value "here", except for one that may have "there".
    let target = |there: Option<&str>| {
        labels.append_to("job=\"nova\"", |label| {
            let value = if there == Some(label) { "there" } else { "here" };
            format!(", {label}=\"{value}\"")
        })
    };
    let here = target(None);
    let codes = codes_of_calls(metrics);
    let mut tests = common.fill(TESTS, &[("target", &here)]);
    if let Some(codes) = codes {
        let values = [&codes[..], &[("target", here.as_str())]].concat();
        tests += &common.fill(TESTS_DEPENDENCIES, &values);
    }
    for label in labels.iter() {
        let there = target(Some(label));
        let values = [("label", label), ("here", &here), ("there", &there)];
        tests += &common.fill(TESTS_APART, &values);
        if let Some(codes) = codes {
            tests += &common.fill(TESTS_DEPENDENCIES_APART, &[&codes[..], &values].concat());
        }
    }
    if !labels.is_empty() {
        tests += &common.fill(TESTS_FIRST_DAY, &[("here", &here)]);
    }
    metrics.vocabulary.rules(&tests)
}

/// Returns the labels of codes for tests of calls; `None` if no code is a fault, so that no call counts as failed.
fn codes_of_calls(metrics: &Metrics) -> Option<[(&'static str, &'static str); 3]> {
    let spell = |code| metrics.code_label.spell(code);
    let fault = metrics.faults.iter().next()?;
    let mut others = ALL_CODES.into_iter().filter(|code| !metrics.faults.contains(*code));
    // `OK` if all errors are faults.
    let other = others.rfind(|code| *code != Code::Ok).unwrap_or(Code::Ok);
    Some([("ok", spell(Code::Ok)), ("fault", spell(fault)), ("no_fault", spell(other))])
}
