//! The Grafana dashboard.

use tonic::Code;

use super::Metrics;
use super::target_labels::TargetLabels;
use super::template::fill;
use crate::CodeLabel;
use crate::export::{FamilyId, Schema};
use crate::grpc::CodeSet;
use crate::instance::Settings;

/// The template is a complete dashboard for the values below, so it can be edited in Grafana and exported.
const TEMPLATE: &str = include_str!("dashboard.json");
const TEMPLATE_TITLE: &str = "(grpc_server)";
/// Has a hyphen, which no prefix has.
const TEMPLATE_UID: &str = "grpc-server";
/// The default codes.
const TEMPLATE_OK: &str = r#"code!=\"0\""#;
const TEMPLATE_FAULTS: &str = r#"code=~\"2|4|12|13|14|15\""#;
const TEMPLATE_FAULT_NAMES: &str =
    "UNKNOWN, DEADLINE_EXCEEDED, UNIMPLEMENTED, INTERNAL, UNAVAILABLE or DATA_LOSS";

/// The selector of deployments that differ by job only.
const TEMPLATE_SELECTOR: &str = r#"job=~\"$job\""#;
/// The first variable after those of target labels.
const TEMPLATE_VARIABLE: &str = "      {\n        \"name\": \"service\",\n";
/// The labels of a service, joined to the identity of a node.
const TEMPLATE_JOINED: &str = r#"\" \", \""#;
/// The order of a table's columns.
const TEMPLATE_INDEXES: &str = "            \"indexByName\": {\n";
const TEMPLATE_NAMES: &str = "            \"renameByName\": {\n";
const VARIABLE: &str = include_str!("templates/dashboard_variable.json");

