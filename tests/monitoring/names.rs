//! The rules name what a scrape shows, and nothing else.

use std::collections::BTreeSet;

use support::scrape::Scrape;
use tonic::Code;

use crate::target::Target;

/// What Prometheus gives each series by itself.
const OF_PROMETHEUS: [&str; 2] = ["job", "instance"];

/// The words of the rules' expressions: names of metrics, labels, functions.
fn words(rules: &str) -> BTreeSet<&str> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    rules.split(|c| !is_part(c)).collect()
}

/// The labels in `by (…)` and `on (…)`.
fn labels(rules: &str) -> BTreeSet<&str> {
    let lists = ["by (", "on ("].into_iter().flat_map(|before| rules.split(before).skip(1));
    let lists = lists.filter_map(|rest| rest.split_once(')'));
    lists.flat_map(|(list, _)| list.split(", ")).collect()
}

#[tokio::test]
async fn every_name_in_the_rules_is_in_a_scrape_or_recorded() {
    for prefix in ["grpc_server", "shop:grpc"] {
        let mut target = Target::start(prefix).await;
        target.call(1, Code::Ok).await;
        let rules = target.monitoring.rules();
        let code: Vec<&str> = rules.lines().filter(|line| !line.trim().starts_with('#')).collect();
        let code = code.join("\n");
        let scrape = Scrape::of(&target.registry);

        let scraped: BTreeSet<&str> = scrape.series.keys().map(|(name, _)| name.as_str()).collect();
        let recorded: BTreeSet<&str> =
            code.lines().filter_map(|line| line.split_once("record: ")).map(|(_, n)| n).collect();
        let named = words(&code);
        let ours = |name: &&&str| name.starts_with(&format!("{prefix}_")) && !name.contains('-');
        let mut raw = 0;
        for name in named.iter().filter(ours) {
            assert!(scraped.contains(name), "{name} is in no scrape: {scraped:#?}");
            raw += 1;
        }
        assert!(raw >= 6, "{named:?}");
        for name in named.iter().filter(|name| name.starts_with(&format!("{prefix}:"))) {
            assert!(recorded.contains(name), "{name} is not recorded");
        }
        assert!(prefix == "grpc_server" || !rules.contains("grpc_server"));

        let known: BTreeSet<&str> = scrape
            .series
            .keys()
            .flat_map(|(_, labels)| labels.keys().map(String::as_str))
            .chain(OF_PROMETHEUS)
            .collect();
        for label in labels(&code) {
            assert!(known.contains(label), "{label} is no label: {known:?}");
        }
    }
}
