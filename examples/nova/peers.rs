//! The services that others call. Their clients are measured.

use tonic::transport::{Channel, Endpoint, Error};

use crate::{
    pb::{
        auth::auth_service_client::AuthServiceClient,
        content::content_service_client::ContentServiceClient,
        user::user_service_client::UserServiceClient,
    },
    service::{Addresses, Service},
};

#[derive(Clone)]
pub(crate) struct Peers {
    pub(crate) auth: AuthServiceClient<Channel>,
    pub(crate) content: ContentServiceClient<Channel>,
    pub(crate) user: UserServiceClient<Channel>,
}

impl Peers {
    /// Connects with the first call, and again when the connection is lost.
    pub(crate) fn at(addresses: &Addresses) -> Result<Self, Error> {
        let to = |service| {
            let endpoint = Endpoint::from_shared(format!("http://{}", addresses.of(service)))?;
            Ok::<_, Error>(endpoint.connect_lazy())
        };
        Ok(Self {
            auth: AuthServiceClient::new(to(Service::Auth)?),
            content: ContentServiceClient::new(to(Service::Content)?),
            user: UserServiceClient::new(to(Service::User)?),
        })
    }
}
