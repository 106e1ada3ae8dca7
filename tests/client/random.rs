//! L3: thousands of calls with random endings, dropped at random.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use grpc_metrics_runtime::MethodSnapshot;
use support::random::{Rpc, any_rpc};
use support::rng::{Rng, seed};
use support::wait::until_eq;
use tokio::task::{JoinSet, yield_now};
use tokio::time::timeout;
use tonic::{Code, Request};

use super::called::{Called, Way};

const TASKS: u64 = 16;
const EACH: u64 = 80;

/// The code that counts for a call whose caller saw it through.
fn code(way: Way, result: Result<usize, tonic::Status>) -> Code {
    match result {
        // The layer does not know that one is due.
        Err(status) if way == Way::Layer && status.message() == "Missing response message." => {
            Code::Ok
        }
        Ok(_) => Code::Ok,
        Err(status) if status.message() == "Timeout expired" => Code::DeadlineExceeded,
        Err(status) => status.code(),
    }
}

fn sum(called: &Called, of: fn(&MethodSnapshot) -> u64) -> u64 {
    called.metrics.snapshot().client_methods().iter().map(of).sum()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn l3_no_call_is_lost_or_doubled() {
    for way in Way::ALL {
        let seed = seed();
        let called = Called::scripted(way).await;
        let before = sum(&called, MethodSnapshot::started);
        let results = Arc::new(Mutex::new(BTreeMap::<(&'static str, i32), u64>::new()));
        let mut tasks = JoinSet::new();
        for task in 0..TASKS {
            let mut rng = Rng::new(seed ^ (task << 32));
            let client = called.client(called.server.connect().await);
            let results = Arc::clone(&results);
            tasks.spawn(async move {
                for _ in 0..EACH {
                    let Rpc { kind, script, .. } = any_rpc(&mut rng);
                    let mut request = Request::new(script);
                    request.set_timeout(Duration::from_millis(1 + rng.below(30)));
                    let yields = rng.below(60);
                    let call = timeout(Duration::from_millis(40), client.call(kind, request));
                    let patience = async {
                        for _ in 0..yields {
                            yield_now().await;
                        }
                        if yields > 30 {
                            std::future::pending::<()>().await;
                        }
                    };
                    // Polls the call first, so that it starts.
                    tokio::select! {
                        biased;
                        result = call => if let Ok(result) = result {
                            let key = (kind.method(), i32::from(code(way, result)));
                            *results.lock().unwrap().entry(key).or_default() += 1;
                        },
                        () = patience => {}
                    }
                }
            });
        }
        while let Some(task) = tasks.join_next().await {
            task.unwrap();
        }
        until_eq(|| called.in_flight(), 0).await;
        let started = sum(&called, MethodSnapshot::started) - before;
        match way {
            Way::Attribute => assert_eq!(started, TASKS * EACH),
            // Some were dropped before the channel was ready.
            Way::Layer => assert!((1..=TASKS * EACH).contains(&started), "{started}"),
        }
        let ended = called.ended();
        assert_eq!(ended.iter().map(|(.., count)| count).sum::<u64>(), started);
        for ((method, code), results) in results.lock().unwrap().iter() {
            let code = Code::from(*code);
            // tonic's server answers so, before or after the deadline.
            let late = code == Code::Cancelled;
            let counted = ended.iter().filter(|(of, with, _)| {
                of == method && (*with == code || late && *with == Code::DeadlineExceeded)
            });
            let counted = counted.map(|(.., count)| count).sum::<u64>();
            assert!(counted >= *results, "{method} {code:?}: {counted}, callers saw {results}");
        }
    }
}
