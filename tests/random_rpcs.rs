//! Contract, A5: thousands of RPCs of all kinds with random endings, from many tasks, and scrapes all the
//! while.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use grpc_metrics_runtime::{GrpcMetricsBuilder, MethodSnapshot, metadata};
use support::bed::{Bare, Bed, BedOf, Layered, Layering, Ledger, in_flight, ledger};
use support::clients::{Kind, Seen, call};
use support::faults::Proxy;
use support::random::{CLIENT, Rpc, any_rpc, run};
use support::rng::{Rng, seed};
use support::script::{gate, script};
use support::scripted::SERVICE;
use support::wait::until;
use support::watcher::Watcher;
use tokio::task::{JoinSet, yield_now};
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request};

async fn channels<L: Layering>(bed: &BedOf<L>, n: usize) -> Vec<Channel> {
    let mut channels = Vec::new();
    for _ in 0..n {
        channels.push(bed.server.connect().await);
    }
    channels
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a5_random_rpcs_are_counted_exactly() {
    random_rpcs_are_counted_exactly::<Bare>(|builder| builder).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn k10_random_rpcs_are_counted_exactly_on_the_wire() {
    random_rpcs_are_counted_exactly::<Layered>(|builder| builder).await;
}

/// Of the seven clients, two have their own series.
fn by_client(builder: GrpcMetricsBuilder) -> GrpcMetricsBuilder {
    builder.label("client", metadata(CLIENT)).on_durations().at_most(2)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn m4_random_rpcs_are_counted_exactly_by_client() {
    random_rpcs_are_counted_exactly::<Bare>(by_client).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn m4_random_rpcs_are_counted_exactly_by_client_on_the_wire() {
    random_rpcs_are_counted_exactly::<Layered>(by_client).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn n1_random_rpcs_are_counted_exactly_with_native_histograms() {
    random_rpcs_are_counted_exactly::<Bare>(GrpcMetricsBuilder::native_histograms).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn n1_random_rpcs_are_counted_exactly_with_native_histograms_on_the_wire() {
    random_rpcs_are_counted_exactly::<Layered>(GrpcMetricsBuilder::native_histograms).await;
}

async fn random_rpcs_are_counted_exactly<L: Layering>(
    settings: fn(GrpcMetricsBuilder) -> GrpcMetricsBuilder,
) {
    const TASKS: u64 = 32;
    const EACH: u64 = 150;
    let seed = seed();
    let bed = BedOf::<L>::with(settings).await;
    let channels = channels(&bed, 8).await;
    let watcher = Watcher::start(&bed);
    let expected = Arc::new(Mutex::new(BTreeMap::<(Kind, i32), u64>::new()));
    let mut tasks = JoinSet::new();
    for task in 0..TASKS {
        let mut rng = Rng::new(seed ^ (task << 32));
        let channel = rng.pick(&(0..channels.len()).collect::<Vec<_>>());
        let (channel, stage) = (channels[channel].clone(), bed.stage.clone());
        let expected = expected.clone();
        tasks.spawn(async move {
            for _ in 0..EACH {
                let rpc = any_rpc(&mut rng);
                let key = (rpc.kind, i32::from(rpc.code));
                *expected.lock().unwrap().entry(key).or_default() += 1;
                run(&channel, &stage, rpc).await;
            }
        });
    }
    while let Some(task) = tasks.join_next().await {
        task.unwrap();
    }
    let expected = expected.lock().unwrap().clone();
    let expected: Vec<_> =
        expected.into_iter().map(|((kind, code), n)| (kind, Code::from(code), n)).collect();
    let sent: u64 = expected.iter().map(|(.., n)| n).sum();
    assert_eq!(sent, TASKS * EACH);
    assert_eq!(bed.stage.entered() as u64, sent);
    bed.until_ended(&expected).await;
    watcher.stop();
    bed.close(&expected).await;
}

/// What clients know for sure: a status of the handler's own reached them, so it was counted.
fn note(seen: &Seen, kind: Kind, noted: &Mutex<Ledger>) {
    let of_handler = match &seen.failure {
        Some(failure) => failure.message.starts_with("scripted failure"),
        None => true,
    };
    if of_handler {
        let key = (kind.method().to_owned(), i32::from(seen.code()).to_string());
        *noted.lock().unwrap().entry(key).or_default() += 1;
    }
}

/// RPCs aborted at any time, deadlines of milliseconds, connections cut: nobody can say how each of them
/// ends, or whether it gets as far as its handler. The handlers' own count is what they are held against.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a5_whatever_happens_no_rpc_is_lost_or_doubled() {
    whatever_happens_no_rpc_is_lost_or_doubled::<Bare>().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn k10_whatever_happens_no_rpc_is_lost_or_doubled_on_the_wire() {
    whatever_happens_no_rpc_is_lost_or_doubled::<Layered>().await;
}

async fn whatever_happens_no_rpc_is_lost_or_doubled<L: Layering>() {
    const TASKS: u64 = 32;
    const EACH: u64 = 120;
    let seed = seed();
    let bed = BedOf::<L>::new().await;
    let proxy = Arc::new(Proxy::to(bed.server.address()).await);
    let endpoint = Endpoint::from_shared(format!("http://{}", proxy.address())).unwrap();
    let channels: Vec<_> = (0..8).map(|_| endpoint.connect_lazy()).collect();
    let watcher = Watcher::start(&bed);
    let noted = Arc::new(Mutex::new(Ledger::new()));
    let mut tasks = JoinSet::new();
    for task in 0..TASKS {
        let mut rng = Rng::new(seed ^ (task << 32));
        let channel = channels[usize::try_from(task).unwrap() % channels.len()].clone();
        let (proxy, noted) = (proxy.clone(), noted.clone());
        tasks.spawn(async move {
            for _ in 0..EACH {
                let Rpc { kind, script, .. } = any_rpc(&mut rng);
                let mut request = Request::new(script);
                // What hangs ends by this at the latest.
                request.set_timeout(Duration::from_millis(1 + rng.below(30)));
                let (channel, noted) = (channel.clone(), noted.clone());
                let running = tokio::spawn(async move {
                    let answer = call(&channel, kind, request);
                    // A stream that hangs has no timer in tonic.
                    if let Ok(seen) = tokio::time::timeout(Duration::from_millis(40), answer).await
                    {
                        note(&seen, kind, &noted);
                    }
                });
                match rng.below(8) {
                    0..3 => {
                        for _ in 0..rng.below(40) {
                            yield_now().await;
                        }
                        running.abort();
                    }
                    3 if rng.below(10) == 0 => proxy.cut(),
                    _ => drop(running.await),
                }
            }
        });
    }
    while let Some(task) = tasks.join_next().await {
        task.unwrap();
    }
    until(
        || Kind::ALL.map(|kind| in_flight(&bed.scrape(), kind)),
        |in_flight| *in_flight == [0; 4],
    )
    .await;
    watcher.stop();
    let BedOf { server, registry, metrics, stage, .. } = bed;
    server.kill().await;
    let entered = stage.entered() as u64;
    assert!(entered >= TASKS * EACH / 4, "hardly any got there");
    let snapshot = metrics.snapshot();
    let methods = || snapshot.methods().iter();
    let started = methods().map(MethodSnapshot::started).sum::<u64>();
    assert_eq!(methods().map(MethodSnapshot::finished).sum::<u64>(), started);
    if L::IS_LAYERED {
        // Some got no further than the layer.
        assert!((entered..=TASKS * EACH).contains(&started), "{entered}, {started}");
    } else {
        assert_eq!(started, entered);
    }
    let counted = ledger(&support::scrape::Scrape::of(&registry));
    assert_eq!(counted.values().sum::<u64>(), started);
    for (key, seen) in noted.lock().unwrap().iter() {
        let counted = counted.get(key).copied().unwrap_or(0);
        assert!(counted >= *seen, "{key:?}: {counted}, clients saw {seen}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a5_ten_thousand_in_flight_at_once() {
    const EACH: usize = 2_500;
    let bed = Bed::new().await;
    let channels = channels(&bed, 8).await;
    let watcher = Watcher::start(&bed);
    let mut calls = JoinSet::new();
    for n in 0..EACH * Kind::ALL.len() {
        let kind = Kind::ALL[n % Kind::ALL.len()];
        let channel = channels[n % channels.len()].clone();
        let request = Request::new(script([gate()], []));
        calls.spawn(async move { call(&channel, kind, request).await });
    }
    bed.until_waiting(EACH * Kind::ALL.len()).await;
    for kind in Kind::ALL {
        assert_eq!(bed.in_flight(kind), EACH as u64, "{kind:?}");
    }
    let snapshot = bed.metrics.snapshot();
    let of_all = Kind::ALL.map(|kind| snapshot.method(SERVICE, kind.method()).unwrap());
    let sum = |of: fn(&MethodSnapshot) -> u64| of_all.iter().map(|method| of(method)).sum::<u64>();
    assert_eq!((sum(MethodSnapshot::started), sum(MethodSnapshot::finished)), (10_000, 0));
    bed.stage.open();
    while let Some(seen) = calls.join_next().await {
        assert_eq!(seen.unwrap().code(), Code::Ok);
    }
    let expected = Kind::ALL.map(|kind| (kind, Code::Ok, EACH as u64));
    bed.assert_ended(&expected);
    watcher.stop();
    bed.close(&expected).await;
}
