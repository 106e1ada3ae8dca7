//! The task that pushes.

use std::future::{self, Future};
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::task::spawn_blocking;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at, timeout};

use super::transport::Transport;
use super::{PushError, messages};
use crate::GrpcMetrics;

/// Where the result of a push goes.
pub(super) type Reply = oneshot::Sender<Result<(), PushError>>;

/// What the task of a [`Pusher`](super::Pusher) has.
#[derive(Debug)]
pub(super) struct Task {
    pub(super) metrics: GrpcMetrics,
    pub(super) resource: Vec<(String, String)>,
    pub(super) exemplars: bool,
    pub(super) interval: Duration,
    pub(super) timeout: Duration,
    pub(super) transport: Transport,
    pub(super) state: State,
}

/// What the task is told.
#[derive(Debug)]
pub(super) struct Orders {
    pub(super) flushes: mpsc::Receiver<Reply>,
    /// Dropped with the handle.
    pub(super) shutdown: oneshot::Receiver<Reply>,
}

/// What the task does next.
enum Next {
    Push(Option<Reply>),
    /// Push once more if there is somebody to tell.
    End(Option<Reply>),
}

impl Task {
    pub(super) async fn run(mut self, mut orders: Orders) {
        let mut ticks = interval_at(Instant::now() + self.interval, self.interval);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let last = loop {
            match orders.next(&mut ticks).await {
                Next::End(last) => break last,
                Next::Push(reply) => {
                    // A shutdown does not wait for a collector that hangs, and its push has newer counts.
                    let pushed = match until(self.push(), &mut orders.shutdown).await {
                        Ok(pushed) => pushed,
                        Err(last) => {
                            // As after a timeout.
                            self.transport.reconnect();
                            break last;
                        }
                    };
                    if let Some(reply) = reply {
                        let _ = reply.send(pushed);
                    }
                }
            }
        };
        if let Some(last) = last {
            let _ = last.send(self.push().await);
        }
    }

    /// Pushes the current counts. Nothing is kept of a push that fails.
    async fn push(&mut self) -> Result<(), PushError> {
        let pushed = timeout(self.timeout, self.push_unlimited()).await;
        let pushed = pushed.unwrap_or_else(|_| {
            self.transport.reconnect();
            Err(PushError::Timeout(self.timeout))
        });
        self.state.log(&pushed);
        pushed
    }

    async fn push_unlimited(&mut self) -> Result<(), PushError> {
        let (metrics, resource, exemplars) =
            (self.metrics.clone(), self.resource.clone(), self.exemplars);
        // As long as a scrape, in which RPCs have to go on.
        let requests = spawn_blocking(move || messages::requests(&metrics, &resource, exemplars));
        let requests = requests.await.map_err(|_| PushError::Stopped)?;
        let (mut rejected, mut messages) = (0_u64, Vec::new());
        for request in requests {
            match self.transport.send(request).await {
                Err(PushError::PartlyRejected { data_points, message }) => {
                    // The collector may claim any number.
                    rejected = rejected.saturating_add(data_points);
                    messages.push(message);
                }
                sent => sent?,
            }
        }
        if rejected == 0 {
            return Ok(());
        }
        messages.dedup();
        Err(PushError::PartlyRejected { data_points: rejected, message: messages.join("; ") })
    }
}

impl Orders {
    async fn next(&mut self, ticks: &mut Interval) -> Next {
        future::poll_fn(|cx| {
            if let Poll::Ready(last) = Pin::new(&mut self.shutdown).poll(cx) {
                return Poll::Ready(Next::End(last.ok()));
            }
            match self.flushes.poll_recv(cx) {
                Poll::Ready(Some(reply)) => return Poll::Ready(Next::Push(Some(reply))),
                Poll::Ready(None) => return Poll::Ready(Next::End(None)),
                Poll::Pending => {}
            }
            ticks.poll_tick(cx).map(|_| Next::Push(None))
        })
        .await
    }
}

/// Runs the push unless it is ended by the handle, which may ask for a last one.
async fn until<T>(
    push: impl Future<Output = T>,
    shutdown: &mut oneshot::Receiver<Reply>,
) -> Result<T, Option<Reply>> {
    let mut push = pin!(push);
    future::poll_fn(|cx| {
        if let Poll::Ready(last) = Pin::new(&mut *shutdown).poll(cx) {
            return Poll::Ready(Err(last.ok()));
        }
        push.as_mut().poll(cx).map(Ok)
    })
    .await
}

/// How the last push has gone. A change of it is logged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum State {
    #[default]
    Working,
    Rejected,
    Failing,
}

impl State {
    fn log(&mut self, pushed: &Result<(), PushError>) {
        let now = match pushed {
            Ok(()) => Self::Working,
            Err(PushError::PartlyRejected { .. }) => Self::Rejected,
            Err(_) => Self::Failing,
        };
        if *self == now {
            return;
        }
        *self = now;
        match pushed {
            Ok(()) => tracing::info!("the metrics arrive again"),
            Err(error) => tracing::warn!("{error}; the next push has all counts"),
        }
    }
}
