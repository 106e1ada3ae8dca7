//! Paths that clients invent, by the million. Without a network: a request takes microseconds, and its allocations are
//! its thread's.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::ops::Range;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::thread;

use allocation_counter::measure;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, Response, Uri, header};
use http_body_util::Empty;
use support::bed::own_metrics;
use support::scrape::Scrape;
use tonic::Code;
use tower::{Layer, Service, service_fn};

const MILLION: u64 = 1_000_000;
/// So many are accepted, and so many rejected, of the service that the layer is told of. A few, since the search among its
/// methods takes time.
const HUNDREDTH: u64 = MILLION / 100;
/// The most methods that are learned of one service.
const MOST_LEARNED: usize = 64;

/// One of the million.
fn path(n: u64) -> String {
    match n % 100 {
        // Of the service that the layer is told of.
        0 => format!("/plain/Accepted{n}"),
        1 => format!("/plain/Invented{n}"),
        // Of a measured service, and of none that there is.
        2..10 => format!("/testing.v1.Scripted/Invented{n}"),
        _ => format!("/v{n}/Get"),
    }
}

/// Rejects what it does not know, as tonic's router does.
async fn answer<B>(request: Request<B>) -> Result<Response<Empty<Bytes>>, Infallible> {
    static STATUS: HeaderName = HeaderName::from_static("grpc-status");
    let is_accepted = request.uri().path().starts_with("/plain/Accepted");
    let status = HeaderValue::from_static(if is_accepted { "0" } else { "12" });
    let mut response = Response::new(Empty::new());
    response.headers_mut().insert(&STATUS, status);
    Ok(response)
}

#[test]
fn k3_a_million_unknown_paths_take_no_memory() {
    const BEFORE: u64 = 10_000;
    let (registry, metrics) = own_metrics(|builder| builder);
    let service = metrics.server_layer().service("plain").layer(service_fn(answer));
    let asker = || {
        let mut service = service.clone();
        move |n| {
            let path = Bytes::from(path(n));
            let mut request = Request::new(());
            *request.uri_mut() = Uri::from_maybe_shared(path).expect("a legal path");
            let grpc = HeaderValue::from_static("application/grpc");
            request.headers_mut().insert(header::CONTENT_TYPE, grpc);
            let mut context = Context::from_waker(Waker::noop());
            let answered = pin!(service.call(request)).poll(&mut context);
            assert!(matches!(answered, Poll::Ready(Ok(_))), "it answers at once");
        }
    };
    let series = || Scrape::of(&registry).series.into_keys().collect::<BTreeSet<_>>();
    let flood = |mut range: Range<u64>| {
        let mut ask = asker();
        // A thread's cells stay.
        range.by_ref().take(100).for_each(&mut ask);
        let len = range.end - range.start;
        let allocated = measure(|| range.for_each(ask));
        assert!(allocated.count_total > len, "the counter counts: {allocated:?}");
        assert_eq!(allocated.bytes_current, 0, "what stays: {allocated:?}");
        // Some for one request, and none for those before.
        assert!(allocated.bytes_max < 16 * 1024, "{allocated:?}");
    };

    // So do methods that are learned.
    (0..BEFORE).for_each(asker());
    let before = series();
    thread::scope(|scope| {
        for range in [BEFORE..MILLION / 2, MILLION / 2..MILLION] {
            scope.spawn(|| flood(range));
        }
    });
    assert_eq!(series(), before, "new series");

    let snapshot = metrics.snapshot();
    let requests = |service, method, code| {
        snapshot.method(service, method).map_or(0, |method| method.requests(code))
    };
    assert_eq!(requests("other", "other", Code::Unimplemented), MILLION - HUNDREDTH);
    assert_eq!(requests("other", "other", Code::Ok), HUNDREDTH - MOST_LEARNED as u64);
    let of = |service| snapshot.methods().iter().filter(move |of| of.service() == service);
    assert_eq!(of("other").count(), 1);
    let learned: BTreeSet<_> = of("plain").map(|of| of.method().to_owned()).collect();
    let first = (0..).step_by(100).take(MOST_LEARNED).map(|n| format!("Accepted{n}"));
    assert_eq!(learned, first.collect());
    for method in of("plain") {
        assert_eq!((method.requests(Code::Ok), method.finished()), (1, 1));
    }
}
