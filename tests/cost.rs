//! What measuring may cost: no allocation on an RPC's path, and hardly any room in a handler's future.
//!
//! In processes of their own, since other tests' threads and subscribers would be paid for here.

use std::future::Future;
use std::pin::Pin;
use std::sync::Barrier;
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

use allocation_counter::measure;
use grpc_metrics_runtime::otlp::Pusher;
use grpc_metrics_runtime::prometheus::Registry;
use grpc_metrics_runtime::{DEFAULT_BUCKETS, GrpcMetrics, RequestGuard, instrument_grpc, metadata};
use support::pb::scripted_server::Scripted;
use support::pb::{Reply, Script};
use support::ran_alone;
use tokio_stream::{Empty, Stream};
use tonic::{Code, Request, Response, Status, Streaming};

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
    if ran_alone!(no_allocation_on_the_path_of_an_rpc) {
        return;
    }
    let bare = allocations(&Bare {});
    assert!(bare.iter().all(|count| *count > 0), "the counter counts: {bare:?}");
    let [unary, failing, dropped, boxed_stream] = bare;
    // The measured stream goes into a box of the declared type.
    let measured = [unary, failing, dropped, boxed_stream + 1];
    assert_eq!(allocations(&Instrumented {}), measured);
    assert_eq!(allocations(&own()), measured);
}

#[test]
fn n1_no_allocation_with_native_histograms_once_a_duration_was_seen() {
    if ran_alone!(n1_no_allocation_with_native_histograms_once_a_duration_was_seen) {
        return;
    }
    let bare = allocations(&Bare {});
    let (clock, time) = quanta::Clock::mock();
    let builder = GrpcMetrics::builder().registry(&Registry::new()).clock(clock);
    let metrics = builder.native_histograms().build().expect("the settings are right");
    let native = Own { metrics: metrics.clone() };
    let [unary, failing, dropped, boxed_stream] = bare;
    assert_eq!(allocations(&native), [unary, failing, dropped, boxed_stream + 1]);
    // Of two powers of two, only the first duration allocates.
    let allocated = |nanos: u64| {
        let guard = metrics.guard("cost.Native", "Get");
        time.increment(nanos);
        measure(|| guard.complete(Code::Ok)).count_total
    };
    assert!(allocated(1_000_000_000) > 0);
    let first = allocated(1_100_000_000);
    assert_eq!([1_000_000_000, 1_100_000_000, 1_300_000_000].map(allocated), [0; 3], "{first}");
}

/// Allocations of an RPC of this client, after the first of its value.
fn allocations_of_client(service: &impl Scripted, client: Option<&str>) -> u64 {
    let call = || {
        let mut request = Request::new(Script::default());
        if let Some(client) = client {
            let client = client.parse().expect("a legal value");
            request.metadata_mut().insert("x-client-name", client);
        }
        assert!(run(service.unary(request)).is_ok());
    };
    call();
    measure(call).count_total
}

#[test]
fn m4_no_allocation_after_the_first_rpc_of_a_value() {
    if ran_alone!(m4_no_allocation_after_the_first_rpc_of_a_value) {
        return;
    }
    let builder = GrpcMetrics::builder().registry(&Registry::new());
    let builder = builder.label("client", metadata("x-client-name")).at_most(2);
    let labelled = Own { metrics: builder.build().expect("the settings are right") };
    let too_long = "x".repeat(1_000);
    for client in [None, Some("a"), Some("b"), Some("a"), Some("c"), Some(&too_long)] {
        let bare = allocations_of_client(&Bare {}, client);
        assert_eq!(allocations_of_client(&labelled, client), bare, "{client:?}");
    }
    // Nor for one that has no place, whatever it is.
    let other = |client: &str| allocations_of_client(&labelled, Some(client));
    let bare = allocations_of_client(&Bare {}, Some("new"));
    (0..100).for_each(|i| assert_eq!(other(&format!("{i:03}")), bare));
}

