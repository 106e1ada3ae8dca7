//! Messages that are received, and sizes.

use support::bed::whole;
use support::clients::{self, Kind};
use support::pb::Script;
use support::pb::scripted_client::ScriptedClient;
use support::script::{drain, hang, script, send};
use support::scripted::SERVICE;
use support::wait::{until, until_eq};
use tokio_stream::{StreamExt, iter, pending};
use tonic::codec::CompressionEncoding;
use tonic::service::Routes;
use tonic::{Code, Request};

use super::served::{Served, scripted};

/// So many bytes are a script's message.
fn len(script: &Script) -> u64 {
    prost::Message::encoded_len(script) as u64
}

#[tokio::test]
async fn k6_messages_of_request_streams_are_counted_while_they_come() {
    let served = Served::scripted().await;
    let received = |method| {
        let snapshot = served.metrics.snapshot();
        snapshot.method(SERVICE, method).expect("an instrumented method").messages_received()
    };
    assert_eq!([received("Upload"), received("Chat")], [Some(0), Some(0)]);
    assert_eq!([received("Unary"), received("Watch")], [None, None]);
    let mut client = ScriptedClient::new(served.channel.clone());
    let messages = iter([script([drain()], []), Script::default(), Script::default()]);
    let call = tokio::spawn(async move { client.upload(messages.chain(pending())).await });
    until_eq(|| received("Upload"), Some(3)).await;
    assert_eq!(served.in_flight(), 1);
    call.abort();
    until(|| served.in_flight(), |n| *n == 0).await;
    let scrape = served.scrape();
    let name = "grpc_server_stream_messages_received_total";
    assert_eq!(scrape.value(name, &[("method", "Upload")]), Some(3.0));
    assert_eq!(scrape.label_values(name, "method"), ["Chat", "Upload"].into());
}

#[tokio::test]
async fn k7_sizes_are_the_bytes_of_an_rpc_s_messages() {
    let served = Served::scripted().await;
    let unary = script([], std::iter::repeat_n(send(), 400));
    clients::call(&served.channel, Kind::Unary, Request::new(unary.clone())).await;
    let watch = script([], std::iter::repeat_n(send(), 3));
    clients::call(&served.channel, Kind::Watch, Request::new(watch.clone())).await;
    let scrape = served.scrape();
    let value = |name: &str, method| {
        whole(
            scrape.value(&format!("grpc_server_{name}"), &[("method", method)]).expect("a series"),
        )
    };
    for (method, request, response) in [("Unary", len(&unary), 2), ("Watch", len(&watch), 6)] {
        assert_eq!(value("request_size_bytes_sum", method), request);
        assert_eq!(value("response_size_bytes_sum", method), response);
        assert_eq!(value("request_size_bytes_count", method), 1);
        assert_eq!(value("response_size_bytes_count", method), 1);
    }
    assert!(len(&unary) > 1024 && len(&unary) < 2048);
    let bucket = |bound| {
        let labels = [("method", "Unary"), ("le", bound)];
        scrape.value("grpc_server_request_size_bytes_bucket", &labels)
    };
    assert_eq!((bucket("1024"), bucket("2048")), (Some(0.0), Some(1.0)));
    assert_eq!(
        (bucket("0"), bucket("4294967296"), bucket("+Inf")),
        (Some(0.0), Some(1.0), Some(1.0))
    );
}

#[tokio::test]
async fn k7_sizes_are_those_of_compressed_messages() {
    const GZIP: CompressionEncoding = CompressionEncoding::Gzip;
    let served = Served::with(
        |layer| layer,
        |metrics, stage| Routes::new(scripted(metrics, stage).accept_compressed(GZIP)),
    )
    .await;
    let mut client = ScriptedClient::new(served.channel.clone()).send_compressed(GZIP);
    let large = script([], std::iter::repeat_n(send(), 10_000));
    client.unary(large.clone()).await.expect("it answers");
    let sum = served.scrape().value("grpc_server_request_size_bytes_sum", &[("method", "Unary")]);
    let sum = whole(sum.expect("a series"));
    assert!((1..len(&large) / 10).contains(&sum), "{sum} of {}", len(&large));
}

#[tokio::test]
async fn k7_an_upload_that_its_client_breaks_off_is_cancelled() {
    let served = Served::scripted().await;
    let mut client = ScriptedClient::new(served.channel.clone());
    let messages = iter([script([drain()], [])]).chain(pending());
    let call = tokio::spawn(async move { client.upload(messages).await });
    until_eq(|| served.stage.waiting(), 1).await;
    call.abort();
    until(|| served.in_flight(), |n| *n == 0).await;
    assert_eq!(served.ended(), [("Upload", Code::Cancelled, 1)]);
    // The handler returned OK, to nobody.
    let mut client = ScriptedClient::new(served.channel.clone());
    let call = tokio::spawn(async move { client.upload(iter([script([hang()], [])])).await });
    until_eq(|| served.stage.waiting(), 2).await;
    call.abort();
    until(|| served.in_flight(), |n| *n == 0).await;
    assert_eq!(served.ended(), [("Upload", Code::Cancelled, 2)]);
    served.assert_settled();
}
