//! E9: attributes on methods keep their meaning.

use std::fmt::{Debug, Write};
use std::sync::{Arc, Mutex};

use grpc_metrics_runtime::{GrpcMetrics, instrument_grpc};
use support::shapes::pb::plain_server::Plain;
use support::shapes::pb::shapes_server::Shapes;
use support::shapes::pb::{Answer, Ask};
use support::shapes::{answer, answers, arc, codes, last};
use tokio_stream::StreamExt;
use tonic::{Code, Request, Response, Status, Streaming};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// Writes down spans and events, each with the span it is in.
#[derive(Clone, Default)]
struct Recorder(Arc<Mutex<Recorded>>);

#[derive(Default)]
struct Recorded {
    names: Vec<&'static str>,
    entered: Vec<usize>,
    lines: Vec<String>,
}

struct Fields(String);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, " {field}={value:?}").unwrap();
    }
}

impl Recorder {
    fn line(&self, name: &str, record: impl FnOnce(&mut Fields)) {
        let mut fields = Fields(name.to_owned());
        record(&mut fields);
        let mut recorded = self.0.lock().unwrap();
        if let Some(span) = recorded.entered.last().map(|id| recorded.names[id - 1]) {
            write!(fields.0, " in {span}").unwrap();
        }
        recorded.lines.push(fields.0);
    }

    fn lines(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap().lines)
    }
}

impl Subscriber for Recorder {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == module_path!()
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let name = span.metadata().name();
        self.line(name, |fields| span.record(fields));
        let mut recorded = self.0.lock().unwrap();
        recorded.names.push(name);
        Id::from_u64(recorded.names.len() as u64)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        self.line(event.metadata().level().as_str(), |fields| event.record(fields));
    }

    fn enter(&self, span: &Id) {
        self.0.lock().unwrap().entered.push(usize::try_from(span.into_u64()).unwrap());
    }

    fn exit(&self, _: &Id) {
        self.0.lock().unwrap().entered.pop();
    }
}

struct Traced;

#[instrument_grpc(service = "e9.traced")]
#[tonic::async_trait]
impl Shapes for Traced {
    /// With everything that is said about a request.
    #[tracing::instrument(skip(self, request), err, fields(count = request.get_ref().count))]
    #[allow(clippy::used_underscore_binding)]
    async fn one(&self, request: Request<Ask>) -> Result<Response<Answer>, Status> {
        tokio::task::yield_now().await;
        tracing::info!("in the body");
        let answer = answer(request.into_inner())?;
        Ok(Response::new(answer))
    }

    // `rpc` and `skip_metrics` are not the attributes here.
    #[cfg_attr(all(), tracing::instrument(name = "up", skip_all, fields(rpc.method = "Upload")))]
    #[cfg_attr(any(), expect(rpc, skip_metrics))]
    async fn upload(&self, request: Request<Streaming<Ask>>) -> Result<Response<Answer>, Status> {
        answer(last(request.into_inner()).await?).map(Response::new)
    }

    type WatchStream = tokio_stream::Iter<std::vec::IntoIter<Result<Answer, Status>>>;
    #[tracing::instrument(skip_all)]
    async fn watch(&self, request: Request<Ask>) -> Result<Response<Self::WatchStream>, Status> {
        tracing::info!("in the body");
        let stream: Self::WatchStream = tokio_stream::iter(answers(request.into_inner()));
        Ok(Response::new(stream))
    }

    #[cfg(any())]
    type ChatStream = Nothing;
    #[cfg(any())]
    #[skip_metrics]
    async fn chat(&self, request: Request<Nothing>) -> Result<Response<Nothing>, Status> {
        nothing
    }

    #[cfg(not(any()))]
    type ChatStream = Self::WatchStream;
    #[cfg(not(any()))]
    #[grpc_metrics_runtime::skip_metrics]
    #[tracing::instrument(skip_all)]
    async fn chat(
        &self,
        request: Request<Streaming<Ask>>,
    ) -> Result<Response<Self::ChatStream>, Status> {
        let ask = last(request.into_inner()).await?;
        Ok(Response::new(tokio_stream::iter(answers(ask))))
    }
}

fn ask(code: Code) -> Request<Ask> {
    Request::new(Ask { count: 7, code: code as i32 })
}

