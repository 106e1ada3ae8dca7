//! Everything at once, held against the requests that reach the layer, which a layer around it counts.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use grpc_metrics_runtime::MethodSnapshot;
use support::bed::whole;
use support::clients::{self, Kind};
use support::faults::Proxy;
use support::random::{Rpc, any_rpc, run};
use support::rng::{Rng, seed};
use support::script::script;
use support::scripted::SERVICE;
use support::shapes::pb::streams_server::StreamsServer;
use support::wait::until;
use support::watcher::Watcher;
use tokio::task::{JoinSet, yield_now};
use tonic::service::{InterceptorLayer, Routes};
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Status};
use tower::util::MapRequestLayer;

use super::served::{Served, framed};
use super::unclaimed::Half;

const TASKS: u64 = 32;
const CHANNELS: usize = 8;
const SKIPPED: &str = "/testing.shapes.v1.Streams/Tail";
const GRPC: &str = "application/grpc";

/// RPCs whose ends are known, by service, method and code.
type Ended = BTreeMap<(&'static str, &'static str, i32), u64>;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn k10_every_rpc_that_reaches_the_layer_counts_once() {
    every_rpc_counts_once(250).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "takes minutes; .ci/run runs it"]
async fn k10_every_rpc_of_300_000_counts_once() {
    every_rpc_counts_once(9_600).await;
}

/// A server with the layer, and what has reached it.
async fn serve() -> (Served, Arc<AtomicU64>) {
    let reached = Arc::new(AtomicU64::new(0));
    let counter = reached.clone();
    let count = MapRequestLayer::new(move |request: http::Request<_>| {
        let is_grpc = request.headers()["content-type"] == GRPC;
        if is_grpc && request.uri().path() != SKIPPED {
            counter.fetch_add(1, Ordering::SeqCst);
        }
        request
    });
    let reject = InterceptorLayer::new(|request: Request<()>| {
        if request.metadata().contains_key("x-reject") {
            return Err(Status::unauthenticated("who are you?"));
        }
        Ok(request)
    });
    let serve = move |layer, routes: Routes, incoming, stopped| async move {
        let server = tonic::transport::Server::builder().layer(count).layer(layer);
        let mut server = server.layer(reject);
        let routes = routes.add_service(StreamsServer::new(Half));
        server.add_routes(routes).serve_with_incoming_shutdown(incoming, stopped).await
    };
    (Served::by(serve).await, reached)
}

/// A task that sends one after the other.
struct Sender {
    served: Arc<Served>,
    rng: Rng,
    channel: Channel,
    /// Over connections that are cut.
    cut: Channel,
    proxy: Arc<Proxy>,
    ended: Ended,
    /// RPCs of which nobody knows how far they get.
    hasty: u64,
}

impl Sender {
    async fn send(&mut self) {
        match self.rng.below(100) {
            0..2 => self.be_hasty().await,
            2..52 => self.call().await,
            52..60 => self.be_rejected().await,
            _ => self.send_raw().await,
        }
    }

    fn note(&mut self, service: &'static str, method: &'static str, code: Code) {
        *self.ended.entry((service, method, code.into())).or_default() += 1;
    }

    async fn call(&mut self) {
        let rpc = any_rpc(&mut self.rng);
        self.note(SERVICE, rpc.kind.method(), rpc.code);
        run(&self.channel, &self.served.stage, rpc).await;
    }

    async fn be_rejected(&mut self) {
        let kind = self.rng.pick(&Kind::ALL);
        let mut request = Request::new(script([], []));
        request.metadata_mut().insert("x-reject", "1".parse().expect("a value"));
        let seen = clients::call(&self.channel, kind, request).await;
        assert_eq!(seen.code(), Code::Unauthenticated);
        self.note(SERVICE, kind.method(), Code::Unauthenticated);
    }

    /// What no client of the service sends.
    async fn send_raw(&mut self) {
        const UNARY: &str = "/testing.v1.Scripted/Unary";
        const UPLOAD: &str = "/testing.v1.Scripted/Upload";
        // A length that is too large, and nothing of the message.
        let oversized = Bytes::from_static(&[0, 0, 0xff, 0, 0]);
        let undecodable = framed(&[0xff; 3]);
        let (path, body, method, code) = match self.rng.below(8) {
            0 => (UNARY, undecodable, "Unary", Code::Internal),
            1 => (UPLOAD, undecodable, "Upload", Code::Internal),
            2 => (UNARY, oversized, "Unary", Code::OutOfRange),
            3 => (UPLOAD, oversized, "Upload", Code::OutOfRange),
            4 => {
                let code = self.served.send(SKIPPED, GRPC, framed(b"")).await;
                return assert_eq!(code, Some(Code::NotFound));
            }
            5 => {
                let json = Bytes::from_static(b"{}");
                self.served.send(UNARY, "application/json", json).await;
                return;
            }
            n => {
                let n = (n, self.rng.below(1_000_000));
                let path = match n {
                    (6, n) => format!("/testing.v1.Scripted/Invented{n}"),
                    (_, n) => format!("/invented.v{n}.Service/Get"),
                };
                let code = self.served.send_grpc(&path, b"").await;
                assert_eq!(code, Some(Code::Unimplemented));
                return self.note("other", "other", Code::Unimplemented);
            }
        };
        assert_eq!(self.served.send(path, GRPC, body).await, Some(code));
        self.note(SERVICE, method, code);
    }

