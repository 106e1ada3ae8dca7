//! A service that has all that can be measured: every kind of method, errors of its own, objectives, under the server
//! layer. Beside it, one that calls others.

use grpc_metrics_runtime::{GrpcMetrics, GrpcMetricsBuilder, GrpcStatus, instrument_grpc};
use support::bed::own_metrics;
use support::scrape::Scrape;
use support::server::Server;
use support::shapes::pb::shapes_client::ShapesClient;
use support::shapes::pb::shapes_server::{Shapes, ShapesServer};
use support::shapes::pb::{Answer, Ask};
use support::shapes::{answers, last};
use tokio_stream::Iter;
use tonic::service::Routes;
use tonic::{Request, Response, Status, Streaming};

use crate::relay::Relay;

type Answers = Iter<std::vec::IntoIter<Result<Answer, Status>>>;

#[derive(Debug, thiserror::Error, GrpcStatus)]
enum AppError {
    #[error("no database")]
    #[status(Internal)]
    Db,
    #[error(transparent)]
    #[status(transparent)]
    Upstream(#[from] Status),
}

struct Service(GrpcMetrics);

#[instrument_grpc(metrics = self.0, slo(availability = 99.9, latency = "200ms", percentile = 95))]
#[tonic::async_trait]
impl Shapes for Service {
    async fn one(&self, _: Request<Ask>) -> Result<Response<Answer>, AppError> {
        Err(AppError::Db)
    }

    async fn upload(&self, asks: Request<Streaming<Ask>>) -> Result<Response<Answer>, AppError> {
        last(asks.into_inner()).await?;
        Ok(Response::new(Answer::default()))
    }

    type WatchStream = Answers;

    async fn watch(&self, ask: Request<Ask>) -> Result<Response<Self::WatchStream>, Status> {
        Ok(Response::new(tokio_stream::iter(answers(ask.into_inner()))))
    }

    type ChatStream = Answers;

    async fn chat(
        &self,
        asks: Request<Streaming<Ask>>,
    ) -> Result<Response<Self::ChatStream>, Status> {
        let ask = last(asks.into_inner()).await?;
        Ok(Response::new(tokio_stream::iter(answers(ask))))
    }
}

/// What a scrape of metrics with this prefix shows once each method was called.
pub(crate) async fn after_traffic(prefix: &str) -> Scrape {
    after_traffic_with(|builder| builder.prefix(prefix)).await
}

/// The same with other settings.
pub(crate) async fn after_traffic_with(
    settings: impl FnOnce(GrpcMetricsBuilder) -> GrpcMetricsBuilder,
) -> Scrape {
    let (registry, metrics) = own_metrics(settings);
    Relay::start(metrics.clone()).await.call().await;
    let layer = metrics.server_layer();
    let routes = Routes::new(ShapesServer::new(Service(metrics)));
    let server = Server::start_layered(layer, routes).await;
    let mut client = ShapesClient::new(server.connect().await);
    let ask = Ask { count: 2, ..Ask::default() };
    client.one(ask).await.unwrap_err();
    client.upload(tokio_stream::iter([ask])).await.unwrap();
    let mut answers = client.watch(ask).await.unwrap().into_inner();
    while answers.message().await.unwrap().is_some() {}
    let mut answers = client.chat(tokio_stream::iter([ask])).await.unwrap().into_inner();
    while answers.message().await.unwrap().is_some() {}
    Scrape::of(&registry)
}
