//! L6: who calls whom.

use grpc_metrics_runtime::{Caller, GrpcMetrics, instrument_grpc};
use support::clients::Kind;
use support::pb::scripted_server::{Scripted, ScriptedServer};
use support::pb::{Reply, Script};
use support::script::{fail, script, send};
use support::scripted::SERVICE;
use support::server::Server;
use support::wait::until_eq;
use tokio_stream::wrappers::ReceiverStream;
use tonic::codegen::BoxStream;
use tonic::service::Routes;
use tonic::transport::Channel;
use tonic::{Code, Request, Response, Status, Streaming};

use super::called::{Called, Client, Way};

/// The label of the service that calls.
pub(super) const FRONT: &str = "testing.v1.Front";

/// Calls the scripted service behind it.
#[derive(Debug)]
struct Front {
    metrics: GrpcMetrics,
    behind: Client,
}

#[instrument_grpc(service = FRONT, metrics = self.metrics)]
#[tonic::async_trait]
impl Scripted for Front {
    /// Awaits the call.
    async fn unary(&self, request: Request<Script>) -> Result<Response<Reply>, Status> {
        self.behind.call(Kind::Unary, request).await?;
        Ok(Response::new(Reply::default()))
    }

    /// Makes two calls in tasks of their own: the first without a caller.
    async fn upload(
        &self,
        mut request: Request<Streaming<Script>>,
    ) -> Result<Response<Reply>, Status> {
        let script = request.get_mut().message().await?.unwrap_or_default();
        for caller in [None, Some(Caller::current())] {
            let (behind, script) = (self.behind.clone(), script.clone());
            let call = async move { behind.call(Kind::Upload, Request::new(script)).await };
            let task = match caller {
                None => tokio::spawn(call),
                Some(caller) => tokio::spawn(caller.scope(call)),
            };
            task.await.expect("no panic")?;
        }
        Ok(Response::new(Reply::default()))
    }

    type WatchStream = Streaming<Reply>;

    /// Passes on the stream.
    async fn watch(&self, request: Request<Script>) -> Result<Response<Streaming<Reply>>, Status> {
        self.behind.open(Kind::Watch, request).await
    }

    type ChatStream = BoxStream<Reply>;

    /// Calls while its own stream is polled.
    async fn chat(
        &self,
        _: Request<Streaming<Script>>,
    ) -> Result<Response<Self::ChatStream>, Status> {
        let behind = self.behind.clone();
        let mut calls = 0;
        let (sender, receiver) = tokio::sync::mpsc::channel(1);
        sender.send(script([], [])).await.expect("it is received");
        drop(sender);
        let replies = tokio_stream::StreamExt::then(ReceiverStream::new(receiver), move |script| {
            calls += 1;
            let behind = behind.clone();
            async move {
                behind.call(Kind::Unary, Request::new(script)).await?;
                Ok(Reply { number: calls })
            }
        });
        Ok(Response::new(Box::pin(replies)))
    }
}

/// A client of the front, which is not measured, and what is behind it.
pub(super) async fn front(called: &Called) -> (Server, Channel) {
    let behind = called.client(called.server.connect().await);
    let front = Front { metrics: called.metrics.clone(), behind };
    let server = Server::start(Routes::new(ScriptedServer::new(front))).await;
    let channel = server.connect().await;
    (server, channel)
}

fn edges(called: &Called, kind: Kind) -> Vec<(&'static str, &'static str, Code, u64)> {
    let method = called.method(kind);
    let edges = method.edges().iter();
    edges.map(|edge| (edge.caller_service, edge.caller_method, edge.code, edge.count)).collect()
}

#[tokio::test]
async fn l6_a_call_in_a_handler_counts_for_the_handler_too() {
    let called = Called::scripted(Way::Layer).await;
    let (_server, channel) = front(&called).await;
    for _ in 0..3 {
        support::clients::call(&channel, Kind::Unary, Request::new(script([], []))).await;
    }
    let failing = script([fail(Code::NotFound)], []);
    support::clients::call(&channel, Kind::Unary, Request::new(failing)).await;
    called.call(Kind::Unary, Request::new(script([], []))).await.unwrap();
    let expected = [(FRONT, "Unary", Code::Ok, 3), (FRONT, "Unary", Code::NotFound, 1)];
    assert_eq!(edges(&called, Kind::Unary), expected);
    assert_eq!(called.method(Kind::Unary).requests(Code::Ok), 4, "one has no caller");
    let scrape = called.scrape();
    let labels = [
        ("caller_service", FRONT),
        ("caller_method", "Unary"),
        ("service", SERVICE),
        ("method", "Unary"),
        ("code", "0"),
    ];
    assert_eq!(scrape.value("grpc_client_edge_requests_total", &labels), Some(3.0));
    assert_eq!(called.metrics.encode().unwrap(), called.encoded_by_prometheus());
}

#[tokio::test]
async fn l6_a_spawned_task_has_the_caller_that_it_is_given() {
    let called = Called::scripted(Way::Layer).await;
    let (_server, channel) = front(&called).await;
    support::clients::call(&channel, Kind::Upload, Request::new(script([], []))).await;
    assert_eq!(called.method(Kind::Upload).requests(Code::Ok), 2);
    assert_eq!(edges(&called, Kind::Upload), [(FRONT, "Upload", Code::Ok, 1)]);
}

#[tokio::test]
async fn l6_streams_count_when_they_end() {
    let called = Called::scripted(Way::Layer).await;
    let (_server, channel) = front(&called).await;
    let steps = script([], [send(), fail(Code::Aborted)]);
    support::clients::call(&channel, Kind::Watch, Request::new(steps)).await;
    assert_eq!(edges(&called, Kind::Watch), [(FRONT, "Watch", Code::Aborted, 1)]);
}

#[tokio::test]
async fn l6_calls_of_a_response_stream_are_the_handler_s() {
    let called = Called::scripted(Way::Layer).await;
    let (_server, channel) = front(&called).await;
    support::clients::call(&channel, Kind::Chat, Request::new(script([], []))).await;
    assert_eq!(edges(&called, Kind::Unary), [(FRONT, "Chat", Code::Ok, 1)]);
}

#[tokio::test]
async fn l6_every_call_of_a_handler_counts_for_it() {
    let called = Called::scripted(Way::Layer).await;
    let (server, channel) = front(&called).await;
    for patience in 0..200 {
        let channel = channel.clone();
        let request = Request::new(script([], []));
        let running = tokio::spawn(async move {
            support::clients::call(&channel, Kind::Unary, request).await;
        });
        for _ in 0..patience % 40 {
            tokio::task::yield_now().await;
        }
        running.abort();
    }
    server.kill().await;
    until_eq(|| called.in_flight(), 0).await;
    let by_handlers = edges(&called, Kind::Unary).iter().map(|(.., count)| count).sum::<u64>();
    assert_eq!(by_handlers, called.method(Kind::Unary).finished());
}
