//! A scripted service, its server, a client, and metrics of their own: what most tests begin with.

use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::sync::Arc;

use grpc_metrics_runtime::prometheus::Registry;
use grpc_metrics_runtime::{GrpcMetrics, GrpcMetricsBuilder, MethodSnapshot};
use tokio::task::JoinHandle;
use tonic::service::Routes;
use tonic::transport::Channel;
use tonic::{Code, Request, Response, Status, Streaming};

use crate::clients::{self, Kind, Seen};
use crate::faults;
use crate::pb::scripted_server::ScriptedServer;
use crate::pb::{Reply, Script};
use crate::scrape::Scrape;
use crate::scripted::{SERVICE, Scripted};
use crate::server::Server;
use crate::stage::Stage;
use crate::wait;

/// RPCs by method and code.
pub type Ledger = BTreeMap<(String, String), u64>;

/// Whether a server has the layer.
pub trait Layering: Send + Sync {
    const IS_LAYERED: bool;
}

/// The attribute alone.
#[derive(Debug)]
pub enum Bare {}

impl Layering for Bare {
    const IS_LAYERED: bool = false;
}

/// The attribute under the server layer.
#[derive(Debug)]
pub enum Layered {}

impl Layering for Layered {
    const IS_LAYERED: bool = true;
}

/// A bed of the attribute alone.
pub type Bed = BedOf<Bare>;

#[derive(Debug)]
pub struct BedOf<L> {
    layering: PhantomData<L>,
    pub registry: Registry,
    pub metrics: GrpcMetrics,
    pub stage: Stage,
    pub server: Server,
    pub channel: Channel,
}

impl<L: Layering> BedOf<L> {
    pub async fn new() -> Self {
        Self::with(|builder| builder).await
    }

    /// With other settings.
    pub async fn with(settings: impl FnOnce(GrpcMetricsBuilder) -> GrpcMetricsBuilder) -> Self {
        faults::expect_panics();
        let (registry, metrics) = own_metrics(settings);
        let stage = Stage::default();
        let service = Scripted { metrics: metrics.clone(), stage: stage.clone() };
        let routes = Routes::new(ScriptedServer::new(service));
        let server = if L::IS_LAYERED {
            Server::start_layered(metrics.server_layer(), routes).await
        } else {
            Server::start(routes).await
        };
        let channel = server.connect().await;
        Self { layering: PhantomData, registry, metrics, stage, server, channel }
    }

    /// With a clock that stands still unless the test moves it.
    pub async fn with_clock(
        settings: impl FnOnce(GrpcMetricsBuilder) -> GrpcMetricsBuilder,
    ) -> (Self, Arc<quanta::Mock>) {
        let (clock, time) = quanta::Clock::mock();
        (Self::with(|builder| settings(builder).clock(clock)).await, time)
    }

    /// Whether the wire says how RPCs end.
    pub fn is_layered(&self) -> bool {
        L::IS_LAYERED
    }

    /// Calls and waits to the end.
    pub async fn call(&self, kind: Kind, script: Script) -> Seen {
        clients::call(&self.channel, kind, Request::new(script)).await
    }

    /// Calls and waits for the answer's first part.
    pub async fn open(
        &self,
        kind: Kind,
        script: Script,
    ) -> Result<Response<Streaming<Reply>>, Status> {
        clients::open(&self.channel, kind, Request::new(script)).await
    }

    /// Calls in a task of its own.
    pub fn spawn(&self, kind: Kind, script: Script) -> JoinHandle<Seen> {
        self.spawn_request(kind, Request::new(script))
    }

    /// The same, with metadata.
    pub fn spawn_request(&self, kind: Kind, request: Request<Script>) -> JoinHandle<Seen> {
        let channel = self.channel.clone();
        tokio::spawn(async move { clients::call(&channel, kind, request).await })
    }

    pub fn scrape(&self) -> Scrape {
        Scrape::of(&self.registry)
    }

    /// Waits until so many handlers and streams have come to a step at which they wait.
    pub async fn until_waiting(&self, n: usize) {
        wait::until_eq(|| self.stage.waiting(), n).await;
    }

