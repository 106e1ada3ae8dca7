//! M1: the sizes of a client's messages, which only gRFC A66 has.

use std::collections::BTreeMap;
use std::future::{Ready, ready};
use std::task::{Context, Poll};

use grpc_metrics_runtime::prometheus::Registry;
use grpc_metrics_runtime::{GrpcMetrics, Naming};
use support::bed::{BedOf, Layered};
use support::clients::Kind;
use support::pb::measured::scripted_client::ScriptedClient;
use support::pb::{Reply, Script};
use support::ran_alone;
use support::scrape::Scrape;
use support::script::{fail, script, send};
use support::scripted::SERVICE;
use support::wait::until_eq;
use tokio_stream::iter;
use tonic::body::Body;
use tonic::transport::Channel;
use tonic::{Code, Request, Response, Status, Streaming};

use super::{busy, finished};

/// Counts or bytes by method, of RPCs with this code.
fn sizes(scrape: &Scrape, family: &str, code: &str) -> BTreeMap<String, f64> {
    let labels = [("grpc_status", code)];
    let series = scrape.with(family, &labels);
    let methods = series.map(|(labels, value)| (labels["grpc_method"].clone(), value));
    methods.filter(|(method, _)| method.starts_with(SERVICE)).collect()
}

/// Asserts that what one side has sent is what the other has received.
fn assert_agree(serving: &Scrape, calling: &Scrape) {
    for code in ["OK", "NOT_FOUND"] {
        for part in ["count", "sum"] {
            for (here, there) in [("sent", "rcvd"), ("rcvd", "sent")] {
                let name = |side, way| {
                    format!("grpc_{side}_{way}_total_compressed_message_size_bytes_{part}")
                };
                let ours = sizes(calling, &name("client_attempt", here), code);
                let theirs = sizes(serving, &name("server_call", there), code);
                assert_eq!(ours, theirs, "{code} {part} {here}");
                assert_eq!(ours.len(), 4, "{}", calling.text);
            }
        }
    }
    let sent = "grpc_client_attempt_sent_total_compressed_message_size_bytes_sum";
    assert!(sizes(calling, sent, "NOT_FOUND").values().all(|bytes| *bytes > 0.0));
}

#[tokio::test]
async fn m1_the_layer_counts_the_bytes_that_the_server_counts() {
    let scrape = busy(|builder| builder.naming(Naming::GrpcA66)).await.scrape();
    assert_agree(&scrape, &scrape);
}

async fn read(answer: Result<Response<Streaming<Reply>>, Status>) {
    if let Ok(answer) = answer {
        let mut stream = answer.into_inner();
        while let Ok(Some(_)) = stream.message().await {}
    }
}

async fn call(client: &mut ScriptedClient<Channel>, kind: Kind, script: Script) {
    let request = Request::new(script);
    match kind {
        Kind::Unary => drop(client.unary(request).await),
        Kind::Upload => drop(client.upload(request.map(|script| iter([script]))).await),
        Kind::Watch => read(client.watch(request).await).await,
        Kind::Chat => read(client.chat(request.map(|script| iter([script]))).await).await,
    }
}

/// The attribute counts in the process-wide instance.
#[tokio::test]
async fn m1_the_attribute_counts_the_bytes_that_the_server_counts() {
    if ran_alone!(m1_the_attribute_counts_the_bytes_that_the_server_counts) {
        return;
    }
    let registry = Registry::new();
    let builder = GrpcMetrics::builder().registry(&registry).naming(Naming::GrpcA66);
    builder.build().expect("right").install().expect("the first");
    let bed = BedOf::<Layered>::with(|builder| builder.naming(Naming::GrpcA66)).await;
    let mut client = ScriptedClient::new(bed.channel.clone());
    for kind in Kind::ALL {
        let stream = if kind.streams() { vec![send(), send()] } else { vec![] };
        for (code, n) in [(Code::Ok, 3), (Code::NotFound, 2)] {
            for _ in 0..n {
                let steps = if code == Code::Ok { vec![] } else { vec![fail(code)] };
                call(&mut client, kind, script(steps, stream.clone())).await;
            }
        }
    }
    until_eq(|| finished(&bed), 4 * 5).await;
    assert_agree(&bed.scrape(), &Scrape::of(&registry));

    // Nobody gets these, of which the second is not even sent, and they are calls all the same.
    let nobody = Channel::from_static("http://127.0.0.1:1").connect_lazy();
    call(&mut ScriptedClient::new(nobody), Kind::Unary, script([], [])).await;
    drop(ScriptedClient::new(Shut).unary(script([], [])).await);
    let scrape = Scrape::of(&registry);
    for code in ["UNAVAILABLE", "UNKNOWN"] {
        for family in ["duration_seconds", "sent_total_compressed_message_size_bytes"] {
            let family = format!("grpc_client_attempt_{family}_count");
            let count = sizes(&scrape, &family, code)[&format!("{SERVICE}/Unary")];
            assert_eq!(count.to_bits(), 1f64.to_bits(), "{family} {code}");
        }
    }
}

/// A channel that is never ready.
struct Shut;

impl tower::Service<http::Request<Body>> for Shut {
    type Response = http::Response<Body>;
    type Error = Status;
    type Future = Ready<Result<Self::Response, Status>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Status>> {
        Poll::Ready(Err(Status::unavailable("shut")))
    }

    fn call(&mut self, _: http::Request<Body>) -> Self::Future {
        ready(Err(Status::unavailable("shut")))
    }
}
