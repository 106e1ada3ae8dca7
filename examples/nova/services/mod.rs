//! The six services, and what their handlers share.

mod auth;
mod call;
mod content;
mod feed;
mod input;
mod messaging;
mod streaming;
mod user;

use std::sync::Arc;

use tonic::service::RoutesBuilder;

use crate::{
    pb::{
        auth::auth_service_server::AuthServiceServer,
        content::content_service_server::ContentServiceServer,
        feed::feed_service_server::FeedServiceServer,
        messaging::messaging_service_server::MessagingServiceServer,
        streaming::streaming_service_server::StreamingServiceServer,
        user::user_service_server::UserServiceServer,
    },
    peers::Peers,
    service::Service,
    store::Store,
};

pub(crate) fn add_to(
    routes: &mut RoutesBuilder,
    service: Service,
    store: &Arc<Store>,
    peers: &Peers,
) {
    let store = Arc::clone(store);
    let Peers { auth, content, user } = peers.clone();
    match service {
        Service::Auth => routes.add_service(AuthServiceServer::new(auth::Auth::new(store))),
        Service::Content => {
            routes.add_service(ContentServiceServer::new(content::Content::new(store, user)))
        }
        Service::Feed => {
            routes.add_service(FeedServiceServer::new(feed::Feed::new(store, content, user)))
        }
        Service::Messaging => routes
            .add_service(MessagingServiceServer::new(messaging::Messaging::new(store, auth, user))),
        Service::Streaming => {
            routes.add_service(StreamingServiceServer::new(streaming::Streaming::new(store, auth)))
        }
        Service::User => routes.add_service(UserServiceServer::new(user::Users::new(store))),
    };
}