#[tokio::test]
async fn e9_spans_are_still_the_methods() {
    let recorder = Recorder::default();
    let _guard = tracing::subscriber::set_default(recorder.clone());

    assert!(Traced.one(ask(Code::Ok)).await.is_ok());
    assert_eq!(recorder.lines(), ["one count=7", "INFO message=in the body in one"]);

    assert!(Traced.one(ask(Code::DataLoss)).await.is_err());
    let lines = recorder.lines();
    assert_eq!(lines[..2], ["one count=7", "INFO message=in the body in one"]);
    assert!(lines[2].starts_with("ERROR error="), "{lines:?}");
    assert!(lines[2].ends_with("in one"), "{lines:?}");

    let stream = Traced.watch(ask(Code::DataLoss)).await.unwrap().into_inner();
    assert_eq!(stream.collect::<Vec<_>>().await.len(), 8);
    assert_eq!(recorder.lines(), ["watch", "INFO message=in the body in watch"]);

    assert_eq!(codes("e9.traced", "One"), [(Code::Ok, 1), (Code::DataLoss, 1)]);
    assert_eq!(codes("e9.traced", "Watch"), [(Code::DataLoss, 1)]);
}

#[tokio::test]
async fn e9_conditional_attributes_and_methods() {
    use support::shapes::pb::shapes_client::ShapesClient;
    use support::shapes::pb::shapes_server::ShapesServer;
    let routes = tonic::service::Routes::new(ShapesServer::new(Traced));
    let mut client = ShapesClient::new(support::shapes::serve(routes).await);
    let asks = || tokio_stream::iter([Ask { count: 2, code: 0 }]);
    assert!(client.upload(asks()).await.is_ok());
    let mut chat = client.chat(asks()).await.unwrap().into_inner();
    assert_eq!(chat.message().await.unwrap(), Some(Answer { number: 0 }));
    assert_eq!(codes("e9.traced", "Upload"), [(Code::Ok, 1)]);
    assert!(GrpcMetrics::global().snapshot().method("e9.traced", "Chat").is_none());
}

/// Measured under one `#[cfg]`, and not under another.
struct Sometimes;

#[instrument_grpc(service = "e9.sometimes")]
#[tonic::async_trait]
impl Plain for Sometimes {
    #[cfg(any())]
    #[skip_metrics]
    async fn first(&self, _: Request<Ask>) -> Result<Response<Answer>, Status> {
        Err(Status::aborted("never there"))
    }

    #[cfg(not(any()))]
    async fn first(&self, request: Request<Ask>) -> Result<Response<Answer>, Status> {
        answer(request.into_inner()).map(Response::new)
    }

    #[cfg(any())]
    async fn second(&self, _: Request<Ask>) -> Result<Response<Answer>, Status> {
        Err(Status::aborted("never there"))
    }

    #[cfg(not(any()))]
    #[skip_metrics]
    async fn second(&self, request: Request<Ask>) -> Result<Response<Answer>, Status> {
        answer(request.into_inner()).map(Response::new)
    }
}

#[tokio::test]
async fn e9_skipped_under_a_condition() {
    assert!(Sometimes.first(ask(Code::Ok)).await.is_ok());
    assert!(Sometimes.second(ask(Code::Ok)).await.is_ok());
    assert_eq!(codes("e9.sometimes", "First"), [(Code::Ok, 1)]);
    assert!(GrpcMetrics::global().snapshot().method("e9.sometimes", "Second").is_none());
}

/// A span around a handler with an instance of its own and an `Arc<Self>`.
struct TracedArc {
    metrics: GrpcMetrics,
}

#[tonic::async_trait]
#[instrument_grpc(service = "e9.traced_arc", metrics = self.metrics)]
impl arc::plain_server::Plain for TracedArc {
    #[tracing::instrument(skip(self), err)]
    async fn first(
        self: Arc<Self>,
        mut request: Request<arc::Ask>,
    ) -> Result<Response<arc::Answer>, Status> {
        let arc::Ask { count, code } = std::mem::take(request.get_mut());
        let Answer { number } = answer(Ask { count, code })?;
        Ok(Response::new(arc::Answer { number }))
    }

    #[tracing::instrument(skip_all)]
    async fn second(
        self: Arc<Self>,
        _: Request<arc::Ask>,
    ) -> Result<Response<arc::Answer>, Status> {
        tracing::info!("in the body");
        Err(Status::aborted("always"))
    }
}

#[tokio::test]
async fn e9_spans_with_arc_self_and_an_instance() {
    use arc::plain_server::Plain;
    let recorder = Recorder::default();
    let _guard = tracing::subscriber::set_default(recorder.clone());
    let registry = grpc_metrics_runtime::prometheus::Registry::new();
    let metrics = GrpcMetrics::builder().registry(&registry).build().unwrap();
    let service = Arc::new(TracedArc { metrics: metrics.clone() });

    let request = || Request::new(arc::Ask { count: 1, code: 5 });
    assert!(service.clone().first(request()).await.is_err());
    assert!(recorder.lines().concat().contains("ERROR error="));
    assert!(service.second(request()).await.is_err());
    assert_eq!(recorder.lines(), ["second", "INFO message=in the body in second"]);

    let snapshot = metrics.snapshot();
    let count = |method, code| {
        snapshot.method("e9.traced_arc", method).map(|counted| counted.requests(code))
    };
    assert_eq!(count("First", Code::NotFound), Some(1));
    assert_eq!(count("Second", Code::Aborted), Some(1));
}

