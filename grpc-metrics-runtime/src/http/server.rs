//! The server of a program that has no other for HTTP.

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

/// How many connections are open at a time. The next ones wait to be accepted.
const CONNECTIONS: usize = 32;

/// How long a request's head may take to arrive. A connection that is idle for as long is closed.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);

/// How long a request's head may be, in bytes; a longer one is answered with 431.
const MAX_HEAD: usize = 16 * 1024;

/// How long running answers may take to finish after the shutdown signal.
const GRACE: Duration = Duration::from_secs(5);

/// A server to be awaited. It runs until its shutdown signal, or for ever.
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

    /// Stops accepting when `signal` completes, and ends once the running answers are sent, or after
    /// five seconds.
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
        http.timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT).max_buf_size(MAX_HEAD);
        let graceful = GracefulShutdown::new();
        // Dropped with the future, so that no connection outlives the server.
        let mut connections = JoinSet::new();
        let places = Arc::new(Semaphore::new(CONNECTIONS));
        loop {
            let mut accept = pin!(async {
                let place = Arc::clone(&places).acquire_owned().await;
                // Waits out what a connection's attempt can go wrong with, such as too many open files.
                let (stream, _) = Listener::accept(&mut listener).await;
                (stream, place)
            });
            let accepted = future::poll_fn(|cx| {
                if shutdown.as_mut().poll(cx).is_ready() {
                    return std::task::Poll::Ready(None);
                }
                accept.as_mut().poll(cx).map(Some)
            });
            let Some((stream, place)) = accepted.await else {
                break;
            };
            let stream = TokioIo::new(Connection::of(stream));
            let connection = graceful.watch(http.serve_connection(stream, service.clone()));
            connections.spawn(async move {
                // The peer's errors, such as a reset, are the peer's to report.
                let _ = connection.await;
                drop(place);
            });
            while connections.try_join_next().is_some() {}
        }
        drop(listener);
        // Whoever has not read the answer by then does not want it.
        let _ = timeout(GRACE, graceful.shutdown()).await;
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
