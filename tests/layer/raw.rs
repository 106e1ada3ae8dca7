//! Clients below gRPC: they write frames, and have no timers.

use std::net::SocketAddr;

use bytes::Bytes;
use h2::client::{ResponseFuture, SendRequest};
use h2::{RecvStream, SendStream};
use tokio::net::TcpStream;
use tonic::Code;

/// A connection that speaks HTTP/2.
#[derive(Clone)]
pub(super) struct Raw(SendRequest<Bytes>, SocketAddr);

/// A request whose body the test writes.
pub(super) struct Asked {
    pub(super) body: SendStream<Bytes>,
    answer: ResponseFuture,
}

impl Raw {
    pub(super) async fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.expect("the server listens");
        let (client, connection) = h2::client::handshake(stream).await.expect("it speaks HTTP/2");
        tokio::spawn(async move { drop(connection.await) });
        Self(client, address)
    }

    /// Sends the headers of an RPC.
    pub(super) async fn ask(&self, path: &str, timeout: Option<&str>) -> Asked {
        let mut request = http::Request::post(format!("http://{}{path}", self.1))
            .header("content-type", "application/grpc")
            .header("te", "trailers");
        if let Some(timeout) = timeout {
            request = request.header("grpc-timeout", timeout);
        }
        let mut client = self.0.clone().ready().await.expect("the connection is open");
        let request = request.body(()).expect("a legal request");
        let (answer, body) = client.send_request(request, false).expect("a new stream");
        Asked { body, answer }
    }
}

impl Asked {
    pub(super) fn send(&mut self, data: impl Into<Bytes>, is_last: bool) {
        self.body.send_data(data.into(), is_last).expect("the stream is open");
    }

    /// Waits for the status that the wire has.
    pub(super) async fn code(self) -> Option<Code> {
        let response = self.answer.await.ok()?;
        let code = |headers: &http::HeaderMap| {
            headers.get("grpc-status").map(|status| Code::from_bytes(status.as_bytes()))
        };
        match code(response.headers()) {
            Some(code) => Some(code),
            None => trailers(response.into_body()).await.as_ref().and_then(code),
        }
    }
}

async fn trailers(mut body: RecvStream) -> Option<http::HeaderMap> {
    while let Some(data) = body.data().await {
        let data = data.ok()?;
        body.flow_control().release_capacity(data.len()).ok()?;
    }
    body.trailers().await.ok()?
}
