//! Nine services named `QueryService`, from nine packages, on one type.

use grpc_metrics_runtime::{GrpcMetrics, MethodSnapshot, instrument_grpc};
use real_services::chain;
use support::shapes::{codes, serve};
use tonic::service::Routes;
use tonic::{Code, Request, Response, Status};

#[derive(Clone)]
struct Node {
    height: u64,
}

macro_rules! query_service {
    ($($package:ident)*) => {
        $(
            #[instrument_grpc]
            #[tonic::async_trait]
            impl chain::$package::query_service_server::QueryService for Node {
                async fn params(
                    &self,
                    request: Request<chain::$package::QueryRequest>,
                ) -> Result<Response<chain::$package::QueryResponse>, Status> {
                    let height = request.into_inner().height;
                    if height > self.height {
                        return Err(Status::out_of_range("not there yet"));
                    }
                    let answer = concat!(stringify!($package), " params").to_owned();
                    Ok(Response::new(chain::$package::QueryResponse { answer }))
                }

                type SubscribeStream =
                    tokio_stream::Once<Result<chain::$package::QueryResponse, Status>>;

                async fn subscribe(
                    &self,
                    request: Request<chain::$package::QueryRequest>,
                ) -> Result<Response<Self::SubscribeStream>, Status> {
                    let answer = self.params(request).await?.into_inner();
                    Ok(Response::new(tokio_stream::once(Ok(answer))))
                }
            }
        )*

        fn routes(node: &Node) -> Routes {
            let mut routes = Routes::default();
            $(
                routes = routes.add_service(
                    chain::$package::query_service_server::QueryServiceServer::new(node.clone()),
                );
            )*
            routes
        }

        async fn call_all(channel: &tonic::transport::Channel) {
            $({
                use chain::$package::{QueryRequest, query_service_client::QueryServiceClient};
                let mut client = QueryServiceClient::new(channel.clone());
                let answer = client.params(QueryRequest { height: 1 }).await.unwrap().into_inner();
                assert_eq!(answer.answer, concat!(stringify!($package), " params"));
                assert!(client.params(QueryRequest { height: 9 }).await.is_err());
                let answers = client.subscribe(QueryRequest { height: 1 }).await.unwrap();
                let mut answers = answers.into_inner();
                while answers.message().await.unwrap().is_some() {}
            })*
        }
    };
}

query_service!(auth bank distribution evidence gov mint params slashing staking);

#[tokio::test]
async fn nine_query_services_on_one_type() {
    let channel = serve(routes(&Node { height: 5 })).await;
    call_all(&channel).await;
    let snapshot = GrpcMetrics::global().snapshot();
    let mut labels: Vec<_> = snapshot.methods().iter().map(MethodSnapshot::service).collect();
    labels.retain(|label| label.ends_with(".v1.QueryService"));
    labels.dedup();
    assert_eq!(labels.len(), 9);
    for label in labels {
        assert_eq!(codes(label, "Params"), [(Code::Ok, 2), (Code::OutOfRange, 1)], "{label}");
        assert_eq!(codes(label, "Subscribe"), [(Code::Ok, 1)], "{label}");
    }
}
