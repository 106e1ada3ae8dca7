//! M1: beside a server that uses go-grpc-prometheus itself. Needs Debian's `etcd-server`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};

use grpc_metrics_runtime::Naming;
use support::process::Process;
use support::scrape::Scrape;
use support::wait::block_until;
use tonic::client::Grpc;
use tonic::transport::Channel;
use tonic::{Request, Status};
use tonic_prost::ProstCodec;

use super::{busy, labels};

/// What our metrics have in addition, since go-grpc-prometheus has nothing of it.
const EXTENSIONS: [&str; 4] = [
    "grpc_server_in_flight_requests",
    "grpc_server_method_info",
    "grpc_server_request_size_bytes",
    "grpc_server_response_size_bytes",
];

fn free() -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

fn get(url: &str) -> Option<String> {
    let host = url.strip_prefix("http://")?;
    let mut stream = TcpStream::connect(host).ok()?;
    write!(stream, "GET /metrics HTTP/1.0\r\nHost: {host}\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    head.contains(" 200 ").then(|| body.to_owned())
}

/// A server of etcd's that has answered a unary call and a stream.
fn etcd() -> (Process, String) {
    let [clients, peers] = [free(), free()];
    let directory =
        Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("etcd-{}", std::process::id()));
    fs::create_dir_all(&directory).unwrap();
    let process = Process::start(
        Command::new("etcd")
            .args(["--metrics", "extensive", "--name", "default", "--data-dir"])
            .arg(directory.join("data"))
            .args(["--listen-client-urls", &clients, "--advertise-client-urls", &clients])
            .args(["--listen-peer-urls", &peers, "--initial-advertise-peer-urls", &peers])
            .args(["--initial-cluster", &format!("default={peers}")])
            .stdout(Stdio::null())
            .stderr(Stdio::null()),
    );
    block_until(|| get(&clients), Option::is_some);
    (process.with_directory(directory), clients)
}

/// Calls a method with an empty message.
async fn call(channel: &Channel, path: &'static str) -> Result<(), Status> {
    let mut client = Grpc::new(channel.clone());
    client.ready().await.map_err(|error| Status::unavailable(error.to_string()))?;
    let path = http::uri::PathAndQuery::from_static(path);
    client.unary(Request::new(()), path, ProstCodec::<(), ()>::default()).await.map(drop)
}

/// The families of go-grpc-prometheus in a scrape, with their types and labels.
fn families(scrape: &Scrape) -> BTreeMap<&str, (&str, BTreeSet<Vec<&str>>)> {
    let labels =
        labels(scrape).into_iter().filter(|(family, _)| family.starts_with("grpc_server_"));
    labels.map(|(family, labels)| (family, (scrape.types[family].as_str(), labels))).collect()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Debian's etcd-server"]
async fn m1_go_grpc_prometheus_is_as_etcd_has_it() {
    let (_process, url) = etcd();
    let channel = Channel::from_shared(url.clone()).unwrap().connect().await.unwrap();
    call(&channel, "/etcdserverpb.Cluster/MemberList").await.unwrap();
    let theirs = Scrape::parse(get(&url).unwrap());
    let ours = busy(|builder| builder.naming(Naming::GoGrpcPrometheus)).await.scrape();

    let mut our_families = families(&ours);
    for extension in EXTENSIONS {
        assert!(our_families.remove(extension).is_some(), "{extension}");
    }
    assert_eq!(our_families, families(&theirs));
    let handled = "grpc_server_handled_total";
    assert_eq!(ours.label_values(handled, "grpc_code"), theirs.label_values(handled, "grpc_code"));
    // A unary method of each, with the same calls: OK once is one message there and one back.
    for (name, value) in [
        ("grpc_server_started_total", 1.0),
        ("grpc_server_msg_received_total", 1.0),
        ("grpc_server_msg_sent_total", 1.0),
        ("grpc_server_handling_seconds_count", 1.0),
    ] {
        let labels = [("grpc_method", "MemberList"), ("grpc_type", "unary")];
        assert_eq!(theirs.value(name, &labels), Some(value), "{name}");
    }
    let kinds = |scrape: &Scrape| -> BTreeSet<String> {
        let kinds = scrape.label_values("grpc_server_started_total", "grpc_type");
        kinds.into_iter().map(str::to_owned).collect()
    };
    // etcd has no method with a stream of requests alone.
    let missing = BTreeSet::from(["client_stream".to_owned()]);
    assert_eq!(&kinds(&theirs) | &missing, kinds(&ours));
    let buckets = |scrape: &Scrape| -> BTreeSet<String> {
        let bounds = scrape.label_values("grpc_server_handling_seconds_bucket", "le");
        bounds.into_iter().map(str::to_owned).collect()
    };
    assert_eq!(buckets(&theirs), buckets(&ours));
}
