//! The rules and the dashboard in other namings.

use grpc_metrics_runtime::monitoring::Monitoring;
use grpc_metrics_runtime::prometheus::Registry;
use grpc_metrics_runtime::{CodeLabel, Error, GrpcMetrics, GrpcMetricsBuilder, Naming};
use serde_json::Value;
use support::nova::Nova;
use support::prometheus::Prometheus;
use support::promql::{Known, parsed};
use support::wait::block_until;

use crate::dashboard::live::{CHOSEN, NOW, assert_as_chosen, over};
use crate::dashboard::queries::{ALL, list, panels_of, queries_of, text, variable_queries_of};
use crate::live::said;
use crate::names::read_by;
use crate::rules::rules;
use crate::{LABELS, NAMINGS, monitoring_in, service};

type Settings = fn(GrpcMetricsBuilder) -> GrpcMetricsBuilder;

/// The namings, and what is set alone or otherwise than by a naming.
const ALL_SETTINGS: [Settings; 8] = [
    |builder| builder,
    |builder| builder.naming(Naming::GoGrpcPrometheus),
    |builder| builder.naming(Naming::OpenTelemetry),
    |builder| builder.naming(Naming::GrpcA66).prefix("shop:grpc"),
    |builder| {
        let builder = builder.label_name("service", "svc").label_name("slo", "promise");
        let builder = builder.label_name("target", "upstream").label_name("error", "cause");
        builder.label_name("caller_service", "from").code_label(CodeLabel::CamelCase)
    },
    |builder| {
        let builder = builder.code_on_durations(true).type_on_all(true).full_method_names(true);
        builder.metric_name("requests_total", "handled_total")
    },
    |builder| builder.naming(Naming::GoGrpcPrometheus).full_method_names(true),
    |builder| builder.naming(Naming::OpenTelemetry).metric_name("requests_total", "ended_total"),
];

fn with(settings: Settings) -> Monitoring {
    let builder = settings(GrpcMetrics::builder().registry(&Registry::new()));
    builder.build().expect("settings that are right").monitoring()
}

fn dashboard_of(monitoring: &Monitoring) -> Value {
    serde_json::from_str(&monitoring.dashboard()).expect("no JSON")
}

#[tokio::test]
async fn m1_every_name_in_the_rules_is_in_a_scrape_of_the_naming() {
    for settings in ALL_SETTINGS {
        let mut known = Known::of(&service::after_traffic_with(settings).await);
        known.add_target_labels(&LABELS);
        let monitoring = with(settings).target_labels(LABELS).unwrap();
        let raw = read_by(&rules(&monitoring.rules()), &mut known);
        assert!(raw.len() >= 6, "{raw:?}");
    }
}

#[tokio::test]
async fn m1_every_name_on_the_dashboard_is_in_a_scrape_of_the_naming() {
    for settings in ALL_SETTINGS {
        let mut known = Known::of(&service::after_traffic_with(settings).await);
        known.add_target_labels(&LABELS);
        let dashboard = dashboard_of(&with(settings).target_labels(LABELS).unwrap());
        for query in queries_of(&dashboard) {
            let expr = parsed(&ALL.put_into(&query.expr));
            known.check_all(&expr);
            let labels = known.labels(&expr).unwrap_or_default();
            for label in query.legend.split("{{").skip(1).filter_map(|rest| rest.split_once("}}")) {
                assert!(labels.contains(label.0), "{}: {}", query.name(), query.legend);
            }
        }
        for (selector, label) in variable_queries_of(&dashboard) {
            let expr = parsed(&ALL.put_into(&selector));
            known.check_all(&expr);
            assert!(known.labels(&expr).unwrap().contains(&label), "{selector} has no {label}");
        }
        // A column is a label of the table's queries.
        let queries = queries_of(&dashboard);
        for panel in panels_of(&dashboard).iter().filter(|panel| panel["type"] == "table") {
            let title = text(&panel["title"]);
            let query = queries.iter().find(|query| query.panel == title).unwrap();
            let labels = known.labels(&parsed(&ALL.put_into(&query.expr))).unwrap();
            let organize =
                list(&panel["transformations"]).iter().find(|one| one["id"] == "organize");
            for names in ["indexByName", "renameByName"] {
                let columns = organize.unwrap()["options"][names].as_object().unwrap().keys();
                let columns = columns.filter(|column| !column.starts_with("Value #"));
                assert!(columns.clone().all(|column| labels.contains(column)), "{columns:?}");
                assert_eq!(columns.count(), labels.len(), "{title}: {labels:?}");
            }
        }
    }
}