    /// Aborts, deadlines and lost connections, at any time.
    async fn be_hasty(&mut self) {
        self.hasty += 1;
        let Rpc { kind, script, .. } = any_rpc(&mut self.rng);
        let mut request = Request::new(script);
        // What hangs ends by this at the latest.
        request.set_timeout(Duration::from_millis(1 + self.rng.below(30)));
        let channel = self.cut.clone();
        let running = tokio::spawn(async move {
            // A stream that hangs has no timer in tonic.
            let answer = clients::call(&channel, kind, request);
            tokio::time::timeout(Duration::from_millis(40), answer).await
        });
        match self.rng.below(8) {
            0..3 => {
                for _ in 0..self.rng.below(40) {
                    yield_now().await;
                }
                running.abort();
            }
            3 if self.rng.below(10) == 0 => self.proxy.cut(),
            _ => drop(running.await),
        }
    }
}

async fn every_rpc_counts_once(each: u64) {
    let seed = seed();
    let (served, reached) = serve().await;
    let served = Arc::new(served);
    let proxy = Arc::new(Proxy::to(served.server.address()).await);
    let endpoint = Endpoint::from_shared(format!("http://{}", proxy.address())).expect("a URI");
    let cut: Vec<_> = (0..CHANNELS).map(|_| endpoint.connect_lazy()).collect();
    let mut channels = Vec::new();
    for _ in 0..CHANNELS {
        channels.push(served.server.connect().await);
    }
    let watcher = Watcher::of(&served.registry, &served.metrics, &served.stage);
    let all = Arc::new(Mutex::new((Ended::new(), 0)));
    let mut tasks = JoinSet::new();
    for (task, n) in (0..TASKS).zip((0..CHANNELS).cycle()) {
        let mut sender = Sender {
            served: served.clone(),
            rng: Rng::new(seed ^ (task << 32)),
            channel: channels[n].clone(),
            cut: cut[n].clone(),
            proxy: proxy.clone(),
            ended: Ended::new(),
            hasty: 0,
        };
        let all = all.clone();
        tasks.spawn(async move {
            for _ in 0..each {
                sender.send().await;
            }
            let mut all = all.lock().expect("no panic");
            all.1 += sender.hasty;
            for (key, n) in sender.ended {
                *all.0.entry(key).or_default() += n;
            }
        });
    }
    while let Some(task) = tasks.join_next().await {
        task.expect("no panic");
    }
    until(|| served.in_flight(), |n| *n == 0).await;
    watcher.stop();
    let Served { registry, metrics, server, .. } =
        Arc::into_inner(served).expect("the tasks have ended");
    // What would still count does it now.
    server.kill().await;
    let (known, hasty) = Arc::into_inner(all).expect("so").into_inner().expect("no panic");
    let reached = reached.load(Ordering::SeqCst);
    let of_known: u64 = known.values().sum();
    assert!((of_known..=of_known + hasty).contains(&reached), "{of_known}, {reached}, {hasty}");

    let snapshot = metrics.snapshot();
    let sum = |of: fn(&MethodSnapshot) -> u64| snapshot.methods().iter().map(of).sum::<u64>();
    assert_eq!((sum(MethodSnapshot::started), sum(MethodSnapshot::finished)), (reached, reached));
    for ((service, method, code), n) in known {
        let counted = snapshot.method(service, method).expect("it was counted");
        let counted = counted.requests(code.into());
        assert!(counted >= n, "{service} {method} {code}: {counted} of {n}");
        assert!(service == SERVICE || counted == n, "{service} {method} {code}: {counted} of {n}");
    }
    let scrape = support::scrape::Scrape::of(&registry);
    for name in [
        "requests_total",
        "request_duration_seconds_count",
        "request_size_bytes_count",
        "response_size_bytes_count",
    ] {
        let name = format!("grpc_server_{name}");
        let counts = scrape.named(&name).map(|(_, value)| whole(value));
        assert_eq!(counts.sum::<u64>(), reached, "{name}");
    }
}
