//! Instrumented services in a program of their own, for what a program does once: its argument says what.
//! The text of the default registry goes to stdout, and, where there is another, that one's behind a line.

mod startup;

use std::env;

use grpc_metrics_runtime::prometheus::{IntGauge, Registry, default_registry};
use grpc_metrics_runtime::{Error, GrpcMetrics, instrument_grpc};
use support::pb::names::{Nothing, bare_client::BareClient, bare_server, odd_server};
use support::scrape::text;
use support::server::Server;
use tokio_stream::{Empty, empty};
use tonic::service::Routes;
use tonic::{Request, Response, Status, Streaming};

type Answer = Result<Response<Nothing>, Status>;
type Stream = Empty<Result<Nothing, Status>>;
type StreamAnswer = Result<Response<Stream>, Status>;

struct Echo;

#[instrument_grpc]
#[tonic::async_trait]
impl bare_server::Bare for Echo {
    async fn say(&self, request: Request<Nothing>) -> Answer {
        Ok(Response::new(request.into_inner()))
    }
}

/// Never served or called.
struct Idle;

#[instrument_grpc]
#[tonic::async_trait]
impl odd_server::Odd for Idle {
    async fn plain_name(&self, request: Request<Nothing>) -> Answer {
        Ok(Response::new(request.into_inner()))
    }
    async fn get_v2_item(&self, request: Request<Nothing>) -> Answer {
        Ok(Response::new(request.into_inner()))
    }
    #[rpc(name = "GetKV")]
    async fn get_kv(&self, request: Request<Nothing>) -> Answer {
        Ok(Response::new(request.into_inner()))
    }
    #[skip_metrics]
    async fn set_kv(&self, request: Request<Nothing>) -> Answer {
        Ok(Response::new(request.into_inner()))
    }
    async fn r#type(&self, request: Request<Nothing>) -> Answer {
        Ok(Response::new(request.into_inner()))
    }
    type GetURLStream = Stream;
    async fn get_url(&self, _: Request<Nothing>) -> StreamAnswer {
        Ok(Response::new(empty()))
    }
    type ListUsersStream = Stream;
    async fn list_users(&self, _: Request<Streaming<Nothing>>) -> StreamAnswer {
        Ok(Response::new(empty()))
    }
    #[rpc(name = "ListIDs")]
    async fn list_i_ds(&self, _: Request<Nothing>) -> StreamAnswer {
        Ok(Response::new(empty()))
    }
    type ListIDsStream = Stream;
}

/// One RPC, by a program that says nothing of metrics.
async fn call_once() {
    let server = Server::start(Routes::new(bare_server::BareServer::new(Echo))).await;
    let mut client = BareClient::new(server.connect().await);
    client.say(Nothing {}).await.unwrap();
    server.kill().await;
}

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match &arguments[..] {
        [task] => perform(task),
        [meddler, first] => startup::run(meddler, first),
        _ => panic!("neither one nor two: {arguments:?}"),
    }
}

#[tokio::main]
async fn perform(task: &str) {
    let _ = Idle;
    let own = Registry::new();
    let builder = GrpcMetrics::builder().registry(&own);
    match task {
        "scrape before any call" => {
            assert!(GrpcMetrics::try_global().is_none());
            GrpcMetrics::global();
            assert!(GrpcMetrics::try_global().is_some());
        }
        "call" => call_once().await,
        "own instance" => {
            builder.build().unwrap();
        }
        "install and call" => {
            builder.build().unwrap().install().unwrap();
            call_once().await;
        }
        "install late" => {
            GrpcMetrics::global();
            let refused = builder.build().unwrap().install();
            assert!(matches!(refused, Err(Error::AlreadyInstalled)));
            call_once().await;
        }
        "install twice" => {
            let other = GrpcMetrics::builder().registry(&Registry::new()).build();
            builder.build().unwrap().install().unwrap();
            let refused = other.unwrap().install();
            assert!(matches!(refused, Err(Error::AlreadyInstalled)));
            call_once().await;
        }
        "call with a name taken" => {
            let gauge = IntGauge::new("grpc_server_in_flight_requests", "Somebody else's.");
            let taken = default_registry().register(Box::new(gauge.unwrap()));
            taken.unwrap();
            call_once().await;
            call_once().await;
            // Not shown, but counted.
            let snapshot = GrpcMetrics::global().snapshot();
            let method = snapshot.method("names.v1.Bare", "Say").unwrap();
            assert_eq!(method.finished(), 2);
        }
        "call beside another version" => {
            // Which would have the same descriptors.
            let other = builder.build().unwrap();
            default_registry().register(Box::new(other)).unwrap();
            call_once().await;
        }
        "call beside another version with a label" => {
            let other = builder.const_label("region", "eu").build().unwrap();
            default_registry().register(Box::new(other)).unwrap();
            call_once().await;
        }
        other => panic!("no such task: {other}"),
    }
    println!("{}--\n{}", text(default_registry()), text(&own));
}
