//! Section M of the contract: namings.

mod alone;
mod counts;
mod etcd;
mod families;
mod messages;
mod sizes;
mod together;

use std::collections::{BTreeMap, BTreeSet};

use grpc_metrics_runtime::{GrpcMetricsBuilder, Naming};
use support::bed::{BedOf, Layered};
use support::clients::Kind;
use support::pb::scripted_client::ScriptedClient;
use support::scrape::Scrape;
use support::script::{fail, panics, script, send};
use support::wait::until_eq;
use tonic::{Code, Request};
use tower::ServiceBuilder;

pub(crate) const NAMINGS: [Naming; 4] =
    [Naming::Default, Naming::GoGrpcPrometheus, Naming::OpenTelemetry, Naming::GrpcA66];

/// What clients call the server.
const TARGET: &str = "scripted:50051";

/// A bed on which RPCs of each kind have ended in each way, called by a measured client.
pub(crate) async fn busy(
    settings: impl FnOnce(GrpcMetricsBuilder) -> GrpcMetricsBuilder,
) -> BedOf<Layered> {
    let bed = BedOf::<Layered>::with(settings).await;
    let layer = bed.metrics.client_layer().target(TARGET);
    let client = ServiceBuilder::new().layer(layer).service(bed.channel.clone());
    let mut client = ScriptedClient::new(client);
    for kind in Kind::ALL {
        for (code, n) in [(Code::Ok, 3), (Code::NotFound, 2), (Code::Internal, 1)] {
            for _ in 0..n {
                let steps = if code == Code::Ok { vec![] } else { vec![fail(code)] };
                let stream = if kind.streams() { vec![send(), send()] } else { vec![] };
                let request = Request::new(script(steps, stream));
                match kind {
                    Kind::Unary => drop(client.unary(request).await),
                    Kind::Upload => {
                        let request = request.map(|script| tokio_stream::iter([script]));
                        drop(client.upload(request).await);
                    }
                    Kind::Watch => read(client.watch(request).await).await,
                    Kind::Chat => {
                        let request = request.map(|script| tokio_stream::iter([script]));
                        read(client.chat(request).await).await;
                    }
                }
            }
        }
    }
    let _ = bed.call(Kind::Unary, script([panics(1)], [])).await;
    // A client has its answer before the server's end of a stream.
    until_eq(|| finished(&bed), 4 * 6 + 1).await;
    bed
}

async fn read<M>(answer: Result<tonic::Response<tonic::Streaming<M>>, tonic::Status>) {
    if let Ok(answer) = answer {
        let mut stream = answer.into_inner();
        while let Ok(Some(_)) = stream.message().await {}
    }
}

fn finished<L: support::bed::Layering>(bed: &BedOf<L>) -> u64 {
    let snapshot = bed.metrics.snapshot();
    snapshot.methods().iter().map(grpc_metrics_runtime::MethodSnapshot::finished).sum()
}

/// The label names of each family of gRPC's, without `le`.
fn labels(scrape: &Scrape) -> BTreeMap<&str, BTreeSet<Vec<&str>>> {
    let of = |family: &str| {
        let parts = [family.to_owned(), format!("{family}_count")];
        let series = parts.iter().flat_map(|name| scrape.named(name));
        series.map(|(labels, _)| labels.keys().map(String::as_str).collect()).collect()
    };
    scrape.types.keys().map(|family| (family.as_str(), of(family))).collect()
}
