//! A minimal complete server: a greeter on port 50051, its metrics on port 8081.

use std::{error::Error, pin::Pin};

use grpc_metrics_runtime::{http, instrument_grpc, server_layer};
use tokio::{net::TcpListener, signal, try_join};
use tokio_stream::{Stream, iter};
use tonic::{Request, Response, Status, transport::Server};

use pb::{
    GreetRequest, SayHelloReply, SayHelloRequest,
    greeter_server::{self, GreeterServer},
};

#[allow(clippy::pedantic, missing_debug_implementations, unreachable_pub, unused_qualifications)]
mod pb {
    tonic::include_proto!("greeter.v1");
    pub const DESCRIPTORS: &[u8] = tonic::include_file_descriptor_set!("greeter");
}

struct Greeter;

#[instrument_grpc]
#[tonic::async_trait]
impl greeter_server::Greeter for Greeter {
    async fn say_hello(
        &self,
        request: Request<SayHelloRequest>,
    ) -> Result<Response<SayHelloReply>, Status> {
        let name = request.into_inner().name;
        if name.is_empty() {
            return Err(Status::invalid_argument("name is empty"));
        }
        Ok(Response::new(SayHelloReply { text: format!("Hello, {name}!") }))
    }

    type GreetStream = Pin<Box<dyn Stream<Item = Result<SayHelloReply, Status>> + Send>>;

    async fn greet(
        &self,
        request: Request<GreetRequest>,
    ) -> Result<Response<Self::GreetStream>, Status> {
        let GreetRequest { name, count } = request.into_inner();
        let greeting = move |n| Ok(SayHelloReply { text: format!("{n}. Hello, {name}!") });
        Ok(Response::new(Box::pin(iter((1..=count).map(greeting)))))
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (health, health_service) = tonic_health::server::health_reporter();
    health.set_serving::<GreeterServer<Greeter>>().await;
    let reflection = || {
        tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(pb::DESCRIPTORS)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
    };
    let grpc = Server::builder()
        .layer(server_layer().service("grpc.health.v1.Health"))
        .add_service(GreeterServer::new(Greeter))
        .add_service(health_service)
        .add_service(reflection().build_v1()?)
        .add_service(reflection().build_v1alpha()?)
        .serve_with_shutdown("127.0.0.1:50051".parse()?, ctrl_c());
    let metrics = http::serve(TcpListener::bind("127.0.0.1:8081").await?);
    let metrics = metrics.with_graceful_shutdown(ctrl_c());
    try_join!(async { Ok::<_, Box<dyn Error>>(grpc.await?) }, async { Ok(metrics.await?) })?;
    Ok(())
}

async fn ctrl_c() {
    signal::ctrl_c().await.expect("a handler for ctrl-c");
}
