//! The rules' groups: how large they are, and how often they are evaluated.

use crate::rules::rules;
use crate::{monitoring, monitoring_apart};

/// A group's name, its interval in minutes if it has one of its own, and its rules.
fn groups(rules: &str) -> Vec<(&str, Option<u32>, &str)> {
    rules
        .split("\n  - name: ")
        .skip(1)
        .map(|group| {
            let (name, rest) = group.split_once('\n').unwrap();
            let (head, rules) = rest.split_once("    rules:\n").unwrap();
            let interval = head.trim().strip_prefix("interval: ");
            let minutes = interval.map(|text| text.strip_suffix('m').unwrap().parse().unwrap());
            (name, minutes, rules)
        })
        .collect()
}

/// Each sums a value of each minute, up to three days of them. A group that is evaluated less often than every
/// two minutes leaves a gap if one evaluation fails, since Prometheus looks back five minutes.
#[test]
fn long_windows_are_not_reckoned_every_few_seconds() {
    let rules = monitoring("grpc_server").rules();
    let mut long = 0;
    for (name, minutes, rules) in groups(&rules) {
        let sums = rules.matches(":1m])").count();
        long += sums;
        assert_eq!(minutes.is_some(), sums > 0, "{name}");
        assert!(minutes.is_none_or(|minutes| (1..=2).contains(&minutes)), "{name}");
    }
    assert_eq!(long, 8);
}

/// What Mimir and Cortex take in one group if nobody has set it otherwise. Of a larger one they take nothing.
const MOST_RULES: usize = 20;

#[test]
fn h5_no_group_is_too_large_for_mimir_and_cortex() {
    for monitoring in [monitoring("grpc_server"), monitoring_apart("shop:grpc")] {
        let text = monitoring.rules();
        let mut all = 0;
        for (name, _, in_it) in groups(&text) {
            // In front of the first stands no other line.
            let count = rules(&format!("\n{in_it}")).len();
            assert!((1..=MOST_RULES).contains(&count), "{name} has {count} rules");
            all += count;
        }
        assert_eq!(all, rules(&text).len());
    }
}
