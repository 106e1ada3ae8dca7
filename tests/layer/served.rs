//! A layered server of the scripted service, and requests that no generated client sends.

use std::sync::Arc;

use bytes::Bytes;
use grpc_metrics_runtime::layer::ServerLayer;
use grpc_metrics_runtime::prometheus::Registry;
use grpc_metrics_runtime::{GrpcMetrics, GrpcMetricsBuilder};
use http_body_util::{BodyExt, Full};
use support::bed::{assert_consistent, own_metrics};
use support::clients::{self, Kind, Seen};
use support::faults::expect_panics;
use support::pb::Script;
use support::pb::scripted_server::ScriptedServer;
use support::scrape::Scrape;
use support::scripted::{SERVICE, Scripted};
use support::server::{Server, Stopped};
use support::stage::Stage;
use tokio::task::JoinHandle;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::body::Body;
use tonic::service::Routes;
use tonic::transport::Channel;
use tonic::{Code, Request};
use tower::ServiceExt;

#[derive(Debug)]
pub(crate) struct Served {
    pub(crate) registry: Registry,
    pub(crate) metrics: GrpcMetrics,
    pub(crate) stage: Stage,
    pub(crate) server: Server,
    pub(crate) channel: Channel,
}

/// The scripted service, with metrics of its own.
pub(crate) fn scripted(metrics: &GrpcMetrics, stage: &Stage) -> ScriptedServer<Scripted> {
    ScriptedServer::new(Scripted { metrics: metrics.clone(), stage: stage.clone() })
}

impl Served {
    /// Serves the routes that `routes` makes, under a layer that counts in the same instance as the service.
    pub(crate) async fn with(
        layer: impl FnOnce(ServerLayer) -> ServerLayer,
        routes: impl FnOnce(&GrpcMetrics, &Stage) -> Routes,
    ) -> Self {
        Self::set(|builder| builder, layer, routes).await
    }

    async fn set(
        settings: impl FnOnce(GrpcMetricsBuilder) -> GrpcMetricsBuilder,
        layer: impl FnOnce(ServerLayer) -> ServerLayer,
        routes: impl FnOnce(&GrpcMetrics, &Stage) -> Routes,
    ) -> Self {
        expect_panics();
        let (registry, metrics) = own_metrics(settings);
        let stage = Stage::default();
        let routes = routes(&metrics, &stage);
        let layer = layer(metrics.server_layer());
        let server = Server::start_layered(layer, routes).await;
        let channel = server.connect().await;
        Self { registry, metrics, stage, server, channel }
    }

    /// The scripted service, with a clock that stands still unless the test moves it.
    pub(crate) async fn timed(
        layer: impl FnOnce(ServerLayer) -> ServerLayer,
    ) -> (Self, Arc<quanta::Mock>) {
        let (clock, time) = quanta::Clock::mock();
        let routes = |metrics: &GrpcMetrics, stage: &Stage| Routes::new(scripted(metrics, stage));
        (Self::set(|builder| builder.clock(clock), layer, routes).await, time)
    }

    /// Serves the scripted service by `serve`, which puts the layer where it wants it.
    pub(crate) async fn by<S>(
        serve: impl FnOnce(ServerLayer, Routes, TcpListenerStream, Stopped) -> S + Send + 'static,
    ) -> Self
    where
        S: Future<Output = Result<(), tonic::transport::Error>> + Send,
    {
        expect_panics();
        let (registry, metrics) = own_metrics(|builder| builder);
        let stage = Stage::default();
        let routes = Routes::new(scripted(&metrics, &stage));
        let layer = metrics.server_layer();
        let serve = |incoming, stopped| serve(layer, routes, incoming, stopped);
        let server = Server::start_with(4, serve).await;
        let channel = server.connect().await;
        Self { registry, metrics, stage, server, channel }
    }

    pub(crate) async fn scripted() -> Self {
        Self::with(|layer| layer, |metrics, stage| Routes::new(scripted(metrics, stage))).await
    }

    /// Calls the unary method in a task of its own.
    pub(crate) fn spawn(&self, request: Request<Script>) -> JoinHandle<Seen> {
        let channel = self.channel.clone();
        tokio::spawn(async move { clients::call(&channel, Kind::Unary, request).await })
    }

    pub(crate) fn scrape(&self) -> Scrape {
        Scrape::of(&self.registry)
    }

    /// RPCs that ended so.
    pub(crate) fn requests(&self, service: &str, method: &str, code: Code) -> u64 {
        let snapshot = self.metrics.snapshot();
        snapshot.method(service, method).map_or(0, |method| method.requests(code))
    }

    /// RPCs of the scripted service that ended, by method and code.
    pub(crate) fn ended(&self) -> Vec<(&'static str, Code, u64)> {
        let snapshot = self.metrics.snapshot();
        let methods = snapshot.methods().iter().filter(|method| method.service() == SERVICE);
        let codes = methods.flat_map(|method| {
            let codes = (0..=16).map(Code::from);
            codes.map(|code| (method.method(), code, method.requests(code)))
        });
        codes.filter(|(.., count)| *count > 0).collect()
    }

    /// RPCs of all services that have started and not ended.
    pub(crate) fn in_flight(&self) -> u64 {
        let snapshot = self.metrics.snapshot();
        snapshot.methods().iter().map(|method| method.started() - method.finished()).sum()
    }

    /// Everything has ended, and the histograms agree.
    pub(crate) fn assert_settled(&self) {
        assert_consistent(&self.scrape());
        assert_eq!(self.in_flight(), 0);
    }

    /// Sends a request as it is, and gives the status that the wire has.
    pub(crate) async fn send(&self, path: &str, content_type: &str, body: Bytes) -> Option<Code> {
        let request = http::Request::post(format!("http://{}{path}", self.server.address()))
            .header("content-type", content_type)
            .header("te", "trailers")
            .body(Body::new(Full::new(body)))
            .expect("a legal request");
        let response = self.channel.clone().oneshot(request).await.expect("the server answers");
        let code = |headers: &http::HeaderMap| {
            headers.get("grpc-status").map(|status| Code::from_bytes(status.as_bytes()))
        };
        if let Some(code) = code(response.headers()) {
            return Some(code);
        }
        let body = response.into_body().collect().await.expect("a whole body");
        body.trailers().and_then(code)
    }

    /// The same, for gRPC.
    pub(crate) async fn send_grpc(&self, path: &str, message: &[u8]) -> Option<Code> {
        self.send(path, "application/grpc", framed(message)).await
    }
}

/// A message with its prefix.
pub(crate) fn framed(message: &[u8]) -> Bytes {
    let length = u32::try_from(message.len()).expect("a short message").to_be_bytes();
    [&[0][..], &length, message].concat().into()
}
