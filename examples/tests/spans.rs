//! Nova exports its spans to a collector.

use std::{
    collections::{BTreeMap, HashSet},
    process::Command,
};

use opentelemetry_proto::tonic::trace::v1::{Span, span::SpanKind};
use tokio::task::spawn_blocking;
use traces::{
    codes,
    receiver::{Receiver, attribute},
};

/// By method and code.
pub(crate) type Counts = BTreeMap<(String, usize), u64>;

/// What the last table says: `nova.content.v1.ContentService GetPost 0=12 5=3`.
pub(crate) fn table(printed: &str) -> Counts {
    let lines = printed.lines().rev().skip_while(|line| !line.starts_with("nova."));
    let lines = lines.take_while(|line| line.starts_with("nova."));
    let mut counts = Counts::new();
    for line in lines {
        let mut words = line.split(' ');
        let method = format!("{}/{}", words.next().unwrap(), words.next().unwrap());
        for (code, n) in words.filter_map(|word| word.split_once('=')) {
            let (Ok(code), Ok(n)) = (code.parse(), n.parse()) else { continue };
            if n > 0 {
                counts.insert((method.clone(), code), n);
            }
        }
    }
    counts
}

#[tokio::test(flavor = "multi_thread")]
async fn every_rpc_has_a_span_with_the_metrics_code_in_its_clients_trace() {
    let receiver = Receiver::start().await;
    let mut nova = Command::new(env!("CARGO_BIN_EXE_nova"));
    nova.args(["--grpc", "127.0.0.1:0", "--metrics", "127.0.0.1:0", "--seconds", "2"]);
    nova.args(["--otlp", &receiver.address().to_string()]);
    let output = spawn_blocking(move || nova.output().unwrap()).await.unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{printed}");

    let spans = receiver.spans();
    let of_kind = |kind: SpanKind| spans.iter().filter(move |span| span.kind() == kind);
    let mut counts = Counts::new();
    for span in of_kind(SpanKind::Server) {
        let code = attribute(span, "rpc.response.status_code").unwrap();
        let code = codes::NAMES.iter().position(|name| *name == code).unwrap();
        *counts.entry((attribute(span, "rpc.method").unwrap().to_owned(), code)).or_default() += 1;
    }
    assert!(!counts.is_empty());
    assert_eq!(counts, table(&printed));

    let ids = |span: &Span| (span.trace_id.clone(), span.span_id.clone());
    let clients: HashSet<_> = of_kind(SpanKind::Client).map(ids).collect();
    let parent = |span: &Span| (span.trace_id.clone(), span.parent_span_id.clone());
    for span in of_kind(SpanKind::Server) {
        assert!(clients.contains(&parent(span)), "{span:?}");
    }
    // A trace begins in the load. A service's own call is in the RPC that makes it.
    let servers: HashSet<_> = of_kind(SpanKind::Server).map(ids).collect();
    let own = of_kind(SpanKind::Client).filter(|span| !span.parent_span_id.is_empty());
    let own: Vec<_> = own.collect();
    assert!(!own.is_empty());
    for span in own {
        assert!(servers.contains(&parent(span)), "{span:?}");
    }
}