    /// Asserts that these RPCs have ended, now, and no other has started.
    pub fn assert_ended(&self, expected: &[(Kind, Code, u64)]) {
        let scrape = self.scrape();
        assert_eq!(ledger(&scrape), ledger_of(expected), "{}", scrape.text);
        assert_consistent(&scrape);
        for kind in Kind::ALL {
            let sent = expected.iter().filter(|(of, ..)| *of == kind);
            let sent: u64 = sent.map(|(.., n)| n).sum();
            assert_eq!(in_flight(&scrape, kind), 0, "{}", scrape.text);
            // What is in flight is never shown as less than nothing, so this is what sees an RPC that ends twice.
            let method = self.method(kind);
            assert_eq!((method.started(), method.finished()), (sent, sent), "{kind:?}");
        }
    }

    /// Waits until these RPCs have ended, then asserts it.
    pub async fn until_ended(&self, expected: &[(Kind, Code, u64)]) {
        let (due, all): (_, u64) = (ledger_of(expected), expected.iter().map(|(.., n)| n).sum());
        wait::until(
            || ledger(&self.scrape()),
            |now| *now == due || now.values().sum::<u64>() >= all,
        )
        .await;
        self.assert_ended(expected);
    }

    /// Ends the server with all that is left in it. Whatever would still count has to do it now; these
    /// RPCs and no others are to have been counted.
    pub async fn close(self, expected: &[(Kind, Code, u64)]) {
        self.until_ended(expected).await;
        let (before, registry) = (self.scrape(), self.registry);
        drop(self.channel);
        self.server.kill().await;
        assert_eq!(Scrape::of(&registry), before, "counted after its end");
    }

    pub fn method(&self, kind: Kind) -> MethodSnapshot {
        self.metrics.snapshot().method(SERVICE, kind.method()).unwrap().clone()
    }

    pub fn in_flight(&self, kind: Kind) -> u64 {
        // It is never shown as less than nothing.
        let method = self.method(kind);
        assert!(method.started() >= method.finished(), "{method:?}");
        in_flight(&self.scrape(), kind)
    }

    pub fn messages_sent(&self, kind: Kind) -> Option<f64> {
        let labels = [("service", SERVICE), ("method", kind.method())];
        self.scrape().value("grpc_server_stream_messages_sent_total", &labels)
    }
}

/// Metrics in a registry of their own.
pub fn own_metrics(
    settings: impl FnOnce(GrpcMetricsBuilder) -> GrpcMetricsBuilder,
) -> (Registry, GrpcMetrics) {
    let registry = Registry::new();
    let metrics = settings(GrpcMetrics::builder().registry(&registry)).build().unwrap();
    (registry, metrics)
}

/// All RPCs that have ended.
pub fn ledger(scrape: &Scrape) -> Ledger {
    let mut ledger = Ledger::new();
    let requests = scrape.with("grpc_server_requests_total", &[("service", SERVICE)]);
    for (labels, value) in requests.filter(|(_, value)| *value > 0.0) {
        // There may be a label of the program's choice, too.
        let key = (labels["method"].clone(), labels["code"].clone());
        *ledger.entry(key).or_default() += whole(value);
    }
    ledger
}

fn ledger_of(expected: &[(Kind, Code, u64)]) -> Ledger {
    let mut ledger = Ledger::new();
    for (kind, code, n) in expected {
        let labels = (kind.method().to_owned(), i32::from(*code).to_string());
        *ledger.entry(labels).or_default() += n;
    }
    ledger
}

pub fn in_flight(scrape: &Scrape, kind: Kind) -> u64 {
    let labels = [("service", SERVICE), ("method", kind.method())];
    let value = scrape.value("grpc_server_in_flight_requests", &labels);
    whole(value.expect("an in-flight series"))
}

/// A5, of what a scrape shows: the histogram counts what the counters do. Gives the RPCs that have ended, by service
/// and method. Whether more have ended than started, a snapshot tells, see [`crate::watcher`].
pub fn assert_consistent(scrape: &Scrape) -> BTreeMap<(String, String), u64> {
    let by_method = |name| {
        let mut sums = BTreeMap::<_, u64>::new();
        for (labels, value) in scrape.named(name) {
            let method = (labels["service"].clone(), labels["method"].clone());
            *sums.entry(method).or_default() += whole(value);
        }
        sums
    };
    let requests = by_method("grpc_server_requests_total");
    let durations = by_method("grpc_server_request_duration_seconds_count");
    assert_eq!(requests, durations, "{}", scrape.text);
    requests
}

/// A count, out of the float that it is exposed as.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // asserted
pub fn whole(value: f64) -> u64 {
    assert!(value >= 0.0 && value.fract() == 0.0, "no count: {value}");
    value as u64
}