/// What is deprecated, and allowed where it is used.
mod deprecated {
    #![allow(deprecated)]

    use super::{Request, Response, Status};

    #[deprecated]
    #[derive(Debug)]
    pub(super) struct Old;

    #[tonic::async_trait]
    pub(super) trait OldService {
        async fn first(&self, request: Request<Old>) -> Result<Response<Old>, Status>;
    }

    pub(super) struct Everywhere;
    pub(super) struct OnTheMethod;

    #[warn(deprecated)]
    pub(super) mod impls {
        use super::super::{Request, Response, Status, instrument_grpc};

        #[allow(deprecated)]
        #[instrument_grpc(service = "e9.old")]
        #[tonic::async_trait]
        impl super::OldService for super::Everywhere {
            async fn first(
                &self,
                request: Request<super::Old>,
            ) -> Result<Response<super::Old>, Status> {
                Ok(Response::new(request.into_inner()))
            }
        }

        #[instrument_grpc(service = "e9.old_method")]
        #[tonic::async_trait]
        impl super::OldService for super::OnTheMethod {
            #[expect(deprecated)]
            async fn first(
                &self,
                request: Request<super::Old>,
            ) -> Result<Response<super::Old>, Status> {
                Ok(Response::new(request.into_inner()))
            }
        }
    }
}

#[tokio::test]
async fn e9_what_is_deprecated_may_be_allowed() {
    #![allow(deprecated)]
    use deprecated::{Everywhere, Old, OldService, OnTheMethod};
    assert!(Everywhere.first(Request::new(Old)).await.is_ok());
    assert!(OnTheMethod.first(Request::new(Old)).await.is_ok());
    assert_eq!(codes("e9.old", "First"), [(Code::Ok, 1)]);
    assert_eq!(codes("e9.old_method", "First"), [(Code::Ok, 1)]);
}

/// A future by hand, after other statements.
struct TracedByHand;

type BoxFuture<'a, R> = std::pin::Pin<Box<dyn Future<Output = R> + Send + 'a>>;

#[instrument_grpc(service = "e9.by_hand")]
impl Plain for TracedByHand {
    #[tracing::instrument(skip_all)]
    fn first<'s, 'a>(
        &'s self,
        request: Request<Ask>,
    ) -> std::pin::Pin<Box<dyn Future<Output = Result<Response<Answer>, Status>> + Send + 'a>>
    where
        's: 'a,
        Self: 'a,
    {
        let ask = request.into_inner();
        Box::pin(async move {
            tokio::task::yield_now().await;
            tracing::info!("in the body");
            answer(ask).map(Response::new)
        })
    }

    fn second<'s, 'a>(
        &'s self,
        request: Request<Ask>,
    ) -> BoxFuture<'a, Result<Response<Answer>, Status>>
    where
        's: 'a,
        Self: 'a,
    {
        Box::pin(async move { answer(request.into_inner()).map(Response::new) })
    }
}

#[tokio::test]
async fn e9_spans_around_futures_by_hand() {
    let recorder = Recorder::default();
    let _guard = tracing::subscriber::set_default(recorder.clone());
    assert!(TracedByHand.first(ask(Code::Ok)).await.is_ok());
    assert_eq!(recorder.lines(), ["first", "INFO message=in the body in first"]);
    assert!(TracedByHand.second(ask(Code::NotFound)).await.is_err());
    assert_eq!(codes("e9.by_hand", "First"), [(Code::Ok, 1)]);
    assert_eq!(codes("e9.by_hand", "Second"), [(Code::NotFound, 1)]);
}

/// Under an attribute that puts the body's braces between others, as they would stand on one line.
struct Framed;

#[instrument_grpc(service = "e9.framed")]
#[tonic::async_trait]
#[rustfmt::skip]
impl Plain for Framed {
    #[async_backtrace::framed]
    async fn first(&self, request: Request<Ask>) -> Result<Response<Answer>, Status> { answer(request.into_inner()).map(Response::new) }

    #[async_backtrace::framed]
    async fn second(&self, request: Request<Ask>) -> Result<Response<Answer>, Status> { answer(request.into_inner()).map(Response::new) }
}

#[tokio::test]
async fn e9_braces_of_the_expansion_are_no_lint_s() {
    assert!(Framed.first(ask(Code::Ok)).await.is_ok());
    assert!(Framed.second(ask(Code::NotFound)).await.is_err());
    assert_eq!(codes("e9.framed", "First"), [(Code::Ok, 1)]);
    assert_eq!(codes("e9.framed", "Second"), [(Code::NotFound, 1)]);
}
