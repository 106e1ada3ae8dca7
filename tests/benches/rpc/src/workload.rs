//! What the client does.

use std::net::SocketAddr;
use std::time::Duration;

use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Streaming};

use crate::Failure;
use crate::pb::bench_client::BenchClient;
use crate::pb::{Greeting, Many, Name};

pub(crate) type Client = BenchClient<Channel>;

#[derive(Clone, Copy)]
pub(crate) enum Workload {
    Unary,
    UnaryWithTimeout,
    List,
    Watch,
}

impl Workload {
    pub(crate) const ALL: [Self; 4] =
        [Self::Unary, Self::UnaryWithTimeout, Self::List, Self::Watch];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Unary => "unary",
            Self::UnaryWithTimeout => "unary, with grpc-timeout",
            Self::List => "server-streaming, messages at hand",
            Self::Watch => "server-streaming, messages through a channel",
        }
    }

    pub(crate) fn streams(self) -> bool {
        matches!(self, Self::List | Self::Watch)
    }

    /// One RPC; if it streams, of so many messages.
    pub(crate) async fn call(self, client: &mut Client, times: u32) -> Result<(), Failure> {
        let name = "bench".to_owned();
        match self {
            Self::Unary => drop(client.say(Name { name }).await?),
            Self::UnaryWithTimeout => {
                let mut request = Request::new(Name { name });
                request.set_timeout(Duration::from_secs(10));
                drop(client.say(request).await?);
            }
            Self::List => drain(client.list(Many { name, times }).await?.into_inner()).await?,
            Self::Watch => drain(client.watch(Many { name, times }).await?.into_inner()).await?,
        }
        Ok(())
    }
}

async fn drain(mut stream: Streaming<Greeting>) -> Result<(), Failure> {
    while stream.message().await?.is_some() {}
    Ok(())
}

pub(crate) async fn connect(address: SocketAddr) -> Result<Client, Failure> {
    let channel = Endpoint::from_shared(format!("http://{address}"))?.connect().await?;
    Ok(BenchClient::new(channel))
}
