//! The back end: servers in this process, or child processes.

use std::net::SocketAddr;

use crate::{
    args::Args, children::Children, run::Failure, servers::Servers, service::Addresses,
    weather::Stores,
};

pub(crate) enum System {
    Here(Servers),
    Children(Children),
}

impl System {
    pub(crate) async fn start(args: &Args) -> Result<Self, Failure> {
        if args.processes {
            return Children::start(args).await.map(Self::Children);
        }
        Servers::start(args).await.map(Self::Here)
    }

    pub(crate) fn title(&self) -> String {
        match self {
            Self::Here(servers) => servers.place.title(),
            Self::Children(children) => format!("{} processes", children.metrics.len()),
        }
    }

    pub(crate) fn addresses(&self) -> &Addresses {
        match self {
            Self::Here(servers) => &servers.addresses,
            Self::Children(children) => &children.addresses,
        }
    }

    /// Where the metrics of its processes are.
    pub(crate) fn metrics(&self) -> Vec<SocketAddr> {
        match self {
            Self::Here(servers) => vec![servers.place.metrics],
            Self::Children(children) => children.metrics.clone(),
        }
    }

    pub(crate) fn stores(&self) -> Stores {
        match self {
            Self::Here(servers) => Stores::Here(servers.faults.clone()),
            Self::Children(children) => Stores::Children(children.controls.clone()),
        }
    }

    /// Returns when a part of it ends unexpectedly.
    pub(crate) async fn failure(&mut self) -> Failure {
        match self {
            Self::Here(servers) => servers.failure().await,
            Self::Children(children) => children.failure().await,
        }
    }

    pub(crate) async fn stop(self) -> Result<(), Failure> {
        match self {
            Self::Here(servers) => servers.stop().await,
            Self::Children(children) => children.stop().await,
        }
    }
}
