//! The HTTP server of [`serve`](super::serve).

use std::future::{self, Future, IntoFuture};
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::serve::Listener;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::connection::Connection;

/// The maximum number of open connections. Further ones wait to be accepted.
const MAX_CONNECTIONS: usize = 32;

/// How long the head of a request may take to arrive. Also the idle timeout of a connection.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);

/// The maximum size of a request's head in bytes. A longer one gets 431.
const MAX_HEAD_BYTES: usize = 16 * 1024;

/// How long open responses may take after the shutdown signal.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(5);

/// A server for `/metrics`. Await it to run it, until the shutdown signal if there is one.
#[must_use = "does nothing unless awaited"]
pub struct Serve {
    listener: TcpListener,
    router: Router,
    shutdown: Pin<Box<dyn Future<Output = ()> + Send>>,
}

impl std::fmt::Debug for Serve {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Serve").field("listener", &self.listener).finish_non_exhaustive()
    }
}

impl Serve {
    pub(super) fn new(listener: TcpListener, router: Router) -> Self {
        Self { listener, router, shutdown: Box::pin(future::pending()) }
    }

    /// Shuts down when `signal` completes: the server accepts no more connections, and ends when all open responses are
    /// sent, or after 5 seconds.
    pub fn with_graceful_shutdown(
        mut self,
        signal: impl Future<Output = ()> + Send + 'static,
    ) -> Self {
        self.shutdown = Box::pin(signal);
        self
    }

    async fn run(self) -> io::Result<()> {
        let Self { mut listener, router, mut shutdown } = self;
        let service = TowerToHyperService::new(router);
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new())
            .header_read_timeout(HEAD_TIMEOUT)
            .max_buf_size(MAX_HEAD_BYTES);
        let graceful = GracefulShutdown::new();
        // Dropped with the future, so that no connection outlives the server.
        let mut connections = JoinSet::new();
        let permits = Arc::new(Semaphore::new(MAX_CONNECTIONS));
        loop {
            let mut accept = pin!(async {
                let permit = Arc::clone(&permits).acquire_owned().await;
                // Retries after errors such as too many open files.
                let (stream, _) = Listener::accept(&mut listener).await;
                (stream, permit)
            });
            let accepted = future::poll_fn(|cx| {
                if shutdown.as_mut().poll(cx).is_ready() {
                    return std::task::Poll::Ready(None);
                }
                accept.as_mut().poll(cx).map(Some)
            });
            let Some((stream, permit)) = accepted.await else {
                break;
            };
            let stream = TokioIo::new(Connection::new(stream));
            let connection = graceful.watch(http.serve_connection(stream, service.clone()));
            connections.spawn(async move {
                // Errors of the peer, such as a reset, need no report.
                let _ = connection.await;
                drop(permit);
            });
            while connections.try_join_next().is_some() {}
        }
        drop(listener);
        // Clients that have not read their response by then are disconnected.
        let _ = timeout(SHUTDOWN_TIMEOUT, graceful.shutdown()).await;
        Ok(())
    }
}

impl IntoFuture for Serve {
    type Output = io::Result<()>;
    type IntoFuture = Pin<Box<dyn Future<Output = io::Result<()>> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}
