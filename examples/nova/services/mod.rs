//! The six services, and what their handlers share.

mod auth;
mod content;
mod feed;
mod messaging;
mod streaming;
mod user;

use std::sync::Arc;

use tonic::{Status, service::RoutesBuilder};
use uuid::Uuid;

use crate::{
    pb::{
        auth::auth_service_server::{self, AuthServiceServer},
        content::content_service_server::{self, ContentServiceServer},
        feed::feed_service_server::{self, FeedServiceServer},
        messaging::messaging_service_server::{self, MessagingServiceServer},
        streaming::streaming_service_server::{self, StreamingServiceServer},
        user::user_service_server::{self, UserServiceServer},
    },
    store::{Store, StoreError},
};

const DEFAULT_PAGE: usize = 20;
const LARGEST_PAGE: usize = 100;

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

/// Lets handlers use `?` on whatever the store answers.
impl From<StoreError> for Status {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Database => Self::internal(error.to_string()),
            StoreError::Cache => Self::unavailable(error.to_string()),
        }
    }
}

fn parse_id(field: &str, id: &str) -> Result<Uuid, Status> {
    Uuid::try_parse(id).map_err(|_| invalid(format!("{field} is not a UUID")))
}

fn non_empty(field: &str, text: String) -> Result<String, Status> {
    if text.trim().is_empty() { Err(invalid(format!("{field} is empty"))) } else { Ok(text) }
}

/// 0 stands for the default, as in most APIs with pages.
fn page(size: u32) -> Result<usize, Status> {
    match usize::try_from(size) {
        Ok(0) => Ok(DEFAULT_PAGE),
        Ok(size @ 1..=LARGEST_PAGE) => Ok(size),
        _ => Err(invalid(format!("page_size is over {LARGEST_PAGE}"))),
    }
}

fn invalid(what: impl Into<String>) -> Status {
    Status::invalid_argument(what)
}

fn not_found(what: &str) -> Status {
    Status::not_found(format!("no such {what}"))
}
