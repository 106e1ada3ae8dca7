//! Calls the collector.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use bytes::{BufMut, Bytes};
use http::uri::PathAndQuery;
use http::{HeaderMap, Uri};
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceResponse;
use prost::Message;
use tonic::client::Grpc;
use tonic::codec::{Codec, CompressionEncoding, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::metadata::MetadataMap;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Extensions, Request, Status};

use super::quiet::Quiet;
use super::{Error, PushError};

const EXPORT: &str = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export";

const USER_AGENT: &str = concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION"));

/// A connection to the collector, made when it is first used.
#[derive(Debug)]
pub(super) struct Transport {
    /// `None` if the channel is the program's.
    endpoint: Option<Endpoint>,
    channel: Option<Channel>,
    metadata: MetadataMap,
    gzip: bool,
}

impl Transport {
    /// Returns a transport to the program's channel, or to the address if there is none.
    pub(super) fn new(
        channel: Option<Channel>,
        address: Option<Uri>,
        headers: HeaderMap,
        timeout: Duration,
        gzip: bool,
    ) -> Result<Self, Error> {
        let endpoint = address.map(|address| endpoint(&address, timeout)).transpose()?;
        Ok(Self { endpoint, channel, metadata: MetadataMap::from_headers(headers), gzip })
    }

    /// Connects anew with the next request: a connection may be dead without having been closed.
    pub(super) fn reconnect(&mut self) {
        if self.endpoint.is_some() {
            self.channel = None;
        }
    }

    /// Sends an encoded `ExportMetricsServiceRequest`. The timeout is the caller's.
    pub(super) async fn send(&mut self, request: Bytes) -> Result<(), PushError> {
        Quiet::new(self.send_request(request)).await
    }

    async fn send_request(&mut self, request: Bytes) -> Result<(), PushError> {
        let channel = match (&self.channel, &self.endpoint) {
            (Some(channel), _) => channel.clone(),
            (None, Some(endpoint)) => self.channel.insert(endpoint.connect_lazy()).clone(),
            // There is an endpoint if there is no channel.
            (None, None) => return Err(PushError::Stopped),
        };
        let mut client = Grpc::new(channel).accept_compressed(CompressionEncoding::Gzip);
        if self.gzip {
            client = client.send_compressed(CompressionEncoding::Gzip);
        }
        let ready = client.ready().await;
        ready.map_err(|error| PushError::Failed(Status::from_error(error.into())))?;
        let request = Request::from_parts(self.metadata.clone(), Extensions::new(), request);
        let path = PathAndQuery::from_static(EXPORT);
        let response = client.unary(request, path, Encoded).await.map_err(PushError::Failed)?;
        let response: ExportMetricsServiceResponse = response.into_inner();
        match response.partial_success {
            Some(partial) if partial.rejected_data_points > 0 => Err(PushError::PartlyRejected {
                data_points: partial.rejected_data_points.unsigned_abs(),
                message: partial.error_message,
            }),
            _ => Ok(()),
        }
    }
}

fn endpoint(address: &Uri, timeout: Duration) -> Result<Endpoint, Error> {
    let invalid = |_| Error::InvalidEndpoint { endpoint: address.to_string() };
    let endpoint = Endpoint::from(address.clone()).user_agent(USER_AGENT).map_err(invalid)?;
    Ok(endpoint.connect_timeout(timeout).executor(QuietTasks))
}

/// Spawns the tasks of a connection.
#[derive(Clone, Copy, Debug)]
struct QuietTasks;

impl hyper::rt::Executor<Pin<Box<dyn Future<Output = ()> + Send>>> for QuietTasks {
    fn execute(&self, task: Pin<Box<dyn Future<Output = ()> + Send>>) {
        tokio::spawn(Quiet::of(task));
    }
}

/// A codec of messages that are encoded already, away from the runtime's workers.
#[derive(Clone, Copy, Debug)]
struct Encoded;

impl Codec for Encoded {
    type Encode = Bytes;
    type Decode = ExportMetricsServiceResponse;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        *self
    }

    fn decoder(&mut self) -> Self {
        *self
    }
}

impl Encoder for Encoded {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, item: Bytes, into: &mut EncodeBuf<'_>) -> Result<(), Status> {
        into.put(item);
        Ok(())
    }
}

impl Decoder for Encoded {
    type Item = ExportMetricsServiceResponse;
    type Error = Status;

    fn decode(
        &mut self,
        from: &mut DecodeBuf<'_>,
    ) -> Result<Option<ExportMetricsServiceResponse>, Status> {
        let response = ExportMetricsServiceResponse::decode(from);
        response.map(Some).map_err(|error| Status::new(Code::Internal, error.to_string()))
    }
}