/// A name that no query has would not be missed.
#[test]
fn m1_no_default_name_is_left() {
    let label = |name: &str| [format!("{name}="), format!("{name}!"), format!("\"{name}\": ")];
    for naming in NAMINGS {
        let monitoring = monitoring_in(naming).target_labels(LABELS).unwrap();
        let files = monitoring.files("nova", &["a:1"]);
        for file in &files {
            let gone = ["grpc_server_requests_total", "grpc_client_request", "request_duration"];
            for name in gone {
                assert!(!file.text.contains(name), "{naming:?}: {name} in {}", file.path);
            }
            if file.path.ends_with("docker-compose.yml") {
                continue;
            }
            // As whole words: matchers, columns and lists.
            for name in ["service", "method", "code"] {
                let listed = [
                    format!("({name}"),
                    format!(", {name},"),
                    format!(", {name})"),
                    format!("{{{name}}}"),
                ];
                let all = label(name).map(|form| format!(" {form}"));
                for form in all
                    .iter()
                    .chain(&listed)
                    .chain([&format!("{{{name}="), &format!("$labels.{name} ")])
                {
                    let found =
                        file.text.lines().find(|line| line.contains(form) && !line.contains("# "));
                    assert_eq!(found, None, "{naming:?}: {form} in {}", file.path);
                }
            }
        }
    }
}

#[test]
fn m1_the_full_method_is_named_once() {
    for (naming, method) in
        [(Naming::OpenTelemetry, "rpc_method"), (Naming::GrpcA66, "grpc_method")]
    {
        let monitoring = monitoring_in(naming);
        let rules = monitoring.rules();
        assert!(rules.contains(&format!("'Requests of {{{{ $labels.{method} }}}} do not end.'")));
        assert!(!rules.contains(" }}/{{ "), "{rules}");
        let queries = queries_of(&dashboard_of(&monitoring));
        let legends = queries.iter().map(|query| query.legend.as_str());
        let named = legends.filter(|legend| legend.contains(method));
        assert!(named.clone().count() >= 8);
        for legend in named {
            assert_eq!(legend.matches("{{").count(), 1, "{legend}");
        }
    }
}

/// They replace the names of the templates, which are in the default naming.
#[test]
fn m1_labels_of_either_naming_are_no_target_labels() {
    let refused = |naming, label: &str| match monitoring_in(naming).target_labels([label]) {
        Err(Error::InvalidTargetLabel { reason, .. }) => reason,
        other => panic!("{other:?}"),
    };
    for (naming, label) in [
        (Naming::GoGrpcPrometheus, "grpc_service"),
        (Naming::OpenTelemetry, "rpc_method"),
        (Naming::OpenTelemetry, "server_address"),
        (Naming::GrpcA66, "grpc_status"),
    ] {
        assert_eq!(refused(naming, label), "is a label of the metrics themselves");
    }
    for label in ["service", "method", "code"] {
        let reason = refused(Naming::OpenTelemetry, label);
        assert!(reason.contains("in the default naming"), "{reason}");
    }
    assert!(monitoring_in(Naming::Default).target_labels(["grpc_service"]).is_ok());
}

/// The real Prometheus scrapes Nova, which compares its metrics with its clients at the end.
fn everything_has_data(naming: Naming, option: &str) {
    let nova = Nova::start(&["--naming", option, "--fault-rate", "0.02"]);
    let monitoring = monitoring_in(naming);
    let rules_text = monitoring.rules();
    let prometheus =
        Prometheus::start_with(env!("CARGO_TARGET_TMPDIR"), &nova.metrics, &rules_text);
    let dashboard = dashboard_of(&monitoring);
    for (selector, label) in variable_queries_of(&dashboard) {
        let values = format!("group by ({label}) ({})", NOW.put_into(&selector));
        block_until(|| prometheus.query(&values), |found| !found.is_empty());
    }
    for query in queries_of(&dashboard) {
        for variables in [NOW, CHOSEN] {
            let expr = variables.put_into(&query.expr);
            println!("{}: {expr}", query.name());
            let found = block_until(
                || over(&prometheus.url, 5, &expr),
                |series| series.iter().any(|(_, values)| !values.is_empty()),
            );
            assert_as_chosen(&query, &variables, &found);
        }
    }
    let rules = rules(&rules_text);
    for rule in rules.iter().filter(|rule| rule.is_recorded) {
        let recorded = block_until(|| prometheus.query(&rule.name), |found| !found.is_empty());
        assert!(recorded.iter().all(|(_, value)| value.is_finite()), "{}", rule.name);
    }
    let said = said(&prometheus);
    assert_eq!(said.len(), rules.len());
    for rule in &rules {
        assert_eq!(said[&rule.name]["health"], "ok", "{}", said[&rule.name]);
    }
    assert_eq!(nova.interrupt(), Some(0), "{naming:?}");
}

#[test]
#[ignore = "needs the prometheus and promtool programs"]
fn m1_everything_has_data_in_the_naming_of_go_grpc_prometheus() {
    everything_has_data(Naming::GoGrpcPrometheus, "go-grpc-prometheus");
}

#[test]
#[ignore = "needs the prometheus and promtool programs"]
fn m1_everything_has_data_in_the_naming_of_opentelemetry() {
    everything_has_data(Naming::OpenTelemetry, "opentelemetry");
}

#[test]
#[ignore = "needs the prometheus and promtool programs"]
fn m1_everything_has_data_in_the_naming_of_grpc_a66() {
    everything_has_data(Naming::GrpcA66, "grpc-a66");
}
