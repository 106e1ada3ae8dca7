//! Contract, N3: what changed between two snapshots, as a user's test asserts it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::{hint, thread};

use grpc_metrics_runtime::{GrpcMetrics, Snapshot, metadata};
use support::bed::{Bare, Bed, BedOf, Layered, Layering, own_metrics};
use support::clients::Kind;
use support::script::{drain, fail, gate, hang, script, send};
use support::scripted::SERVICE;
use tonic::{Code, Request};

#[tokio::test]
async fn n3_one_line_asserts_that_a_call_counted_its_code_once() {
    let bed = Bed::new().await;
    bed.call(Kind::Unary, script([], [])).await;
    let before = bed.metrics.snapshot();
    bed.call(Kind::Unary, script([fail(Code::NotFound)], [])).await;
    let diff = bed.metrics.snapshot().since(&before);
    assert_eq!(diff.requests(), [(SERVICE, "Unary", Code::NotFound, 1)]);
    assert_eq!(diff.started(), [(SERVICE, "Unary", 1)]);
    assert_eq!(diff.in_flight(), []);
    assert_eq!(diff.client_requests(), []);
}

#[tokio::test]
async fn n3_rows_are_sorted_and_those_of_other_methods_are_left_out() {
    let bed = Bed::new().await;
    let before = bed.metrics.snapshot();
    for code in [Code::Internal, Code::Cancelled, Code::Internal] {
        bed.call(Kind::Watch, script([], [fail(code)])).await;
    }
    bed.call(Kind::Chat, script([], [])).await;
    let expected = [
        (SERVICE, "Chat", Code::Ok, 1),
        (SERVICE, "Watch", Code::Cancelled, 1),
        (SERVICE, "Watch", Code::Internal, 2),
    ];
    let after = bed.metrics.snapshot();
    assert_eq!(after.since(&before).requests(), expected);
    assert!(after.since(&after).is_empty());
    // More was counted before, so nothing since then; and the same from another instance.
    assert!(before.since(&after).is_empty(), "{}", before.since(&after));
    let (_registry, other) = own_metrics(|builder| builder);
    assert_eq!(after.since(&other.snapshot()).requests(), expected);
    assert!(other.snapshot().since(&after).is_empty());
}

#[tokio::test]
async fn n3_messages_and_the_rpc_in_flight_are_among_the_changes() {
    let bed = BedOf::<Layered>::new().await;
    let before = bed.metrics.snapshot();
    let call = bed.spawn(Kind::Chat, script([drain()], [send(), send(), gate()]));
    bed.until_waiting(2).await;
    let during = bed.metrics.snapshot();
    let diff = during.since(&before);
    assert_eq!(diff.in_flight(), [(SERVICE, "Chat", 1)]);
    assert_eq!(diff.requests(), []);
    assert_eq!(before.since(&during).in_flight(), [(SERVICE, "Chat", -1)]);
    bed.stage.open();
    call.await.unwrap();
    let after = bed.metrics.settled().await;
    assert_eq!(after.since(&during).in_flight(), [(SERVICE, "Chat", -1)]);
    let diff = after.since(&before);
    assert_eq!(diff.in_flight(), []);
    assert_eq!(diff.messages_sent(), [(SERVICE, "Chat", 2)]);
    assert_eq!(diff.messages_received(), [(SERVICE, "Chat", 1)]);
}

/// Like a `RequestGuard` of a service that the program has not named before.
#[test]
fn n3_a_method_that_the_earlier_snapshot_lacks_had_counted_nothing() {
    let (_registry, metrics) = own_metrics(|builder| builder);
    let before = metrics.snapshot();
    assert!(before.method("shop.Orders", "Get").is_none());
    let guards = ["db", "cache", "db"].map(|cause| (metrics.guard("shop.Orders", "Get"), cause));
    for (guard, cause) in guards {
        guard.complete_with_cause(Code::Internal, cause);
    }
    let diff = metrics.snapshot().since(&before);
    assert_eq!(diff.requests(), [("shop.Orders", "Get", Code::Internal, 3)]);
    let errors = [("cache", 1), ("db", 2)];
    let errors = errors.map(|(cause, count)| ("shop.Orders", "Get", Code::Internal, cause, count));
    assert_eq!(diff.errors(), errors);
}

