//! The gRPC server: services, health and reflection.

use std::{error::Error, sync::Arc};

use grpc_metrics_runtime::server_layer;
use tokio::net::TcpListener;
use tonic::{
    service::RoutesBuilder,
    transport::{self, Server, server::TcpIncoming},
};
use tonic_health::ServingStatus;

use crate::{pb, peers::Peers, service::Service, services, store::Store};

/// Serves these services on a bound listener, until `shutdown`.
pub(crate) async fn serve(
    listener: TcpListener,
    offered: &[Service],
    store: Arc<Store>,
    peers: Peers,
    shutdown: impl Future<Output = ()>,
) -> Result<(), Box<dyn Error + Send + Sync>> {
    let (health, health_service) = tonic_health::server::health_reporter();
    for service in offered {
        health.set_service_status(service.full_name(), ServingStatus::Serving).await;
    }
    let reflection = || {
        let builder = tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(pb::DESCRIPTORS)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
            .with_service_name("grpc.health.v1.Health");
        offered
            .iter()
            .fold(builder, |builder, service| builder.with_service_name(service.full_name()))
    };
    let mut routes = RoutesBuilder::default();
    for service in offered {
        services::add_to(&mut routes, *service, &store, &peers);
    }
    routes
        .add_service(health_service)
        .add_service(reflection().build_v1()?)
        .add_service(reflection().build_v1alpha()?);
    let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
    let server = Server::builder().layer(server_layer()).add_routes(routes.routes());
    server.serve_with_incoming_shutdown(incoming, shutdown).await.map_err(transport::Error::into)
}

#[cfg(test)]
mod tests {
    use std::future;

    use tonic::{Code, Request, transport::Endpoint};
    use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};
    use tonic_reflection::pb::v1::{
        ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
        server_reflection_request::MessageRequest, server_reflection_response::MessageResponse,
    };

    use super::*;
    use crate::{
        pb::{
            content::{
                CreatePostRequest, GetPostRequest, content_service_client::ContentServiceClient,
            },
            user::{GetUserProfileRequest, user_service_client::UserServiceClient},
        },
        service::Addresses,
        store::seed,
    };

    #[tokio::test]
    async fn health_and_reflection_know_the_six_services() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let url = format!("http://{address}");
        let peers = Peers::at(&Addresses::all_at(address)).unwrap();
        let store = Arc::new(Store::new(0.0));
        tokio::spawn(serve(listener, &Service::ALL, store, peers, future::pending()));
        let channel = Endpoint::from_shared(url).unwrap().connect_lazy();

        let mut health = HealthClient::new(channel.clone());
        for service in Service::ALL {
            let request = HealthCheckRequest { service: service.full_name().to_owned() };
            let answer = health.check(request).await.unwrap().into_inner();
            assert_eq!(answer.status, ServingStatus::Serving as i32);
        }

        let list = ServerReflectionRequest {
            host: String::new(),
            message_request: Some(MessageRequest::ListServices(String::new())),
        };
        let requests = Request::new(tokio_stream::iter([list]));
        let mut reflection = ServerReflectionClient::new(channel);
        let answers = reflection.server_reflection_info(requests).await;
        let answer = answers.unwrap().into_inner().message().await.unwrap().unwrap();
        let Some(MessageResponse::ListServicesResponse(list)) = answer.message_response else {
            panic!("{answer:?}");
        };
        let listed: Vec<_> = list.service.into_iter().map(|service| service.name).collect();
        for service in Service::ALL {
            let service = service.full_name();
            assert!(listed.iter().any(|name| name == service), "{service}: {listed:?}");
        }
    }

    #[tokio::test]
    async fn a_service_alone_answers_what_needs_no_other() {
        let nowhere = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let peers = Peers::at(&Addresses::all_at(nowhere)).unwrap();
        let store = Arc::new(Store::new(0.0));
        tokio::spawn(serve(listener, &[Service::Content], store, peers, future::pending()));
        let channel = Endpoint::from_shared(url).unwrap().connect_lazy();

        let mut content = ContentServiceClient::new(channel.clone());
        let post_id = seed::post(1).to_string();
        assert!(content.get_post(GetPostRequest { post_id }).await.is_ok());
        let author_id = seed::user(1).to_string();
        let post = CreatePostRequest { author_id, text: "News".to_owned(), quotes: None };
        let status = content.create_post(post).await.unwrap_err();
        assert_eq!(status.code(), Code::Unavailable, "{status}");
        let mut user = UserServiceClient::new(channel);
        let user_id = seed::user(1).to_string();
        let status = user.get_user_profile(GetUserProfileRequest { user_id }).await.unwrap_err();
        assert_eq!(status.code(), Code::Unimplemented, "{status}");
    }
}
