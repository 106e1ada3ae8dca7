//! What measuring may cost: no allocation on an RPC's path, and hardly any room in a handler's future.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use allocation_counter::measure;
use grpc_metrics_runtime::prometheus::Registry;
use grpc_metrics_runtime::{GrpcMetrics, instrument_grpc};
use support::pb::scripted_server::Scripted;
use support::pb::{Reply, Script};
use tokio_stream::{Empty, Stream};
use tonic::{Request, Response, Status, Streaming};

type Replies = Pin<Box<dyn Stream<Item = Result<Reply, Status>> + Send>>;

/// A service with or without the attribute above it.
macro_rules! service {
    ($(#[$instrument:meta])? $name:ident { $($field:ident: $ty:ty)? }) => {
        struct $name { $($field: $ty)? }

        $(#[$instrument])?
        #[tonic::async_trait]
        impl Scripted for $name {
            async fn unary(&self, request: Request<Script>) -> Result<Response<Reply>, Status> {
                // What lives across an await lives in the future.
                tokio::task::yield_now().await;
                match request.into_inner().handler.len() {
                    0 => Ok(Response::new(Reply::default())),
                    _ => Err(Status::not_found(String::new())),
                }
            }

            async fn upload(&self, _: Request<Streaming<Script>>) -> Result<Response<Reply>, Status> {
                tokio::task::yield_now().await;
                Ok(Response::new(Reply::default()))
            }

            type WatchStream = Replies;

            async fn watch(&self, request: Request<Script>) -> Result<Response<Self::WatchStream>, Status> {
                tokio::task::yield_now().await;
                let replies = vec![Ok(Reply::default()); request.get_ref().stream.len()];
                Ok(Response::new(Box::pin(tokio_stream::iter(replies))))
            }

            type ChatStream = Empty<Result<Reply, Status>>;

            async fn chat(&self, _: Request<Streaming<Script>>) -> Result<Response<Self::ChatStream>, Status> {
                tokio::task::yield_now().await;
                Ok(Response::new(tokio_stream::empty()))
            }
        }
    };
}

service!(Bare {});
service!(
    #[instrument_grpc(service = "cost.Global")]
    Instrumented {}
);
service!(
    #[instrument_grpc(service = "cost.Own", metrics = self.metrics)]
    Own { metrics: GrpcMetrics }
);

/// Polls to the end, as a server does.
fn run<T>(mut future: Pin<Box<dyn Future<Output = T> + Send + '_>>) -> T {
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(result) = future.as_mut().poll(&mut context) {
            return result;
        }
    }
}

fn drain(service: &impl Scripted, messages: usize) -> usize {
    let script =
        Script { stream: vec![support::pb::Step::default(); messages], ..Script::default() };
    let stream =
        run(service.watch(Request::new(script))).expect("the handler succeeds").into_inner();
    let mut stream = std::pin::pin!(stream);
    let mut context = Context::from_waker(Waker::noop());
    let mut seen = 0;
    while let Poll::Ready(Some(_)) = stream.as_mut().poll_next(&mut context) {
        seen += 1;
    }
    seen
}

fn own() -> Own {
    let metrics = GrpcMetrics::builder().registry(&Registry::new()).build();
    Own { metrics: metrics.expect("the settings are right") }
}

/// Allocations of each kind of ending, after a thread's first RPC of each code.
fn allocations(service: &impl Scripted) -> [u64; 4] {
    let failing = || Script { handler: vec![support::pb::Step::default()], ..Script::default() };
    let calls: [&dyn Fn(); 4] = [
        &|| assert!(run(service.unary(Request::new(Script::default()))).is_ok()),
        &|| assert!(run(service.unary(Request::new(failing()))).is_err()),
        &|| {
            let mut future = service.unary(Request::new(Script::default()));
            let mut context = Context::from_waker(Waker::noop());
            assert!(future.as_mut().poll(&mut context).is_pending());
        },
        &|| assert_eq!(drain(service, 10), 10),
    ];
    calls.map(|call| {
        call();
        measure(call).count_total
    })
}

#[test]
fn no_allocation_on_the_path_of_an_rpc() {
    let bare = allocations(&Bare {});
    assert!(bare.iter().all(|count| *count > 0), "the counter counts: {bare:?}");
    let [unary, failing, dropped, boxed_stream] = bare;
    // The measured stream goes into a box of the declared type.
    let measured = [unary, failing, dropped, boxed_stream + 1];
    assert_eq!(allocations(&Instrumented {}), measured);
    assert_eq!(allocations(&own()), measured);
}

#[test]
fn the_futures_of_handlers_grow_by_64_bytes_at_most() {
    fn sizes(service: &impl Scripted) -> [usize; 2] {
        [
            size_of_val(&*service.unary(Request::new(Script::default()))),
            size_of_val(&*service.watch(Request::new(Script::default()))),
        ]
    }
    let bare = sizes(&Bare {});
    for instrumented in [sizes(&Instrumented {}), sizes(&own())] {
        for (instrumented, bare) in instrumented.into_iter().zip(bare) {
            assert!(instrumented > bare, "the attribute does something");
            assert!(instrumented <= bare + 64, "{bare} bytes became {instrumented}");
        }
    }
}
