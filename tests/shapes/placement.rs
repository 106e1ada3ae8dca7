//! E1 and E2: where the attribute stands, and what the arguments are called.

use std::pin::Pin;
use std::sync::Arc;

use grpc_metrics_runtime::instrument_grpc;
use support::shapes::pb::plain_server::{Plain, PlainServer};
use support::shapes::pb::shapes_server::{Shapes, ShapesServer};
use support::shapes::pb::{Answer, Ask};
use support::shapes::{answer, answers, arc, check_plain, check_shapes, last};
use tokio_stream::Stream;
use tonic::service::Routes;
use tonic::{Request, Response, Status, Streaming};

type Answers = Pin<Box<dyn Stream<Item = Result<Answer, Status>> + Send>>;

struct Above;

#[instrument_grpc(service = "e1.above")]
#[tonic::async_trait]
impl Shapes for Above {
    async fn one(&self, request: Request<Ask>) -> Result<Response<Answer>, Status> {
        Ok(Response::new(answer(request.into_inner())?))
    }

    async fn upload(&self, request: Request<Streaming<Ask>>) -> Result<Response<Answer>, Status> {
        let ask = last(request.into_inner()).await?;
        Ok(Response::new(answer(ask)?))
    }

    type WatchStream = Answers;
    async fn watch(&self, request: Request<Ask>) -> Result<Response<Self::WatchStream>, Status> {
        let answers = answers(request.into_inner());
        Ok(Response::new(Box::pin(tokio_stream::iter(answers))))
    }

    type ChatStream = Answers;
    async fn chat(
        &self,
        request: Request<Streaming<Ask>>,
    ) -> Result<Response<Self::ChatStream>, Status> {
        let answers = answers(last(request.into_inner()).await?);
        Ok(Response::new(Box::pin(tokio_stream::iter(answers))))
    }
}

#[tokio::test]
async fn e1_above_tonics_async_trait() {
    check_shapes(Routes::new(ShapesServer::new(Above)), "e1.above").await;
}

struct Below;

#[tonic::async_trait]
#[instrument_grpc(service = "e1.below")]
impl Shapes for Below {
    async fn one(&self, request: Request<Ask>) -> Result<Response<Answer>, Status> {
        Ok(Response::new(answer(request.into_inner())?))
    }

    async fn upload(&self, request: Request<Streaming<Ask>>) -> Result<Response<Answer>, Status> {
        let ask = last(request.into_inner()).await?;
        Ok(Response::new(answer(ask)?))
    }

    type WatchStream = Answers;
    async fn watch(&self, request: Request<Ask>) -> Result<Response<Self::WatchStream>, Status> {
        let answers = answers(request.into_inner());
        Ok(Response::new(Box::pin(tokio_stream::iter(answers))))
    }

    type ChatStream = Answers;
    async fn chat(
        &self,
        request: Request<Streaming<Ask>>,
    ) -> Result<Response<Self::ChatStream>, Status> {
        let answers = answers(last(request.into_inner()).await?);
        Ok(Response::new(Box::pin(tokio_stream::iter(answers))))
    }
}

#[tokio::test]
async fn e1_below_tonics_async_trait() {
    check_shapes(Routes::new(ShapesServer::new(Below)), "e1.below").await;
}

struct CrateAbove;

#[grpc_metrics_runtime::instrument_grpc(service = "e1.crate_above")]
#[async_trait::async_trait]
impl Plain for CrateAbove {
    async fn first(&self, request: Request<Ask>) -> Result<Response<Answer>, Status> {
        answer(request.into_inner()).map(Response::new)
    }

    async fn second(&self, request: Request<Ask>) -> Result<Response<Answer>, Status> {
        answer(request.into_inner()).map(Response::new)
    }
}

struct CrateBelow;

#[async_trait::async_trait]
#[grpc_metrics_runtime::instrument_grpc(service = "e1.crate_below")]
impl Plain for CrateBelow {
    async fn first(&self, request: Request<Ask>) -> Result<Response<Answer>, Status> {
        answer(request.into_inner()).map(Response::new)
    }

    async fn second(&self, request: Request<Ask>) -> Result<Response<Answer>, Status> {
        answer(request.into_inner()).map(Response::new)
    }
}

#[tokio::test]
async fn e1_the_async_trait_crate() {
    check_plain(Routes::new(PlainServer::new(CrateAbove)), "e1.crate_above").await;
    check_plain(Routes::new(PlainServer::new(CrateBelow)), "e1.crate_below").await;
}

mod bare {
    use async_trait::async_trait;

    use super::{Answer, Ask, Plain, Request, Response, Status, answer, instrument_grpc};

