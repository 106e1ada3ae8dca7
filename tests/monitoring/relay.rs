//! A service that calls another one with clients that are measured, and its `/metrics`.

use std::future::IntoFuture as _;
use std::time::Duration;

use grpc_metrics_runtime::client::LayeredClient;
use grpc_metrics_runtime::{GrpcMetrics, http as metrics_http, instrument_grpc};
use support::bed::own_metrics;
use support::pb::Reply;
use support::pb::scripted_client::ScriptedClient;
use support::pb::scripted_server::ScriptedServer;
use support::script::{fail, script, send};
use support::scripted;
use support::server::Server;
use support::shapes::pb::plain_client::PlainClient;
use support::shapes::pb::plain_server::{Plain, PlainServer};
use support::shapes::pb::{Answer, Ask};
use tokio::net::TcpListener;
use tokio::time::{MissedTickBehavior, interval};
use tonic::body::Body;
use tonic::service::Routes;
use tonic::transport::Channel;
use tonic::{Code, Request, Response, Status, Streaming};
use tower::ServiceExt as _;

/// The codes that count as the server's fault by default.
const FAULTS: [Code; 6] = [
    Code::Unknown,
    Code::DeadlineExceeded,
    Code::Unimplemented,
    Code::Internal,
    Code::Unavailable,
    Code::DataLoss,
];

/// Calls the scripted service.
struct Relaying {
    metrics: GrpcMetrics,
    behind: LayeredClient<Channel>,
}

#[instrument_grpc(service = "testing.Relay", metrics = self.metrics)]
#[tonic::async_trait]
impl Plain for Relaying {
    /// Calls each method, also in vain for each fault, and a path that no client knows.
    async fn first(&self, _: Request<Ask>) -> Result<Response<Answer>, Status> {
        let mut client = ScriptedClient::new(self.behind.clone());
        client.unary(script([], [])).await?;
        for fault in FAULTS {
            client.unary(script([fail(fault)], [])).await.unwrap_err();
        }
        let scripts = || tokio_stream::iter([script([], [send()])]);
        client.upload(scripts()).await?;
        read(client.watch(script([], [send()])).await?).await?;
        read(client.chat(scripts()).await?).await?;
        let request = http::Request::post("http://behind/a/B").body(Body::empty()).unwrap();
        self.behind.clone().oneshot(request).await.map_err(Status::from_error)?;
        Ok(Response::new(Answer::default()))
    }

    async fn second(&self, _: Request<Ask>) -> Result<Response<Answer>, Status> {
        Ok(Response::new(Answer::default()))
    }
}

async fn read(replies: Response<Streaming<Reply>>) -> Result<(), Status> {
    let mut replies = replies.into_inner();
    while replies.message().await?.is_some() {}
    Ok(())
}

/// The service, running.
pub(crate) struct Relay {
    client: PlainClient<Channel>,
    _servers: [Server; 2],
}

impl Relay {
    /// Counts in `metrics`.
    pub(crate) async fn start(metrics: GrpcMetrics) -> Self {
        let behind = Routes::new(ScriptedServer::new(scripted::Plain::default()));
        let behind = Server::start(behind).await;
        let layered = tower::ServiceBuilder::new()
            .layer(metrics.client_layer())
            .service(behind.connect().await);
        let relaying = Relaying { metrics, behind: layered };
        let server = Server::start(Routes::new(PlainServer::new(relaying))).await;
        let client = PlainClient::new(server.connect().await);
        Self { client, _servers: [behind, server] }
    }

    /// Calls each method once.
    pub(crate) async fn call(&mut self) {
        self.client.first(Ask::default()).await.unwrap();
        self.client.second(Ask::default()).await.unwrap();
    }
}

/// Calls a relay until the test ends. Returns host and port of its `/metrics`.
pub(crate) async fn keep_calling() -> String {
    let (registry, metrics) = own_metrics(|builder| builder);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(metrics_http::serve_registry(listener, &registry).into_future());
    let mut relay = Relay::start(metrics).await;
    tokio::spawn(async move {
        let mut ticks = interval(Duration::from_millis(50));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            relay.call().await;
        }
    });
    address
}