/// Returns the dashboard of these metrics. The prefix consists of letters, digits, `_` and `:`.
pub(super) fn dashboard(metrics: &Metrics, labels: &TargetLabels) -> String {
    let Metrics { prefix, code_label, .. } = metrics;
    let faults = metrics.fault_labels();
    let dashboard = TEMPLATE
        .replace(TEMPLATE_OK, &format!(r#"code!=\"{}\""#, code_label.spell(Code::Ok)))
        .replace(TEMPLATE_FAULTS, &format!(r#"code=~\"{faults}\""#))
        .replace(TEMPLATE_FAULT_NAMES, &list_names(metrics.faults))
        .replace(TEMPLATE_TITLE, &format!("({prefix})"))
        .replace(TEMPLATE_UID, &uid(prefix));
    let dashboard =
        if labels.is_empty() { dashboard } else { with_target_labels(&dashboard, labels) };
    metrics.vocabulary.dashboard(&dashboard)
}

/// Adds the labels after the job in every selector and list of labels, and before the service in every legend and
/// table.
fn with_target_labels(dashboard: &str, labels: &TargetLabels) -> String {
    let list = labels.append_to("", |label| format!("{label}, "));
    let legend = labels.append_to("", |label| format!("{{{{{label}}}}} "));
    let joined = labels.append_to("", |label| format!(r#"{label}\", \""#));
    let renames =
        labels.append_to("", |label| format!("              \"{label}\": \"{label}\",\n"));
    let (variables, selector) = variables(labels);
    let apart = dashboard
        .replace(TEMPLATE_SELECTOR, &selector)
        .replace("(job, ", &format!("(job, {list}"))
        .replace("(service", &format!("({list}service"))
        .replace("{{service}}", &format!("{legend}{{{{service}}}}"))
        .replace(TEMPLATE_JOINED, &format!("{TEMPLATE_JOINED}{joined}"))
        .replace(TEMPLATE_NAMES, &format!("{TEMPLATE_NAMES}{renames}"))
        .replace(TEMPLATE_VARIABLE, &format!("{variables}{TEMPLATE_VARIABLE}"));
    prepend_columns(&apart, labels)
}

/// Returns the variables, each filtered by the ones before it, and the selector by all of them.
fn variables(labels: &TargetLabels) -> (String, String) {
    let schema = Schema::new(&Settings::default());
    let method_info = &schema.family(FamilyId::MethodInfo).name;
    let mut variables = String::new();
    let mut selector = TEMPLATE_SELECTOR.to_owned();
    for label in labels.iter() {
        let values = [("label", label), ("method_info", method_info), ("chosen", &selector)];
        variables += &fill(VARIABLE, &values);
        selector = format!(r#"{selector}, {label}=~\"${label}\""#);
    }
    (variables, selector)
}

/// Reorders the columns of tables: the labels first, then the others in their order.
fn prepend_columns(dashboard: &str, labels: &TargetLabels) -> String {
    let mut tables = dashboard.split(TEMPLATE_INDEXES);
    let head = tables.next().unwrap_or_default().to_owned();
    tables.fold(head, |dashboard, table| {
        let (indexes, rest) = table.split_once("\n            }").unwrap_or((table, ""));
        let there = indexes.lines().filter_map(|line| line.split('"').nth(1));
        let columns = labels.iter().chain(there).enumerate();
        let columns = columns.map(|(index, name)| format!("              \"{name}\": {index}"));
        let columns = columns.collect::<Vec<_>>().join(",\n");
        format!("{dashboard}{TEMPLATE_INDEXES}{columns}\n            }}{rest}")
    })
}

/// Returns the codes as "A, B or C".
fn list_names(codes: CodeSet) -> String {
    let names: Vec<_> = codes.iter().map(|code| CodeLabel::Name.spell(code)).collect();
    match names.split_last() {
        None => "none".to_owned(),
        Some((only, [])) => (*only).to_owned(),
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
    }
}

/// Returns the dashboard's uid. Different prefixes have different dashboards in one Grafana.
fn uid(prefix: &str) -> String {
    // Grafana accepts up to 40 letters, digits, `-` and `_`.
    let swapped = prefix.chars().map(|c| match c {
        '_' => '-',
        ':' => '_',
        c => c,
    });
    swapped.take(40).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::catalog::MethodKey;

    const TEMPLATE_PREFIX: &str = "grpc_server";

    fn of(settings: &Settings) -> String {
        let metrics = Metrics::new(settings, Arc::new(Schema::new(settings)));
        super::dashboard(&metrics, &TargetLabels::default())
    }

    fn dashboard(prefix: &str) -> String {
        of(&Settings { prefix: prefix.to_owned(), ..Settings::default() })
    }

    #[test]
    fn the_default_settings_give_the_template() {
        assert_eq!(dashboard(TEMPLATE_PREFIX), TEMPLATE);
    }

    #[test]
    fn h4_other_codes_replace_the_defaults_everywhere() {
        let dashboard = of(&Settings {
            fault_codes: CodeSet::from_iter([Code::NotFound]),
            code_label: CodeLabel::Name,
            ..Settings::default()
        });
        for (template, ours) in [
            (TEMPLATE_OK, r#"code!=\"OK\""#),
            (TEMPLATE_FAULTS, r#"code=~\"NOT_FOUND\""#),
            (TEMPLATE_FAULT_NAMES, "NOT_FOUND"),
        ] {
            assert!(TEMPLATE.contains(template) && !dashboard.contains(template), "{template}");
            assert!(dashboard.contains(ours), "{ours}");
        }
        // A matcher in another form would not be replaced.
        let matchers = [r#"code=\""#, r#"code=~\""#, r#"code!=\""#, r#"code!~\""#];
        let all: usize = matchers.iter().map(|form| TEMPLATE.matches(form).count()).sum();
        let ours = [TEMPLATE_OK, TEMPLATE_FAULTS];
        assert_eq!(all, ours.iter().map(|form| TEMPLATE.matches(form).count()).sum::<usize>());
    }

    #[test]
    fn h7_other_paths_are_named_as_in_the_metrics() {
        let MethodKey { service, method, .. } = MethodKey::OTHER;
        for (form, other) in [
            (r#"service=\""#, format!(r#"service=\"{service}\", method=\"{method}\""#)),
            (r#"service!=\""#, format!(r#"service!=\"{service}\""#)),
        ] {
            assert!(TEMPLATE.contains(&other), "{other}");
            assert_eq!(TEMPLATE.matches(form).count(), TEMPLATE.matches(&other).count());
        }
    }

    #[test]
    fn another_prefix_replaces_the_default_everywhere() {
        for prefix in ["shop:grpc", "a"] {
            let dashboard = dashboard(prefix);
            assert!(!dashboard.contains(TEMPLATE_PREFIX) && !dashboard.contains(TEMPLATE_UID));
            let times = |text: &str, name| text.matches(&format!("{name}_requests_total")).count();
            let client = format!("{prefix}_client");
            for (template, ours) in [(TEMPLATE_PREFIX, prefix), ("grpc_client", &client)] {
                assert!(times(TEMPLATE, template) > 0);
                assert_eq!(times(&dashboard, ours), times(TEMPLATE, template));
            }
        }
    }

    #[test]
    fn a_prefix_may_contain_the_default_one() {
        let twice = dashboard("my_grpc_server");
        assert!(twice.contains("\"uid\": \"my-grpc-server\""));
        assert!(twice.contains("(my_grpc_server_requests_total") && !twice.contains("my_my"));
    }

    #[test]
    fn a_uid_is_valid_in_grafana() {
        assert_eq!(uid("a_b:c9"), "a-b_c9");
        assert_eq!(uid(&"a".repeat(60)).len(), 40);
    }
}
