//! The servers of this process: gRPC for one or all services, and `/metrics`.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use grpc_metrics_runtime::{GrpcMetrics, otlp::Pusher};
use tokio::{net::TcpListener, sync::watch, task::JoinSet, time};

use crate::{
    args::Args,
    peers::Peers,
    pushes,
    run::Failure,
    server,
    service::{Addresses, Service},
    store::{Faults, Store},
};

/// Other clients may hold streams open. Shutdown waits no longer than this for them.
const SHUTDOWN: Duration = Duration::from_secs(2);

/// Where a process serves, as a client on this machine reaches it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Place {
    pub(crate) grpc: SocketAddr,
    pub(crate) metrics: SocketAddr,
}

impl Place {
    pub(crate) fn title(self) -> String {
        let Self { grpc, metrics } = self;
        format!("gRPC {grpc}  http://{metrics}/metrics")
    }
}

/// Reads a title.
pub(crate) fn place(title: &str) -> Option<Place> {
    let (grpc, url) = title.strip_prefix("gRPC ")?.split_once("  http://")?;
    let metrics = url.strip_suffix("/metrics")?;
    Some(Place { grpc: grpc.parse().ok()?, metrics: metrics.parse().ok()? })
}

pub(crate) struct Servers {
    pub(crate) place: Place,
    pub(crate) addresses: Addresses,
    pub(crate) faults: Arc<Faults>,
    tasks: JoinSet<Result<(), String>>,
    shutdown: watch::Sender<bool>,
    pusher: Option<Pusher>,
}

impl Servers {
    pub(crate) async fn start(args: &Args) -> Result<Self, Failure> {
        // Before the first RPC, which would install the default.
        let metrics = GrpcMetrics::builder().naming(args.naming.0).build();
        let installed = metrics.and_then(GrpcMetrics::install);
        let installed = installed.map_err(|error| Failure::Start(error.to_string()))?;
        let push = |address| pushes::push_to(address, installed, args.service);
        let pusher = args.otlp.as_deref().map(push).transpose().map_err(Failure::Start)?;
        let grpc = listen("--grpc", args.grpc).await?;
        let metrics = listen("--metrics", args.metrics).await?;
        let place = Place { grpc: reachable(&grpc)?, metrics: reachable(&metrics)? };
        // Alone, a service calls the others where they are. Together, all are here.
        let (offered, addresses) = match args.service {
            Some(service) => (vec![service], args.peers.clone()),
            None => (Service::ALL.to_vec(), Addresses::all_at(place.grpc)),
        };
        let peers = Peers::at(&addresses).map_err(|error| Failure::Start(error.to_string()))?;
        let store = Arc::new(Store::new(args.fault_rate));
        let faults = Arc::clone(&store.faults);
        let (shutdown, ends) = watch::channel(false);
        let mut tasks = JoinSet::new();
        let end = asked(ends.clone());
        tasks.spawn(async move {
            let ended = server::serve(grpc, &offered, store, peers, end).await;
            ended.map_err(|error| format!("gRPC: {error}"))
        });
        let serve = grpc_metrics_runtime::http::serve(metrics).with_graceful_shutdown(asked(ends));
        tasks.spawn(async { serve.await.map_err(|error| format!("/metrics: {error}")) });
        Ok(Self { place, addresses, faults, tasks, shutdown, pusher })
    }

    /// Returns when a server ends unexpectedly.
    pub(crate) async fn failure(&mut self) -> Failure {
        let why = match self.tasks.join_next().await {
            Some(Ok(Err(why))) => why,
            _ => "a server ended unexpectedly".to_owned(),
        };
        Failure::Running(why)
    }

    pub(crate) async fn stop(mut self) -> Result<(), Failure> {
        self.shutdown.send_replace(true);
        let ended = async {
            while let Some(task) = self.tasks.join_next().await {
                let result = task.map_err(|error| error.to_string()).and_then(|result| result);
                result.map_err(Failure::Running)?;
            }
            Ok(())
        };
        let ended = time::timeout(SHUTDOWN, ended).await.unwrap_or(Ok(()));
        // With what ended during the shutdown.
        if let Some(pusher) = self.pusher {
            pushes::end(pusher).await;
        }
        ended
    }
}

async fn listen(flag: &str, address: SocketAddr) -> Result<TcpListener, Failure> {
    TcpListener::bind(address)
        .await
        .map_err(|error| Failure::Start(format!("cannot listen on {address} ({flag}): {error}")))
}

/// Returns the address at which a client on this machine reaches the listener.
fn reachable(listener: &TcpListener) -> Result<SocketAddr, Failure> {
    let mut address = listener.local_addr().map_err(|error| Failure::Start(error.to_string()))?;
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(ip) if ip.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    Ok(address)
}

async fn asked(mut ends: watch::Receiver<bool>) {
    // An error means that the sender is gone, which also means shutdown.
    let _ = ends.wait_for(|asked| *asked).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_says_where_a_process_serves() {
        let grpc = SocketAddr::from(([127, 0, 0, 1], 50051));
        let place_of_one = Place { grpc, metrics: "[::1]:8081".parse().unwrap() };
        assert_eq!(place(&place_of_one.title()), Some(place_of_one));
        assert_eq!(place(""), None);
        assert_eq!(place("gRPC 127.0.0.1:50051  http://127.0.0.1/metrics"), None);
    }
}