    pub(super) struct Above;

    #[instrument_grpc(service = "e1.bare_above")]
    #[async_trait]
    impl Plain for Above {
        async fn first(&self, request: Request<Ask>) -> Result<Response<Answer>, Status> {
            answer(request.into_inner()).map(Response::new)
        }

        async fn second(&self, request: Request<Ask>) -> Result<Response<Answer>, Status> {
            answer(request.into_inner()).map(Response::new)
        }
    }

    pub(super) struct Below;

    #[async_trait]
    #[instrument_grpc(service = "e1.bare_below")]
    impl Plain for Below {
        async fn first(&self, request: Request<Ask>) -> Result<Response<Answer>, Status> {
            answer(request.into_inner()).map(Response::new)
        }

        async fn second(&self, request: Request<Ask>) -> Result<Response<Answer>, Status> {
            answer(request.into_inner()).map(Response::new)
        }
    }
}

#[tokio::test]
async fn e1_a_bare_async_trait() {
    check_plain(Routes::new(PlainServer::new(bare::Above)), "e1.bare_above").await;
    check_plain(Routes::new(PlainServer::new(bare::Below)), "e1.bare_below").await;
}

/// Re-exports under other names, as a company's own crate may have them.
mod house {
    pub(super) use grpc_metrics_runtime::instrument_grpc as measured;
    pub(super) use tonic::async_trait as service;
}

struct Renamed;

#[house::measured(service = "e1.renamed")]
#[house::service]
impl Plain for Renamed {
    async fn first(&self, request: Request<Ask>) -> Result<Response<Answer>, Status> {
        answer(request.into_inner()).map(Response::new)
    }

    async fn second(&self, request: Request<Ask>) -> Result<Response<Answer>, Status> {
        answer(request.into_inner()).map(Response::new)
    }
}

#[tokio::test]
async fn e1_re_exported_under_other_names() {
    check_plain(Routes::new(PlainServer::new(Renamed)), "e1.renamed").await;
}

struct Between;

/// Documented above,
#[instrument_grpc(service = "e1.between")]
/// between,
#[allow(clippy::pedantic)]
#[cfg(not(any()))]
#[cfg_attr(any(), nonsense)]
#[tonic::async_trait]
#[cfg_attr(all(), doc = "below,")]
#[rustfmt::skip]
/// and last.
impl Plain for Between {
    async fn first(&self, request: Request<Ask>) -> Result<Response<Answer>, Status> {
        answer(request.into_inner()).map(Response::new)
    }

    async fn second(&self, request: Request<Ask>) -> Result<Response<Answer>, Status> {
        answer(request.into_inner()).map(Response::new)
    }
}

#[instrument_grpc(service = "e1.absent")]
#[cfg(any())]
#[tonic::async_trait]
impl Absent for Nowhere {
    async fn first(&self, request: Request<Ask>) -> Result<Response<Answer>, Status> {
        answer(request.into_inner()).map(Response::new)
    }
}

struct Conditional;

#[cfg_attr(all(), instrument_grpc(service = "e1.conditional"))]
#[cfg_attr(all(), tonic::async_trait)]
impl Plain for Conditional {
    async fn first(&self, request: Request<Ask>) -> Result<Response<Answer>, Status> {
        answer(request.into_inner()).map(Response::new)
    }

    async fn second(&self, request: Request<Ask>) -> Result<Response<Answer>, Status> {
        answer(request.into_inner()).map(Response::new)
    }
}

#[tokio::test]
async fn e1_other_attributes_in_between() {
    check_plain(Routes::new(PlainServer::new(Between)), "e1.between").await;
    check_plain(Routes::new(PlainServer::new(Conditional)), "e1.conditional").await;
}

struct ArcSelf {
    factor: u32,
}

#[instrument_grpc(service = "e2.arc")]
#[tonic::async_trait]
impl arc::shapes_server::Shapes for ArcSelf {
    async fn one(
        self: Arc<Self>,
        request: Request<arc::Ask>,
    ) -> Result<Response<arc::Answer>, Status> {
        let arc::Ask { count, code } = request.into_inner();
        let count = count * self.factor;
        let Answer { number } = answer(Ask { count, code })?;
        Ok(Response::new(arc::Answer { number }))
    }

    async fn upload(
        self: std::sync::Arc<Self>,
        request: Request<Streaming<arc::Ask>>,
    ) -> Result<Response<arc::Answer>, Status> {
        let mut asks = request.into_inner();
        let mut last = arc::Ask::default();
        while let Some(ask) = asks.message().await? {
            last = ask;
        }
        self.one(Request::new(last)).await
    }

