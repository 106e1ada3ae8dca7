//! A service with objectives, its client, and its `/metrics`.

use std::future::IntoFuture as _;
use std::io;

use grpc_metrics_runtime::monitoring::Monitoring;
use grpc_metrics_runtime::prometheus::Registry;
use grpc_metrics_runtime::{GrpcMetrics, http, instrument_grpc};
use support::shapes::pb::plain_client::PlainClient;
use support::shapes::pb::plain_server::{Plain, PlainServer};
use support::shapes::pb::{Answer, Ask};
use support::shapes::{answer, serve};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tonic::service::Routes;
use tonic::transport::Channel;
use tonic::{Code, Request, Response, Status};

pub(crate) const SERVICE: &str = "monitored.Plain";

struct Monitored(GrpcMetrics);

#[instrument_grpc(
    service = SERVICE,
    metrics = self.0,
    slo(availability = 99.9, latency = "1h", percentile = 95)
)]
#[tonic::async_trait]
impl Plain for Monitored {
    async fn first(&self, ask: Request<Ask>) -> Result<Response<Answer>, Status> {
        answer(ask.into_inner()).map(Response::new)
    }

    async fn second(&self, ask: Request<Ask>) -> Result<Response<Answer>, Status> {
        answer(ask.into_inner()).map(Response::new)
    }
}

/// The service, running.
pub(crate) struct Target {
    pub(crate) monitoring: Monitoring,
    /// Host and port of `/metrics`.
    pub(crate) address: String,
    scrapes: JoinHandle<io::Result<()>>,
    client: PlainClient<Channel>,
}

impl Target {
    pub(crate) async fn start(prefix: &str) -> Self {
        let registry = Registry::new();
        let builder = GrpcMetrics::builder().registry(&registry).prefix(prefix);
        let metrics = builder.build().expect("a legal prefix");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address").to_string();
        let scrapes = tokio::spawn(http::serve_registry(listener, &registry).into_future());
        let monitoring = metrics.monitoring();
        let service = Routes::new(PlainServer::new(Monitored(metrics)));
        let client = PlainClient::new(serve(service).await);
        Self { monitoring, address, scrapes, client }
    }

    /// So many RPCs that end with this code.
    pub(crate) async fn call(&mut self, times: u32, code: Code) {
        for _ in 0..times {
            let answer = self.client.first(Ask { count: 1, code: code as i32 }).await;
            assert_eq!(answer.map_or_else(|status| status.code(), |_| Code::Ok), code);
        }
    }

    /// The same of its other method.
    pub(crate) async fn call_second(&mut self, times: u32, code: Code) {
        for _ in 0..times {
            let answer = self.client.second(Ask { count: 1, code: code as i32 }).await;
            assert_eq!(answer.map_or_else(|status| status.code(), |_| Code::Ok), code);
        }
    }

    /// From now on no scrape is answered.
    pub(crate) fn vanish(&self) {
        self.scrapes.abort();
    }
}
