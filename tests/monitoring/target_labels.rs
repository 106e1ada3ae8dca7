//! Contract, H6: labels of targets tell deployments apart in all that is written.

use std::collections::BTreeSet;

use grpc_metrics_runtime::monitoring::Monitoring;
use grpc_metrics_runtime::prometheus::Registry;
use grpc_metrics_runtime::{Error, GrpcMetrics};
use promql_parser::parser::{Expr, LabelModifier};
use support::promql::{parsed, visit};

use crate::rules::{Rule, rules};
use crate::tools::Directory;
use crate::{LABELS, monitoring, monitoring_apart};

/// What each list of labels in an expression names. None is by what it leaves out.
fn lists(expr: &Expr) -> Vec<Vec<String>> {
    let mut lists = Vec::new();
    visit(expr, |part| {
        let list = match part {
            Expr::Aggregate(aggregate) => {
                match aggregate.modifier.as_ref().expect("a sum of all") {
                    LabelModifier::Include(labels) => Some(&labels.labels),
                    LabelModifier::Exclude(_) => panic!("without in {part}"),
                }
            }
            Expr::Binary(binary) => {
                let matching = binary.modifier.as_ref().and_then(|with| with.matching.as_ref());
                matching.map(|matching| match matching {
                    LabelModifier::Include(labels) => &labels.labels,
                    LabelModifier::Exclude(_) => panic!("ignoring in {part}"),
                })
            }
            _ => None,
        };
        lists.extend(list.cloned());
    });
    lists
}

#[test]
fn h6_every_rule_and_alert_keeps_deployments_apart() {
    let text = monitoring_apart("grpc_server").rules();
    let rules = rules(&text);
    let all = rules.iter().flat_map(|rule| lists(&parsed(&rule.expr))).collect::<Vec<_>>();
    assert!(all.len() > 40, "{all:?}");
    for labels in all {
        assert!(
            labels.starts_with(&["job", LABELS[0], LABELS[1]].map(str::to_owned)),
            "{labels:?}"
        );
    }
    // And says in its title which it is, for who reads no more.
    for alert in rules.iter().filter(|rule| !rule.is_recorded) {
        let (_, title) = alert.rest.split_once("summary: '").unwrap();
        let (title, more) = title.split_once('\n').unwrap();
        let told = "(namespace {{ $labels.namespace }}, cluster {{ $labels.cluster }})";
        assert!(title.contains(told), "{title}");
        assert_eq!(more.contains("(job"), more.contains("}}, namespace {{"), "{more}");
    }
}

/// As many rules under the same names, but for two that tell where a service was: the day before the labels were
/// given has them under another name, or each service would be gone.
#[test]
fn h6_labels_change_no_rule_s_name_but_two() {
    let text = [monitoring("grpc_server").rules(), monitoring_apart("grpc_server").rules()];
    let names = text.each_ref().map(|text| {
        let rules: Vec<Rule> = rules(text);
        rules.into_iter().map(|rule| rule.name).collect::<BTreeSet<_>>()
    });
    let [without, with] = &names;
    let new: Vec<_> = with.difference(without).collect();
    assert_eq!(
        new,
        [
            "grpc_server:namespace_cluster_instance_services:count",
            "grpc_server:namespace_cluster_service_instances:count"
        ]
    );
    assert_eq!(without.len(), with.len());
}

#[test]
fn h6_alertmanager_groups_and_keeps_back_within_a_deployment() {
    let config = monitoring_apart("grpc_server").alertmanager_config(None, None);
    let lists: Vec<_> = config
        .lines()
        .filter_map(|line| line.trim().split_once(": [job, "))
        .map(|(key, labels)| (key, labels.starts_with("'namespace', 'cluster', service")))
        .collect();
    let is_within = |key: &str| lists.iter().filter(|list| **list == (key, true)).count();
    assert_eq!((is_within("group_by"), is_within("equal")), (1, 5), "{lists:?}");
    assert_eq!(lists.len(), config.matches("equal:").count() + 1);
}

