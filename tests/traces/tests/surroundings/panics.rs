//! A subscriber that panics: while an RPC's panic unwinds, the second panic would abort the program.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::{Context as TaskContext, Waker};

use grpc_metrics_runtime::{GrpcMetrics, instrument_grpc, server_layer};
use support::bed::Bed;
use support::pb::scripted_client::ScriptedClient;
use support::script::script;
use support::scripted::SERVICE;
use support::shapes::pb::plain_server::{Plain, PlainServer};
use support::shapes::pb::{Answer, Ask};
use tonic::body::Body;
use tonic::codegen::{Service as _, http};
use tonic::{Code, Request, Response, Status};
use tower_layer::Layer as _;
use tracing::Subscriber;
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::set_default;
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry;

use super::ask;

/// What panics, where the thread does already.
#[derive(Clone, Copy, Debug, PartialEq)]
enum At {
    Exit,
    Record,
    Close,
}

struct Panicking(At);

impl Panicking {
    fn comes_to(&self, at: At) {
        assert!(self.0 != at || !std::thread::panicking(), "the subscriber's: {at:?}");
    }
}

impl<S: Subscriber> Layer<S> for Panicking {
    fn on_exit(&self, _: &Id, _: Context<'_, S>) {
        self.comes_to(At::Exit);
    }

    fn on_record(&self, _: &Id, _: &Record<'_>, _: Context<'_, S>) {
        self.comes_to(At::Record);
    }

    fn on_close(&self, _: Id, _: Context<'_, S>) {
        self.comes_to(At::Close);
    }
}

struct Service;

#[instrument_grpc(service = "surroundings.Panics")]
#[tonic::async_trait]
impl Plain for Service {
    async fn first(&self, _: Request<Ask>) -> Result<Response<Answer>, Status> {
        panic!("the handler's");
    }

    async fn second(&self, _: Request<Ask>) -> Result<Response<Answer>, Status> {
        std::future::pending().await
    }
}

struct Layered;

#[instrument_grpc(service = "surroundings.LayeredPanics")]
#[tonic::async_trait]
impl Plain for Layered {
    async fn first(&self, _: Request<Ask>) -> Result<Response<Answer>, Status> {
        panic!("the handler's");
    }

    async fn second(&self, _: Request<Ask>) -> Result<Response<Answer>, Status> {
        Err(Status::unimplemented("not here"))
    }
}

fn requests(service: &str, method: &str, code: Code) -> u64 {
    let snapshot = GrpcMetrics::global().snapshot();
    let method = snapshot.method(service, method).unwrap();
    assert_eq!(method.started(), method.finished());
    method.requests(code)
}

#[test]
fn j10_while_the_handlers_panic_unwinds() {
    for (at, n) in [At::Exit, At::Record, At::Close].into_iter().zip(1..) {
        let _guard = set_default(registry().with(Panicking(at)));
        let mut first = Service.first(ask());
        let mut context = TaskContext::from_waker(Waker::noop());
        let poll = AssertUnwindSafe(|| first.as_mut().poll(&mut context).is_ready());
        let payload = catch_unwind(poll).unwrap_err();
        assert_eq!(payload.downcast_ref(), Some(&"the handler's"), "{at:?}");
        assert_eq!(requests("surroundings.Panics", "First", Code::Unknown), n, "{at:?}");
    }
}

/// An RPC that is dropped by a panic around it.
#[test]
fn j10_while_anothers_panic_unwinds() {
    for (at, n) in [At::Exit, At::Record, At::Close].into_iter().zip(1..) {
        let _guard = set_default(registry().with(Panicking(at)));
        let unwound = catch_unwind(|| {
            let mut second = Service.second(ask());
            let mut context = TaskContext::from_waker(Waker::noop());
            assert!(second.as_mut().poll(&mut context).is_pending());
            panic!("another's");
        });
        assert_eq!(unwound.unwrap_err().downcast_ref(), Some(&"another's"), "{at:?}");
        assert_eq!(requests("surroundings.Panics", "Second", Code::Cancelled), n, "{at:?}");
    }
}

/// Under the layer, which keeps the span for the end of the RPC.
#[test]
fn j10_while_the_panic_of_a_handler_under_the_layer_unwinds() {
    let mut layered = server_layer().layer(PlainServer::new(Layered));
    for (at, n) in [At::Exit, At::Record, At::Close].into_iter().zip(1..) {
        let _guard = set_default(registry().with(Panicking(at)));
        // An empty message.
        let request = http::Request::post("/testing.shapes.v1.Plain/First")
            .header("content-type", "application/grpc")
            .body(Body::new("\0\0\0\0\0".to_owned()))
            .unwrap();
        let mut called = Box::pin(layered.call(request));
        let mut context = TaskContext::from_waker(Waker::noop());
        let poll = AssertUnwindSafe(|| called.as_mut().poll(&mut context).is_ready());
        let payload = catch_unwind(poll).unwrap_err();
        assert_eq!(payload.downcast_ref(), Some(&"the handler's"), "{at:?}");
        assert_eq!(requests("surroundings.LayeredPanics", "First", Code::Unknown), n, "{at:?}");
    }
}

/// Panics at the start of an RPC's span.
struct PanicsAtStart;

impl<S: Subscriber> Layer<S> for PanicsAtStart {
    fn on_new_span(&self, attributes: &Attributes<'_>, _: &Id, _: Context<'_, S>) {
        assert!(attributes.metadata().name() != "rpc", "the subscriber's");
    }
}

#[tokio::test]
async fn l7_a_subscriber_that_panics_ends_the_call() {
    let bed = Bed::new().await;
    let _guard = set_default(registry().with(PanicsAtStart));
    let channel = bed.metrics.client_layer().layer(bed.channel.clone());
    let mut client = ScriptedClient::new(channel);
    let call = tokio::spawn(async move { client.unary(Request::new(script([], []))).await });
    assert!(call.await.unwrap_err().is_panic());
    let snapshot = bed.metrics.snapshot();
    let unary = snapshot.client_method(SERVICE, "Unary").unwrap();
    assert_eq!((unary.started(), unary.requests(Code::Cancelled)), (1, 1));
}
