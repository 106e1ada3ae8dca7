//! The rules' own tests see each pair of windows: without it, promtool says so.

use crate::monitoring;
use crate::tools::Directory;

const ALERTS: [&str; 4] = [
    "GrpcServiceBudgetBurnsFast",
    "GrpcServiceBudgetBurnsSlowly",
    "GrpcMethodBudgetBurnsFast",
    "GrpcMethodBudgetBurnsSlowly",
];
const EXPR: &str = "expr: |\n";
const OR: &str = "          or\n";

/// The rules as they would be without one of an alert's two pairs of windows, and what was taken out.
fn without(rules: &str, alert: &str, pair: usize) -> (String, String) {
    let at = rules.find(&format!("- alert: {alert}\n")).expect(alert);
    let start = at + rules[at..].find(EXPR).unwrap() + EXPR.len();
    let end = start + rules[start..].find("        labels:").unwrap();
    let (first, second) = rules[start..end].split_once(OR).expect(alert);
    let (out, kept) = if pair == 0 { (first, second) } else { (second, first) };
    ([&rules[..start], kept, &rules[end..]].concat(), out.to_owned())
}

/// The head of the tests' file, and the cases that one pair sees alone.
fn cases(tests: &str) -> (String, Vec<String>) {
    let mut parts = tests.split("  - name: ");
    let head = parts.next().unwrap().to_owned();
    (head, parts.filter(|case| case.starts_with("only ")).map(str::to_owned).collect())
}

/// The case is named "only 5m and 1h see …".
fn is_of(case: &str, pair: &str) -> bool {
    let words: Vec<&str> = case.split(' ').collect();
    let has = |window| pair.contains(&format!("_slo_bad:ratio{window} "));
    has(words[1]) && has(words[3])
}

#[test]
#[ignore = "needs the promtool program"]
fn a_missing_pair_of_windows_is_seen() {
    let monitoring = monitoring("grpc_server");
    let (head, cases) = cases(&monitoring.rule_tests());
    assert_eq!(cases.len(), 4);
    let directory = Directory::new("branches");
    let run = |rules: &str, case: &str| {
        directory.write("rules.yml", rules);
        directory.write("rules_test.yml", &format!("{head}  - name: {case}"));
        directory.try_run("promtool", &["test", "rules", "rules_test.yml"])
    };
    let rules = monitoring.rules();
    for case in &cases {
        run(&rules, case).unwrap_or_else(|said| panic!("{said}"));
    }
    for alert in ALERTS {
        for pair in [0, 1] {
            let (wrong, out) = without(&rules, alert, pair);
            let case = cases.iter().find(|case| is_of(case, &out)).expect(&out);
            let said = run(&wrong, case).expect_err(&out);
            assert!(said.contains("got: "), "{said}");
            assert!(said.contains(alert), "{said}");
        }
    }
}
