//! Contract, M4: one label of the program's choice on requests, whose values are bounded.

mod formats;
mod places;
mod series;
mod surroundings;

use std::collections::BTreeMap;

use grpc_metrics_runtime::{GrpcMetrics, GrpcMetricsBuilder, metadata};
use support::bed::{BedOf, Layering, whole};
use support::clients::{Kind, Seen};
use support::pb::Script;
use support::scrape::Scrape;
use support::scripted::SERVICE;
use tonic::Request;

/// The metadata that has the label's value.
const KEY: &str = "x-client-name";

const REQUESTS: &str = "grpc_server_requests_total";
const DURATIONS: &str = "grpc_server_request_duration_seconds";

fn by_client(most: usize) -> impl FnOnce(GrpcMetricsBuilder) -> GrpcMetricsBuilder {
    move |builder| builder.label("client", metadata(KEY)).at_most(most)
}

/// A request of this client, if it says who it is.
fn request<T>(message: T, client: Option<&str>) -> Request<T> {
    let mut request = Request::new(message);
    if let Some(client) = client {
        let client = client.parse().expect("a legal value");
        request.metadata_mut().insert(KEY, client);
    }
    request
}

async fn call<L: Layering>(
    bed: &BedOf<L>,
    kind: Kind,
    script: Script,
    client: Option<&str>,
) -> Seen {
    bed.spawn_request(kind, request(script, client)).await.expect("no panic")
}

/// RPCs of the scripted service that have ended, by client.
fn requests(scrape: &Scrape, method: &str) -> BTreeMap<String, u64> {
    sums(scrape, REQUESTS, [SERVICE, method])
}

fn sums(scrape: &Scrape, name: &str, [service, method]: [&str; 2]) -> BTreeMap<String, u64> {
    let mut sums = BTreeMap::new();
    for (labels, value) in scrape.with(name, &[("service", service), ("method", method)]) {
        *sums.entry(labels["client"].clone()).or_default() += whole(value);
    }
    sums
}

fn counts<const N: usize>(expected: [(&str, u64); N]) -> BTreeMap<String, u64> {
    expected.into_iter().map(|(client, count)| (client.to_owned(), count)).collect()
}

/// The same as data.
fn snapshot_of(metrics: &GrpcMetrics, service: &str, method: &str) -> BTreeMap<String, u64> {
    let snapshot = metrics.snapshot();
    let mut sums = BTreeMap::new();
    let found = snapshot.method(service, method).expect("a known method");
    for (client, _, count) in found.requests_by_label() {
        *sums.entry(client.to_owned()).or_default() += count;
    }
    sums
}
