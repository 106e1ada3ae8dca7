//! Clients can't make memory grow.

use std::collections::BTreeSet;

use support::bed::{Bare, BedOf, Layered, Layering};
use support::clients::Kind;
use support::rng::{Rng, seed};
use support::script::script;
use support::scripted::SERVICE;
use tokio::task::JoinSet;
use tonic::Code;

use super::{REQUESTS, by_client, request, requests, snapshot_of};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn m4_ten_thousand_values_leave_as_many_as_there_are_places() {
    many_values::<Bare>(250).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn m4_many_values_leave_as_many_as_there_are_places_on_the_wire() {
    many_values::<Layered>(50).await;
}

/// From several connections, all of which send new values at once.
async fn many_values<L: Layering>(each: u64) {
    const PLACES: usize = 20;
    const TASKS: u64 = 40;
    let seed = seed();
    let bed = BedOf::<L>::with(by_client(PLACES)).await;
    let mut tasks = JoinSet::new();
    for task in 0..TASKS {
        let mut rng = Rng::new(seed ^ (task << 32));
        let channel = bed.server.connect().await;
        tasks.spawn(async move {
            for i in 0..each {
                // The longest ones have no place anyway.
                let length = usize::try_from(rng.below(150)).expect("small");
                let client = format!("{task}-{i}-{}", "x".repeat(length));
                let request = request(script([], []), Some(&client));
                let answer = support::clients::call(&channel, Kind::Unary, request).await;
                assert_eq!(answer.code(), Code::Ok);
            }
        });
    }
    while let Some(task) = tasks.join_next().await {
        task.expect("no panic");
    }
    bed.until_ended(&[(Kind::Unary, Code::Ok, TASKS * each)]).await;
    let by_client = requests(&bed.scrape(), "Unary");
    assert_eq!(by_client.values().sum::<u64>(), TASKS * each);
    let own: BTreeSet<_> =
        by_client.keys().filter(|client| !["", "other"].contains(&client.as_str())).collect();
    assert_eq!(own.len(), PLACES);
    assert!(own.iter().all(|client| client.len() <= 128), "{own:?}");
    let labels = [("service", SERVICE), ("method", "Unary")];
    let series = bed.scrape().with(REQUESTS, &labels).count();
    assert_eq!(series, (PLACES + 2) * 7, "each value has the starting codes");
    let shown = by_client.iter().filter(|(_, count)| **count > 0);
    assert!(shown.eq(&snapshot_of(&bed.metrics, SERVICE, "Unary")));
}