    type WatchStream = Pin<Box<dyn Stream<Item = Result<arc::Answer, Status>> + Send>>;
    async fn watch(
        self: Arc<Self>,
        request: Request<arc::Ask>,
    ) -> tonic::Result<Response<Self::WatchStream>> {
        let arc::Ask { count, code } = request.into_inner();
        let answers = answers(Ask { count, code }).into_iter().map(move |answer| {
            answer.map(|Answer { number }| arc::Answer { number: number * self.factor })
        });
        Ok(Response::new(Box::pin(tokio_stream::iter(answers))))
    }

    type ChatStream = Self::WatchStream;
    async fn chat(
        self: Arc<Self>,
        request: Request<Streaming<arc::Ask>>,
    ) -> tonic::Result<Response<Self::ChatStream>> {
        let mut asks = request.into_inner();
        let mut last = arc::Ask::default();
        while let Some(ask) = asks.message().await? {
            last = ask;
        }
        let stream = self.watch(Request::new(last)).await?;
        Ok(stream.map(|stream| -> Self::ChatStream { Box::pin(stream) }))
    }
}

#[tokio::test]
async fn e2_arc_self() {
    use arc::shapes_server::{Shapes, ShapesServer};
    let service = Arc::new(ArcSelf { factor: 1 });
    let mut client = support::shapes::pb::shapes_client::ShapesClient::new(
        support::shapes::serve(Routes::new(ShapesServer::from_arc(service.clone()))).await,
    );
    let answer = client.one(Ask { count: 4, code: 0 }).await.map(Response::into_inner);
    assert_eq!(answer.map(|answer| answer.number).ok(), Some(4));
    let asks = tokio_stream::iter([Ask { count: 5, code: 0 }]);
    let answer = client.upload(asks).await.map(Response::into_inner);
    assert_eq!(answer.map(|answer| answer.number).ok(), Some(5));
    let stream = service.watch(Request::new(arc::Ask { count: 2, code: 5 })).await;
    drop(stream.map(Response::into_inner));
    // `upload` calls `one`, a method that is measured itself.
    assert_eq!(support::shapes::codes("e2.arc", "One"), [(tonic::Code::Ok, 2)]);
    assert_eq!(support::shapes::codes("e2.arc", "Upload"), [(tonic::Code::Ok, 1)]);
    assert_eq!(support::shapes::codes("e2.arc", "Watch"), [(tonic::Code::Cancelled, 1)]);
}

struct Named;

#[instrument_grpc(service = "e2.named")]
#[tonic::async_trait]
impl Shapes for Named {
    async fn one(&self, mut request: Request<Ask>) -> Result<Response<Answer>, Status> {
        request.get_mut().count += 0;
        answer(request.into_inner()).map(Response::new)
    }

    #[allow(clippy::used_underscore_binding)]
    async fn upload(&self, _request: Request<Streaming<Ask>>) -> Result<Response<Answer>, Status> {
        let ask = last(_request.into_inner()).await?;
        answer(ask).map(Response::new)
    }

    type WatchStream = Answers;
    async fn watch(&self, _: Request<Ask>) -> Result<Response<Self::WatchStream>, Status> {
        Ok(Response::new(Box::pin(tokio_stream::empty())))
    }

    type ChatStream = Answers;
    async fn chat(
        &self,
        r#in: Request<Streaming<Ask>>,
    ) -> Result<Response<Self::ChatStream>, Status> {
        drop(r#in);
        Ok(Response::new(Box::pin(tokio_stream::empty())))
    }
}

#[tokio::test]
async fn e2_arguments_of_any_name() {
    use support::shapes::{codes, pb::shapes_client::ShapesClient, serve};
    use tonic::Code;
    let mut client = ShapesClient::new(serve(Routes::new(ShapesServer::new(Named))).await);
    let ask = Ask { count: 1, code: 8 };
    assert!(client.one(ask).await.is_err());
    assert!(client.upload(tokio_stream::iter([ask])).await.is_err());
    let watch = client.watch(ask).await.map(Response::into_inner);
    assert!(matches!(watch.unwrap().message().await, Ok(None)));
    let chat = client.chat(tokio_stream::iter([ask])).await.map(Response::into_inner);
    assert!(matches!(chat.unwrap().message().await, Ok(None)));
    for (method, code) in [
        ("One", Code::ResourceExhausted),
        ("Upload", Code::ResourceExhausted),
        ("Watch", Code::Ok),
        ("Chat", Code::Ok),
    ] {
        assert_eq!(codes("e2.named", method), [(code, 1)], "{method}");
    }
}
