//! The server, in four variants.

use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr};
use std::{process, thread};

use grpc_metrics_runtime::{GrpcMetrics, instrument_grpc};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::codegen::BoxStream;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status};
use tonic_prometheus_layer::MetricsLayer;

use crate::Failure;
use crate::callgrind::end_of_part;
use crate::pb::bench_server::{self, Bench, BenchServer};
use crate::pb::{Greeting, Many, Name};

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Variant {
    Bare,
    Instrumented,
    Layered,
    Peer,
}

impl Variant {
    /// Bare comes first: the others are compared with it.
    pub(crate) const ALL: [Self; 4] = [Self::Bare, Self::Instrumented, Self::Layered, Self::Peer];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Bare => "bare",
            Self::Instrumented => "#[instrument_grpc]",
            Self::Layered => "with server_layer()",
            Self::Peer => "tonic_prometheus_layer",
        }
    }

    /// Serves on what comes in.
    pub(crate) async fn serve(self, listener: TcpListener) -> Result<(), Failure> {
        // As tonic listens by itself.
        let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
        let mut server = Server::builder();
        match self {
            Self::Bare => {
                server.add_service(BenchServer::new(Plain)).serve_with_incoming(incoming).await?;
            }
            Self::Instrumented => {
                let service = BenchServer::new(Instrumented);
                server.add_service(service).serve_with_incoming(incoming).await?;
            }
            Self::Layered => {
                let mut server = server.layer(grpc_metrics_runtime::server_layer());
                let service = BenchServer::new(Instrumented);
                server.add_service(service).serve_with_incoming(incoming).await?;
            }
            // Made for tonic 0.13, and generic over the bodies of `http`, which tonic 0.14 shares.
            Self::Peer => {
                let mut server = server.layer(MetricsLayer::new());
                server.add_service(BenchServer::new(Plain)).serve_with_incoming(incoming).await?;
            }
        }
        Ok(())
    }
}

/// A free port of this machine.
pub(crate) async fn listen() -> Result<(TcpListener, SocketAddr), Failure> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}

/// Serves on one thread, and prints where. Ends with whoever started it, however that ends.
pub(crate) fn serve_until_stdin_ends(variant: Variant) -> Result<(), Failure> {
    thread::spawn(|| {
        let _ = io::stdin().read_to_end(&mut Vec::new());
        process::exit(0);
    });
    // As any server does at its start.
    GrpcMetrics::global();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let (listener, address) = listen().await?;
        println!("{address}");
        io::stdout().flush()?;
        variant.serve(listener).await
    })
}

type Greetings = BoxStream<Greeting>;

/// The handlers, which all variants share. They do next to nothing, so that what is around them shows.
fn say(request: Request<Name>) -> Result<Response<Greeting>, Status> {
    let Name { name } = request.into_inner();
    if name.is_empty() {
        end_of_part();
        return Err(Status::invalid_argument("who are you?"));
    }
    Ok(Response::new(greeting(&name, 0)))
}

fn list(request: Request<Many>) -> impl Iterator<Item = Result<Greeting, Status>> + Send {
    let Many { name, times } = request.into_inner();
    (0..times).map(move |number| Ok(greeting(&name, number)))
}

fn watch(request: Request<Many>) -> ReceiverStream<Result<Greeting, Status>> {
    let (sender, receiver) = mpsc::channel(16);
    tokio::spawn(async move {
        for greeting in list(request) {
            if sender.send(greeting).await.is_err() {
                return;
            }
        }
    });
    ReceiverStream::new(receiver)
}

fn greeting(name: &str, number: u32) -> Greeting {
    Greeting { text: format!("Hello {name}!"), number }
}

struct Plain;

#[tonic::async_trait]
impl Bench for Plain {
    async fn say(&self, request: Request<Name>) -> Result<Response<Greeting>, Status> {
        say(request)
    }

    type ListStream = Greetings;

    async fn list(&self, request: Request<Many>) -> Result<Response<Greetings>, Status> {
        Ok(Response::new(Box::pin(tokio_stream::iter(list(request)))))
    }

    type WatchStream = ReceiverStream<Result<Greeting, Status>>;

    async fn watch(&self, request: Request<Many>) -> Result<Response<Self::WatchStream>, Status> {
        Ok(Response::new(watch(request)))
    }
}

struct Instrumented;

// As a path, so that the service has the name that its RPCs' paths have.
#[instrument_grpc]
#[tonic::async_trait]
impl bench_server::Bench for Instrumented {
    async fn say(&self, request: Request<Name>) -> Result<Response<Greeting>, Status> {
        say(request)
    }

    type ListStream = Greetings;

    async fn list(&self, request: Request<Many>) -> Result<Response<Greetings>, Status> {
        Ok(Response::new(Box::pin(tokio_stream::iter(list(request)))))
    }

    type WatchStream = ReceiverStream<Result<Greeting, Status>>;

    async fn watch(&self, request: Request<Many>) -> Result<Response<Self::WatchStream>, Status> {
        Ok(Response::new(watch(request)))
    }
}
