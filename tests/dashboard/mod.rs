//! The Grafana dashboard: its form, the names in its queries, and what its queries answer.

mod answers;
mod clients;
mod exemplars;
mod form;
mod layer;
pub(crate) mod live;
mod names;
mod namings;
pub(crate) mod queries;
mod round_trip;
mod target_labels;
mod topology;

/// For the default prefix; the runtime puts another one in.
const DASHBOARD: &str = include_str!("../../grpc-metrics-runtime/src/monitoring/dashboard.json");

fn dashboard() -> serde_json::Value {
    serde_json::from_str(DASHBOARD).expect("no JSON")
}