#[tokio::test]
async fn n3_values_of_the_label_have_rows_of_their_own() {
    let label = metadata("x-client-name");
    let bed = Bed::with(|builder| builder.label("client", label).at_most(2)).await;
    let before = bed.metrics.snapshot();
    for client in ["web", "app", "web"] {
        let mut request = Request::new(script([], []));
        request.metadata_mut().insert("x-client-name", client.parse().unwrap());
        bed.spawn_request(Kind::Unary, request).await.unwrap();
    }
    let diff = bed.metrics.snapshot().since(&before);
    assert_eq!(diff.requests(), [(SERVICE, "Unary", Code::Ok, 3)]);
    let of = |client, count| (SERVICE, "Unary", client, Code::Ok, count);
    assert_eq!(diff.requests_by_label(), [of("app", 1), of("web", 2)]);
}

#[test]
fn n3_a_failed_assertion_has_a_line_for_each_change() {
    let (_registry, metrics) = own_metrics(|builder| builder);
    let before = metrics.snapshot();
    assert_eq!(before.since(&before).to_string(), "no change");
    metrics.guard("shop.Orders", "Get").complete_with_cause(Code::Internal, "db");
    let guard = metrics.guard("shop.Orders", "Put");
    let diff = metrics.snapshot().since(&before);
    let lines = [
        "shop.Orders/Get: requests Internal +1",
        "shop.Orders/Get: errors Internal db +1",
        "shop.Orders/Get: started +1",
        "shop.Orders/Put: started +1",
        "shop.Orders/Put: in flight +1",
    ];
    assert_eq!(diff.to_string(), lines.join("\n"));
    let debug: String = lines.map(|line| format!("\n    {line}")).concat();
    assert_eq!(format!("{diff:?}"), format!("SnapshotDiff{debug}"));
    drop(guard);
    assert_ne!(diff, metrics.snapshot().since(&before));
}

#[tokio::test]
async fn n3_settled_awaits_the_end_of_rpcs_that_clients_cancel() {
    cancelled::<Bare>().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn n3_settled_awaits_the_end_of_rpcs_that_clients_cancel_on_the_wire() {
    cancelled::<Layered>().await;
}

async fn cancelled<L: Layering>() {
    let bed = BedOf::<L>::new().await;
    let before = bed.metrics.snapshot();
    let call = bed.spawn(Kind::Unary, script([hang()], []));
    let stream = bed.open(Kind::Watch, script([], [send(), hang()])).await.unwrap();
    bed.until_waiting(2).await;
    call.abort();
    drop(stream);
    let diff = bed.metrics.settled().await.since(&before);
    let expected = [(SERVICE, "Unary", Code::Cancelled, 1), (SERVICE, "Watch", Code::Cancelled, 1)];
    assert_eq!(diff.requests(), expected);
}

/// A snapshot reads one method after the other, and sees the first one too early for the call that the second one makes.
#[test]
fn n3_settled_returns_all_ends_of_rpcs_that_call_each_other() {
    let (_registry, metrics) = own_metrics(|builder| builder);
    let done = AtomicBool::new(false);
    let call = |metrics: &GrpcMetrics| {
        let outer = metrics.guard("shop", "Outer");
        metrics.guard("shop", "Inner").complete(Code::Ok);
        outer.complete(Code::Ok);
    };
    call(&metrics);
    let counts = |snapshot: &Snapshot, method| {
        let method = snapshot.method("shop", method).expect("it was called");
        (method.started(), method.requests(Code::Ok))
    };
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                call(&metrics);
                // Idle for longer than a snapshot takes, or nothing ever settles.
                (0..10_000).for_each(|_| hint::spin_loop());
            }
        });
        let all_agree = (0..5_000).all(|_| {
            let settled = runtime.block_on(metrics.settled());
            counts(&settled, "Inner") == counts(&settled, "Outer")
        });
        done.store(true, Ordering::Relaxed);
        assert!(all_agree);
    });
}
