//! Nova pushes its metrics to a collector.

use std::process::Command;

use support::{
    bed::whole,
    collector::{Collector, Pushed},
};
use tokio::task::spawn_blocking;

use crate::spans::{Counts, table};

/// RPCs by method and code.
fn counts(pushed: &Pushed) -> Counts {
    let series = pushed.series().into_iter();
    let requests = series.filter(|((name, _), _)| name == "grpc_server_requests_total");
    let counts = requests.map(|((_, labels), value)| {
        let method = format!("{}/{}", labels["service"], labels["method"]);
        ((method, labels["code"].parse().unwrap()), whole(value))
    });
    counts.filter(|(_, count)| *count > 0).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn n2_the_last_push_has_what_the_clients_counted() {
    let collector = Collector::start().await;
    let mut nova = Command::new(env!("CARGO_BIN_EXE_nova"));
    nova.args(["--grpc", "127.0.0.1:0", "--metrics", "127.0.0.1:0", "--seconds", "2"]);
    nova.args(["--otlp", &collector.address().to_string()]);
    let output = spawn_blocking(move || nova.output().unwrap()).await.unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{printed}");

    let pushed = collector.last();
    assert_eq!(pushed.resource["service.name"], "nova");
    let counts = counts(&pushed);
    assert!(!counts.is_empty());
    assert_eq!(counts, table(&printed));
}
