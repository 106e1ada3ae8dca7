//! Whose headers count: under the server layer, in handlers that call others, and with guards.

use grpc_metrics_runtime::{GrpcMetrics, RequestGuard};
use support::bed::own_metrics;
use support::clients::{self, Kind};
use support::pb::scripted_server::ScriptedServer;
use support::scrape::Scrape;
use support::script::script;
use support::scripted::{SERVICE, Scripted};
use support::server::Server;
use support::stage::Stage;
use support::wait::until_eq;
use tonic::service::{InterceptorLayer, LayerExt, Routes};
use tonic::{Code, Request, Status};
use tower::ServiceBuilder;

use super::{KEY, REQUESTS, by_client, counts, request, requests, snapshot_of, sums};

fn service(metrics: &GrpcMetrics) -> ScriptedServer<Scripted> {
    ScriptedServer::new(Scripted { metrics: metrics.clone(), stage: Stage::default() })
}

/// Calls the routes under the layer of these metrics, once as each client.
async fn call_layered(metrics: &GrpcMetrics, routes: Routes, called: &[Option<&str>]) {
    let server = Server::start_layered(metrics.server_layer(), routes).await;
    let channel = server.connect().await;
    for client in called {
        let request = request(script([], []), *client);
        assert_eq!(clients::call(&channel, Kind::Unary, request).await.code(), Code::Ok);
    }
    let in_flight = || {
        let snapshot = metrics.snapshot();
        snapshot.methods().iter().map(|method| method.started() - method.finished()).sum::<u64>()
    };
    until_eq(in_flight, 0).await;
}

#[tokio::test]
async fn m4_the_layers_headers_count_whatever_the_handler_gets() {
    let (registry, metrics) = own_metrics(by_client(5));
    let change = |mut request: Request<()>| -> Result<Request<()>, Status> {
        let metadata = request.metadata_mut();
        match metadata.remove(KEY) {
            // In its place.
            Some(_) => drop(metadata.insert(KEY, "changed".parse().expect("a legal value"))),
            None => drop(metadata.insert(KEY, "added".parse().expect("a legal value"))),
        }
        request.extensions_mut().clear();
        Ok(request)
    };
    let layer = ServiceBuilder::new().layer(InterceptorLayer::new(change)).into_inner();
    let routes = Routes::new(layer.named_layer(service(&metrics)));
    call_layered(&metrics, routes, &[Some("a"), None]).await;
    assert_eq!(requests(&Scrape::of(&registry), "Unary"), counts([("", 1), ("a", 1)]));
}

/// Values are numbered by each instance, so one's number is another value elsewhere.
#[tokio::test]
async fn m4_a_handler_that_counts_elsewhere_has_its_own_instances_values() {
    let (_layers, of_layer) = own_metrics(by_client(5));
    let (handlers, of_handler) = own_metrics(by_client(2));
    let guard = |client: &str| {
        let request = request((), Some(client));
        let guard = RequestGuard::builder("a.Service", "Method").metrics(&of_layer);
        guard.request(&request).start().complete(Code::Ok);
    };
    // The layer's instance has seen others before.
    ["x", "y", "c"].into_iter().for_each(guard);
    let routes = Routes::new(service(&of_handler));
    let called = [Some("a"), Some("b"), Some("c"), None, Some("b")];
    call_layered(&of_layer, routes, &called).await;
    let expected = counts([("", 1), ("a", 1), ("b", 2), ("other", 1)]);
    until_eq(|| requests(&Scrape::of(&handlers), "Unary"), expected).await;
    assert_eq!(snapshot_of(&of_layer, SERVICE, "Unary"), counts([]));
    let guarded = snapshot_of(&of_layer, "a.Service", "Method");
    assert_eq!(guarded, counts([("c", 1), ("x", 1), ("y", 1)]));
}

#[tokio::test]
async fn m4_of_layer_and_handler_the_one_that_counts_may_have_no_label() {
    let (_labelled, labelled) = own_metrics(by_client(5));
    let (plain_registry, plain) = own_metrics(|builder| builder);
    // The layer has one and the handler has none, and the other way round.
    call_layered(&labelled, Routes::new(service(&plain)), &[Some("a"), None]).await;
    let labels = [("service", SERVICE), ("method", "Unary"), ("code", "0")];
    let counted = || Scrape::of(&plain_registry).value("grpc_server_requests_total", &labels);
    until_eq(counted, Some(2.0)).await;
    call_layered(&plain, Routes::new(service(&labelled)), &[Some("a"), None]).await;
    let by_client = || snapshot_of(&labelled, SERVICE, "Unary");
    until_eq(by_client, counts([("", 1), ("a", 1)])).await;
}

#[tokio::test]
async fn m4_requests_that_reach_no_handler_have_it_under_the_layer() {
    let (registry, metrics) = own_metrics(by_client(5));
    let server =
        Server::start_layered(metrics.server_layer(), Routes::new(service(&metrics))).await;
    let mut grpc = tonic::client::Grpc::new(server.connect().await);
    grpc.ready().await.expect("it is connected");
    let path = http::uri::PathAndQuery::from_static("/no.Service/Method");
    let codec = tonic_prost::ProstCodec::<support::pb::Script, support::pb::Reply>::default();
    let answer = grpc.unary(request(script([], []), Some("a")), path, codec).await;
    assert_eq!(answer.expect_err("there is no such method").code(), Code::Unimplemented);
    let of_other = || sums(&Scrape::of(&registry), REQUESTS, ["other", "other"]);
    until_eq(of_other, counts([("", 0), ("a", 1)])).await;
}

#[test]
fn m4_a_guard_has_the_value_of_its_request_or_metadata() {
    let (registry, metrics) = own_metrics(by_client(5));
    let builder = || RequestGuard::builder("a.Service", "Method").metrics(&metrics);
    builder().request(&request((), Some("a"))).start().complete(Code::Ok);
    builder().metadata(request((), Some("b")).metadata()).start().complete(Code::NotFound);
    drop(builder().request(&request((), Some("c"))).start());
    builder().start().complete(Code::Ok);
    let expected = counts([("", 1), ("a", 1), ("b", 1), ("c", 1)]);
    assert_eq!(sums(&Scrape::of(&registry), REQUESTS, ["a.Service", "Method"]), expected);
}
