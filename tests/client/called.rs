//! A server of the scripted service, and the clients that are measured.

use std::collections::BTreeMap;

use grpc_metrics_runtime::client::LayeredClient;
use grpc_metrics_runtime::prometheus::Registry;
use grpc_metrics_runtime::{GrpcMetrics, MethodSnapshot, Snapshot};
use support::bed::own_metrics;
use support::clients::Kind;
use support::pb::scripted_client::ScriptedClient;
use support::pb::scripted_server::ScriptedServer;
use support::pb::{Reply, Script, measured};
use support::scrape::Scrape;
use support::scripted::{Plain, SERVICE};
use support::server::Server;
use support::stage::Stage;
use support::wait::until_eq;
use tokio::sync::{Mutex, MutexGuard};
use tokio_stream::{Stream, iter};
use tonic::service::Routes;
use tonic::transport::Channel;
use tonic::{Code, IntoStreamingRequest, Request, Response, Status, Streaming};
use tower::ServiceBuilder;

/// What measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    Layer,
    Attribute,
}

impl Way {
    pub(crate) const ALL: [Self; 2] = [Self::Layer, Self::Attribute];
}

#[derive(Clone, Debug)]
pub(crate) enum Client {
    Layered(ScriptedClient<LayeredClient<Channel>>),
    Generated(measured::scripted_client::ScriptedClient<Channel>),
}

/// A stream of replies.
pub(crate) type Replies = Streaming<Reply>;

/// Calls a method of the client, of either type.
macro_rules! with {
    ($client:expr, $method:ident($request:expr)) => {
        match $client {
            Client::Layered(client) => client.$method($request).await,
            Client::Generated(client) => client.$method($request).await,
        }
    };
}

impl Client {
    pub(crate) fn new(way: Way, metrics: &GrpcMetrics, channel: Channel) -> Self {
        match way {
            Way::Layer => {
                let layer = metrics.client_layer();
                let service = ServiceBuilder::new().layer(layer).service(channel);
                Self::Layered(ScriptedClient::new(service))
            }
            Way::Attribute => {
                Self::Generated(measured::scripted_client::ScriptedClient::new(channel))
            }
        }
    }

    /// Calls and waits to the end; gives the number of messages.
    pub(crate) async fn call(&self, kind: Kind, request: Request<Script>) -> Result<usize, Status> {
        match kind {
            Kind::Unary => with!(&mut self.clone(), unary(request)).map(|_| 1),
            Kind::Upload => {
                let request = request.map(|script| iter([script]));
                with!(&mut self.clone(), upload(request)).map(|_| 1)
            }
            Kind::Watch | Kind::Chat => {
                let mut replies = self.open(kind, request).await?.into_inner();
                let mut count = 0;
                while replies.message().await?.is_some() {
                    count += 1;
                }
                Ok(count)
            }
        }
    }

    /// Calls, and gives the response stream.
    pub(crate) async fn open(
        &self,
        kind: Kind,
        request: Request<Script>,
    ) -> Result<Response<Replies>, Status> {
        match kind {
            Kind::Watch => with!(&mut self.clone(), watch(request)),
            Kind::Chat => self.chat(request.map(|script| iter([script]))).await,
            Kind::Unary | Kind::Upload => panic!("{kind:?} has no response stream"),
        }
    }

    pub(crate) async fn chat(
        &self,
        messages: impl IntoStreamingRequest<Message = Script>,
    ) -> Result<Response<Replies>, Status> {
        with!(&mut self.clone(), chat(messages))
    }
}

#[derive(Debug)]
pub(crate) struct Called {
    pub(crate) way: Way,
    pub(crate) metrics: GrpcMetrics,
    pub(crate) stage: Stage,
    pub(crate) server: Server,
    pub(crate) client: Client,
    registry: Registry,
    before: BTreeMap<(&'static str, i32), u64>,
    /// Generated clients count in the process-wide instance, one test at a time.
    _alone: Option<MutexGuard<'static, ()>>,
}

/// Who counts in the process-wide instance.
static GLOBAL: Mutex<()> = Mutex::const_new(());

impl Called {
    /// The scripted service, which measures nothing itself.
    pub(crate) async fn scripted(way: Way) -> Self {
        let stage = Stage::default();
        let plain = Plain { stage: stage.clone() };
        Self::by(way, Routes::new(ScriptedServer::new(plain)), stage).await
    }

