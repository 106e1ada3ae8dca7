//! The six services, and what their handlers share.

mod auth;
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
        auth::auth_service_server::{self, AuthServiceServer},
        content::content_service_server::{self, ContentServiceServer},
        feed::feed_service_server::{self, FeedServiceServer},
        messaging::messaging_service_server::{self, MessagingServiceServer},
        streaming::streaming_service_server::{self, StreamingServiceServer},
        user::user_service_server::{self, UserServiceServer},
    },
    store::Store,
};

pub(crate) const NAMES: [&str; 6] = [
    auth_service_server::SERVICE_NAME,
    content_service_server::SERVICE_NAME,
    feed_service_server::SERVICE_NAME,
    messaging_service_server::SERVICE_NAME,
    streaming_service_server::SERVICE_NAME,
    user_service_server::SERVICE_NAME,
];

pub(crate) fn add_to(routes: &mut RoutesBuilder, store: &Arc<Store>) {
    routes
        .add_service(AuthServiceServer::new(auth::Auth::new(Arc::clone(store))))
        .add_service(ContentServiceServer::new(content::Content::new(Arc::clone(store))))
        .add_service(FeedServiceServer::new(feed::Feed::new(Arc::clone(store))))
        .add_service(MessagingServiceServer::new(messaging::Messaging::new(Arc::clone(store))))
        .add_service(StreamingServiceServer::new(streaming::Streaming::new(Arc::clone(store))))
        .add_service(UserServiceServer::new(user::Users::new(Arc::clone(store))));
}
