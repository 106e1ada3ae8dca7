//! A real server on loopback.

use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::time::Duration;

use grpc_metrics_runtime::layer::ServerLayer;
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, spawn_blocking};
use tokio_stream::wrappers::TcpListenerStream;
use tonic::service::Routes;
use tonic::transport::server::Router;
use tonic::transport::{Channel, Endpoint};

/// Completes when the server is to shut down.
pub type Stopped = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A server in a runtime of its own, which can go away with all that runs in it.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    runtime: Option<Runtime>,
    stop: Option<oneshot::Sender<()>>,
    serving: JoinHandle<()>,
}

impl Server {
    /// Serves on a free port, from now on.
    pub async fn start(routes: Routes) -> Self {
        Self::start_on(4, routes).await
    }

    /// The same, on so many workers.
    pub async fn start_on(workers: usize, routes: Routes) -> Self {
        Self::start_with(workers, |incoming, stopped| async {
            let server: Router = tonic::transport::Server::builder().add_routes(routes);
            server.serve_with_incoming_shutdown(incoming, stopped).await
        })
        .await
    }

    /// Serves under the layer.
    pub async fn start_layered(layer: ServerLayer, routes: Routes) -> Self {
        Self::start_with(4, |incoming, stopped| async {
            let server = tonic::transport::Server::builder().layer(layer).add_routes(routes);
            server.serve_with_incoming_shutdown(incoming, stopped).await
        })
        .await
    }

    /// Serves where another server has been.
    pub async fn start_at(address: SocketAddr, routes: Routes) -> Self {
        Self::serve_at(address, 4, |incoming, stopped| async {
            let server: Router = tonic::transport::Server::builder().add_routes(routes);
            server.serve_with_incoming_shutdown(incoming, stopped).await
        })
        .await
    }

    /// Serves by `serve`, with layers or settings of its own.
    pub async fn start_with<S>(
        workers: usize,
        serve: impl FnOnce(TcpListenerStream, Stopped) -> S + Send + 'static,
    ) -> Self
    where
        S: Future<Output = Result<(), tonic::transport::Error>> + Send,
    {
        Self::serve_at((Ipv4Addr::LOCALHOST, 0).into(), workers, serve).await
    }

    async fn serve_at<S>(
        address: SocketAddr,
        workers: usize,
        serve: impl FnOnce(TcpListenerStream, Stopped) -> S + Send + 'static,
    ) -> Self
    where
        S: Future<Output = Result<(), tonic::transport::Error>> + Send,
    {
        let mut runtime = Builder::new_multi_thread();
        let runtime = runtime.worker_threads(workers).enable_all().build().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let (bound, listening) = oneshot::channel();
        let serving = runtime.spawn(async move {
            let listener = TcpListener::bind(address).await.unwrap();
            bound.send(listener.local_addr().unwrap()).unwrap();
            let stopped = Box::pin(async { drop(stopped.await) });
            serve(TcpListenerStream::new(listener), stopped).await.unwrap();
        });
        Self {
            address: listening.await.unwrap(),
            runtime: Some(runtime),
            stop: Some(stop),
            serving,
        }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// A connection of its own.
    pub async fn connect(&self) -> Channel {
        connect(self.address).await
    }

    /// Runs this on the server's workers.
    pub fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.runtime.as_ref().unwrap().spawn(work);
    }

    /// Asks for a graceful shutdown, which waits for RPCs that run.
    pub fn stop(&mut self) {
        drop(self.stop.take());
    }

    /// Waits for the end of a graceful shutdown.
    pub async fn stopped(&mut self) {
        (&mut self.serving).await.unwrap();
    }

    /// Drops everything that runs, as a process that ends does. Nothing of it is left afterwards.
    pub async fn kill(mut self) {
        let runtime = self.runtime.take().unwrap();
        spawn_blocking(move || runtime.shutdown_timeout(Duration::from_secs(60))).await.unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // A test that has failed must not wait for what hangs.
            runtime.shutdown_background();
        }
    }
}

/// A connection of its own.
pub async fn connect(address: SocketAddr) -> Channel {
    Endpoint::from_shared(format!("http://{address}")).unwrap().connect().await.unwrap()
}