/// Bytes that stay allocated for each method and value of a label, once RPCs with these codes have ended.
#[test]
fn m4_a_method_and_value_take_some_600_bytes() {
    const VALUES: usize = 20;
    if ran_alone!(m4_a_method_and_value_take_some_600_bytes) {
        return;
    }
    let (_, methods) = many_methods();
    let builder = GrpcMetrics::builder().registry(&Registry::new());
    let builder = builder.label("client", metadata("x-client-name")).at_most(VALUES);
    let metrics = builder.build().expect("the settings are right");
    let count = |client: &str| {
        let mut headers = tonic::metadata::MetadataMap::new();
        headers.insert("x-client-name", client.parse().expect("a legal value"));
        for method in &methods {
            let guard = RequestGuard::builder("cost.Label", method).metrics(&metrics);
            guard.metadata(&headers).start().complete(Code::Ok);
        }
    };
    // What is there for each method once, is there.
    count("first");
    let held = measure(|| (1..VALUES).for_each(|i| count(&i.to_string()))).bytes_current;
    let held = usize::try_from(held).expect("what is counted stays");
    let more_bounds = metrics.snapshot().bounds().len() - DEFAULT_BUCKETS.len();
    let bytes = held / (METHODS * (VALUES - 1)) - more_bounds * 8;
    assert!((300..=700).contains(&bytes), "{bytes} bytes");
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

const METHODS: usize = 500;

/// An instance, and names for its methods.
fn many_methods() -> (GrpcMetrics, Vec<&'static str>) {
    let Own { metrics } = own();
    (metrics, (0..METHODS).map(|i| &*format!("Method{i:03}").leak()).collect())
}

/// Bytes that stay allocated for each method and thread, once each of several threads has ended RPCs with these
/// codes.
fn bytes_per_method_and_thread(codes: &[Code]) -> u64 {
    const THREADS: usize = 8;
    let (metrics, methods) = &many_methods();
    let count = || {
        for method in methods {
            for code in codes {
                metrics.guard("cost.Memory", method).complete(*code);
            }
        }
    };
    // What is there for each method once, is there.
    count();
    // Nobody takes over another one's cells.
    let barrier = Barrier::new(THREADS);
    let held = || {
        let held = measure(count).bytes_current;
        barrier.wait();
        u64::try_from(held).expect("what is counted stays")
    };
    let held: u64 = thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(held)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    held / (THREADS * METHODS) as u64
}

#[test]
fn a_thread_and_label_combination_takes_some_250_bytes() {
    if ran_alone!(a_thread_and_label_combination_takes_some_250_bytes) {
        return;
    }
    let five = [Code::Ok, Code::NotFound, Code::Cancelled, Code::Internal, Code::InvalidArgument];
    // A few more for the places that wait for further threads. The row of `Ok` is always there.
    for (codes, most) in [(&five[..1], 300), (&five[..2], 500), (&five[1..2], 500), (&five, 1_100)]
    {
        // A count for each bound; the latencies that other tests' services promise are bounds here, too.
        let rows = codes.len() + usize::from(!codes.contains(&Code::Ok));
        let more_bounds = own().metrics.snapshot().bounds().len() - DEFAULT_BUCKETS.len();
        let bytes = bytes_per_method_and_thread(codes) - (rows * more_bounds * 8) as u64;
        assert!((100..=most).contains(&bytes), "{bytes} bytes for {codes:?}");
    }
}

#[test]
fn a_snapshot_takes_no_room_for_codes_that_were_not_seen() {
    if ran_alone!(a_snapshot_takes_no_room_for_codes_that_were_not_seen) {
        return;
    }
    let (metrics, methods) = many_methods();
    for method in methods {
        metrics.guard("cost.Snapshot", method).complete(Code::Ok);
    }
    let bytes = measure(|| drop(metrics.snapshot())).bytes_max / METHODS as u64;
    assert!((100..=600).contains(&bytes), "{bytes} bytes for each method");
}

#[test]
fn n2_no_allocation_on_the_path_of_an_rpc_while_a_push_hangs() {
    if ran_alone!(n2_no_allocation_on_the_path_of_an_rpc_while_a_push_hangs) {
        return;
    }
    let own = own();
    let before = allocations(&own);
    // Takes connections, and never answers.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = silent.local_addr().expect("an address");
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime.worker_threads(1).enable_all().build().expect("a runtime");
    let pusher = runtime.block_on(async {
        let pusher = Pusher::builder(&own.metrics).endpoint(format!("http://{address}"));
        pusher.interval(Duration::from_millis(1)).start().expect("right")
    });
    let connection = silent.accept().expect("a push");
    assert_eq!(allocations(&own), before);
    drop((pusher, connection));
}
