//! What watches the metrics: rules, alerts and the configuration that goes with them, the dashboard, and
//! Prometheus itself.

mod alert;
mod branches;
mod committed;
#[path = "../dashboard/mod.rs"]
mod dashboard;
mod edges;
mod groups;
mod live;
mod mixins;
mod names;
mod namespaces;
mod namings;
mod programs;
#[path = "../prometheus.rs"]
mod prometheus;
mod relay;
mod rules;
// Not in the support library: there, it would be among the services of every test.
mod service;
mod stack;
mod target;
mod target_labels;
mod tools;

use grpc_metrics_runtime::monitoring::Monitoring;
use grpc_metrics_runtime::prometheus::Registry;
use grpc_metrics_runtime::{GrpcMetrics, Naming};

/// For metrics with this prefix.
fn monitoring(prefix: &str) -> Monitoring {
    let builder = GrpcMetrics::builder().registry(&Registry::new()).prefix(prefix);
    builder.build().expect("a legal prefix").monitoring()
}

/// The labels that tell deployments apart where a test sets some.
const LABELS: [&str; 2] = ["namespace", "cluster"];

/// The same, and for deployments that these labels tell apart.
fn monitoring_apart(prefix: &str) -> Monitoring {
    monitoring(prefix).target_labels(LABELS).expect("legal labels")
}

/// The namings that are not the default one.
const NAMINGS: [Naming; 3] = [Naming::GoGrpcPrometheus, Naming::OpenTelemetry, Naming::GrpcA66];

/// For metrics in this naming.
fn monitoring_in(naming: Naming) -> Monitoring {
    let builder = GrpcMetrics::builder().registry(&Registry::new()).naming(naming);
    builder.build().expect("a naming by itself").monitoring()
}
