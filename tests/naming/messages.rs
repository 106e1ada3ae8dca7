//! M1: messages, where those of unary methods count, too.

use bytes::Bytes;
use grpc_metrics_runtime::{GrpcMetricsBuilder, Naming};
use http_body::Frame;
use http_body_util::StreamBody;
use support::bed::{Bare, BedOf, Layered};
use support::clients::Kind;
use support::scrape::Scrape;
use support::script::{fail, script, send};
use support::scripted::SERVICE;
use support::wait::until_eq;
use tokio_stream::iter;
use tonic::body::Body;
use tonic::transport::Channel;
use tonic::{Code, Status};
use tower::Service as _;

use super::finished;

fn naming(builder: GrpcMetricsBuilder) -> GrpcMetricsBuilder {
    builder.naming(Naming::GoGrpcPrometheus)
}

/// The messages received and sent.
fn messages(scrape: &Scrape, service: &str, method: &str) -> [Option<f64>; 2] {
    ["received", "sent"].map(|way| {
        let labels = [("grpc_service", service), ("grpc_method", method)];
        scrape.value(&format!("grpc_server_msg_{way}_total"), &labels)
    })
}

#[tokio::test]
async fn m1_without_the_layer_a_message_has_arrived_if_its_rpc_has_started() {
    let bed = BedOf::<Bare>::with(naming).await;
    for kind in Kind::ALL {
        let stream = if kind.streams() { vec![send(), send()] } else { vec![] };
        bed.call(kind, script([], stream)).await;
        bed.call(kind, script([fail(Code::NotFound)], [])).await;
    }
    until_eq(|| finished(&bed), 4 * 2).await;
    let scrape = bed.scrape();
    for (method, expected) in [
        ("Unary", [Some(2.0), Some(1.0)]),
        ("Watch", [Some(2.0), Some(2.0)]),
        // Nobody has seen the request's stream.
        ("Upload", [None, Some(1.0)]),
        ("Chat", [None, Some(2.0)]),
    ] {
        assert_eq!(messages(&scrape, SERVICE, method), expected, "{method}\n{}", scrape.text);
    }
}

/// Asks for a path with this body, of which the end may be missing.
async fn ask(channel: &Channel, path: &str, data: &'static [u8], is_whole: bool) {
    let end = (!is_whole).then(|| Err(Status::cancelled("broken off")));
    let frames = [Ok(Frame::data(Bytes::from_static(data)))].into_iter().chain(end);
    let request = http::Request::post(format!("http://scripted{path}"))
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .body(Body::new(StreamBody::new(iter(frames))))
        .expect("a legal request");
    let mut channel = channel.clone();
    std::future::poll_fn(|cx| channel.poll_ready(cx)).await.expect("it is connected");
    drop(channel.call(request).await);
}

#[tokio::test]
async fn m1_with_the_layer_a_message_has_arrived_if_it_is_whole() {
    let bed = BedOf::<Layered>::with(naming).await;
    let unary = format!("/{SERVICE}/Unary");
    // It can't be decoded.
    ask(&bed.channel, &unary, b"\0\0\0\0\x02\xff\xff", true).await;
    until_eq(|| finished(&bed), 1).await;
    assert_eq!(messages(&bed.scrape(), SERVICE, "Unary"), [Some(1.0), Some(0.0)]);
    ask(&bed.channel, &unary, b"\0\0\0\0\x02\xff", false).await;
    until_eq(|| finished(&bed), 2).await;
    let scrape = bed.scrape();
    assert_eq!(messages(&scrape, SERVICE, "Unary"), [Some(1.0), Some(0.0)], "{}", scrape.text);
    let started = [("grpc_service", SERVICE), ("grpc_method", "Unary")];
    assert_eq!(scrape.value("grpc_server_started_total", &started), Some(2.0));
}
