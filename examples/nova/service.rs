//! The six services, and where they are.

use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, SocketAddr},
    str::FromStr,
};

use crate::pb::{
    auth::auth_service_server, content::content_service_server, feed::feed_service_server,
    messaging::messaging_service_server, streaming::streaming_service_server,
    user::user_service_server,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Service {
    Auth,
    Content,
    Feed,
    Messaging,
    Streaming,
    User,
}

impl Service {
    /// In the order of their default ports.
    pub(crate) const ALL: [Self; 6] =
        [Self::Auth, Self::Content, Self::Feed, Self::Messaging, Self::Streaming, Self::User];

    /// An order in which every service comes after those that it calls.
    pub(crate) const CALLEES_FIRST: [Self; 6] =
        [Self::Auth, Self::User, Self::Content, Self::Feed, Self::Messaging, Self::Streaming];

    /// As on the command line.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Auth => "auth",
            Self::Content => "content",
            Self::Feed => "feed",
            Self::Messaging => "messaging",
            Self::Streaming => "streaming",
            Self::User => "user",
        }
    }

    /// As in the proto.
    pub(crate) fn full_name(self) -> &'static str {
        match self {
            Self::Auth => auth_service_server::SERVICE_NAME,
            Self::Content => content_service_server::SERVICE_NAME,
            Self::Feed => feed_service_server::SERVICE_NAME,
            Self::Messaging => messaging_service_server::SERVICE_NAME,
            Self::Streaming => streaming_service_server::SERVICE_NAME,
            Self::User => user_service_server::SERVICE_NAME,
        }
    }

    /// The services that this one calls.
    pub(crate) fn calls(self) -> &'static [Self] {
        match self {
            Self::Auth | Self::User => &[],
            Self::Content => &[Self::User],
            Self::Feed => &[Self::Content, Self::User],
            Self::Messaging => &[Self::Auth, Self::User],
            Self::Streaming => &[Self::Auth],
        }
    }

    /// This service's address if the services have consecutive ports from `first`. Port 0 stays 0. `None` if there
    /// are no more ports.
    pub(crate) fn address(self, first: SocketAddr) -> Option<SocketAddr> {
        let port = match first.port() {
            0 => 0,
            port => port.checked_add(self as u16)?,
        };
        Some(SocketAddr::new(first.ip(), port))
    }
}

impl FromStr for Service {
    type Err = ();

    fn from_str(name: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|service| service.name() == name).ok_or(())
    }
}

/// Where the gRPC servers of services are, as `host:port`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Addresses(BTreeMap<Service, String>);

/// The default port of gRPC: of the only process, or of the first service.
pub(crate) const FIRST_GRPC: SocketAddr = loopback(50051);
/// The same for `/metrics`.
pub(crate) const FIRST_METRICS: SocketAddr = loopback(8081);

const fn loopback(port: u16) -> SocketAddr {
    SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), port)
}

impl Addresses {
    pub(crate) fn all_at(address: SocketAddr) -> Self {
        Self(Service::ALL.map(|service| (service, address.to_string())).into())
    }

    pub(crate) fn set(&mut self, service: Service, address: String) {
        self.0.insert(service, address);
    }

    pub(crate) fn of(&self, service: Service) -> &str {
        self.0.get(&service).map_or("", String::as_str)
    }
}

impl Default for Addresses {
    /// On this machine, with the default ports.
    fn default() -> Self {
        let address = |service: Service| service.address(FIRST_GRPC).unwrap_or(FIRST_GRPC);
        Self(Service::ALL.map(|service| (service, address(service).to_string())).into())
    }
}