    pub(crate) async fn by(way: Way, routes: Routes, stage: Stage) -> Self {
        support::faults::expect_panics();
        let server = Server::start(routes).await;
        let channel = server.connect().await;
        let alone = match way {
            Way::Layer => None,
            Way::Attribute => Some(GLOBAL.lock().await),
        };
        let (registry, metrics) = match way {
            Way::Layer => own_metrics(|builder| builder),
            Way::Attribute => {
                let registry = grpc_metrics_runtime::prometheus::default_registry();
                (registry.clone(), GrpcMetrics::global().clone())
            }
        };
        let client = Client::new(way, &metrics, channel);
        let before = ended(&metrics.snapshot());
        Self { way, metrics, stage, server, client, registry, before, _alone: alone }
    }

    /// Another client, of a channel of its own.
    pub(crate) fn client(&self, channel: Channel) -> Client {
        Client::new(self.way, &self.metrics, channel)
    }

    pub(crate) async fn call(&self, kind: Kind, request: Request<Script>) -> Result<usize, Status> {
        self.client.call(kind, request).await
    }

    pub(crate) async fn open(
        &self,
        kind: Kind,
        request: Request<Script>,
    ) -> Result<Response<Replies>, Status> {
        self.client.open(kind, request).await
    }

    pub(crate) fn method(&self, kind: Kind) -> MethodSnapshot {
        let snapshot = self.metrics.snapshot();
        snapshot.client_method(SERVICE, kind.method()).expect("it was called").clone()
    }

    pub(crate) fn scrape(&self) -> Scrape {
        Scrape::of(&self.registry)
    }

    /// The text that `prometheus` itself writes.
    pub(crate) fn encoded_by_prometheus(&self) -> String {
        let encoder = grpc_metrics_runtime::prometheus::TextEncoder::new();
        encoder.encode_to_string(&self.registry.gather()).expect("it is text")
    }

    /// Calls that ended since the test began, by method and code.
    pub(crate) fn ended(&self) -> Vec<(&'static str, Code, u64)> {
        let now = ended(&self.metrics.snapshot()).into_iter();
        let since = now.map(|((method, code), count)| {
            let before = self.before.get(&(method, code)).copied().unwrap_or(0);
            (method, Code::from(code), count - before)
        });
        since.filter(|(.., count)| *count > 0).collect()
    }

    /// Calls that have started and not ended.
    pub(crate) fn in_flight(&self) -> u64 {
        let snapshot = self.metrics.snapshot();
        snapshot.client_methods().iter().map(|method| method.started() - method.finished()).sum()
    }

    /// Waits until nothing is in flight, and asserts what has ended.
    pub(crate) async fn assert_ended(&self, expected: &[(Kind, Code, u64)]) {
        until_eq(|| self.in_flight(), 0).await;
        let expected = expected.iter().map(|(kind, code, count)| (kind.method(), *code, *count));
        let mut expected: Vec<_> = expected.collect();
        expected.sort_by_key(|(method, code, _)| (*method, i32::from(*code)));
        assert_eq!(self.ended(), expected, "{:?}", self.way);
    }
}

fn ended(snapshot: &Snapshot) -> BTreeMap<(&'static str, i32), u64> {
    let mut ended = BTreeMap::new();
    for method in snapshot.client_methods() {
        for code in 0..=16 {
            let count = method.requests(Code::from(code));
            *ended.entry((method.method(), code)).or_default() += count;
        }
    }
    ended
}

/// A request stream that sends one message and stays open.
pub(crate) fn stays_open(script: Script) -> impl Stream<Item = Script> + Send + 'static {
    use tokio_stream::StreamExt as _;
    iter([script]).chain(tokio_stream::pending())
}