#[test]
fn h6_labels_that_are_given_again_replace_those_before() {
    let again = monitoring_apart("grpc_server").target_labels(["zone"]).unwrap();
    let once = monitoring("grpc_server").target_labels(["zone"]).unwrap();
    let none = once.clone().target_labels([""; 0]).unwrap();
    let files = |monitoring: &Monitoring| monitoring.files("shop", &["a:1"]);
    assert_eq!(files(&again), files(&once));
    assert_eq!(files(&none), files(&monitoring("grpc_server")));
    assert_ne!(files(&none), files(&once));
}

fn refused(labels: &[&str]) -> (String, String) {
    let builder = GrpcMetrics::builder().registry(&Registry::new()).const_label("region", "eu");
    let monitoring = builder.build().unwrap().monitoring();
    let error = monitoring.target_labels(labels.iter().copied()).unwrap_err();
    let said = error.to_string();
    let Error::InvalidTargetLabel { name, .. } = error else { panic!("{error:?}") };
    (name, said)
}

#[test]
fn h6_an_illegal_or_taken_label_is_an_error() {
    for (label, reason) in [
        ("", "not a valid label name"),
        ("1st", "not a valid label name"),
        ("with-dash", "not a valid label name"),
        ("with:colon", "not a valid label name"),
        ("größe", "not a valid label name"),
        ("a\", b", "not a valid label name"),
        ("__meta_kubernetes_namespace", "Prometheus reserves"),
        ("service", "label of the metrics themselves"),
        ("method", "label of the metrics themselves"),
        ("code", "label of the metrics themselves"),
        ("error", "label of the metrics themselves"),
        ("type", "label of the metrics themselves"),
        ("slo", "label of the metrics themselves"),
        ("le", "label of the metrics themselves"),
        ("job", "distinguishes deployments already"),
        ("instance", "identifies one process"),
        ("alertname", "label of the alerts themselves"),
        ("alertstate", "label of the alerts themselves"),
        ("severity", "label of the alerts themselves"),
        ("datasource", "variable of the dashboard itself"),
        ("id", "label of the dashboard's topology"),
        ("title", "label of the dashboard's topology"),
        ("source", "label of the dashboard's topology"),
        ("NaN", "PromQL"),
        ("inf", "PromQL"),
        ("without", "PromQL"),
        ("region", "constant label of the metrics"),
    ] {
        let (name, said) = refused(&["namespace", label]);
        assert_eq!(name, label);
        assert!(said.contains(reason) && said.contains(&format!("{label:?}")), "{said}");
    }
    let (name, said) = refused(&["namespace", "cluster", "namespace"]);
    assert!(name == "namespace" && said.contains("given twice"), "{said}");
}

/// Names that mean something to YAML, to queries or to the templates.
#[test]
#[ignore = "needs the promtool and amtool programs"]
fn h6_whatever_label_is_taken_the_programs_take_the_files() {
    let odd = [
        "null",
        "true",
        "no",
        "on",
        "by",
        "bool",
        "group_left",
        "offset",
        "and",
        "sum",
        "start",
        "_",
        "N1",
        "grpc_server_zone",
        "job_",
        "prefix",
        "identity",
        "services",
    ];
    let monitoring = monitoring("shop:grpc").target_labels(odd).unwrap();
    let directory = Directory::with("odd", &monitoring);
    let rules = ["check", "rules", "--lint=all", "--lint-fatal", "prometheus/rules.yml"];
    directory.run("promtool", &rules);
    directory.run("promtool", &["check", "config", "prometheus/prometheus.yml"]);
    directory.run("amtool", &["check-config", "alertmanager/alertmanager.yml"]);
    let text = monitoring.rules();
    for rule in self::rules(&text) {
        for list in lists(&parsed(&rule.expr)) {
            assert!(odd.iter().all(|label| list.iter().any(|listed| listed == label)), "{list:?}");
        }
    }
}
