//! One scrape at a time, off the threads that serve RPCs.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::http::StatusCode;
use axum::http::header::{HeaderValue, RETRY_AFTER};
use prometheus::Registry;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::answer::{Answer, Representation};

/// How many may wait.
const MAX_WAITING: usize = 16;

/// How long they may. Prometheus gives up after 10 s unless told otherwise.
const WAIT_TIMEOUT: Duration = Duration::from_secs(5);

/// `WAIT_TIMEOUT`, for those who are refused.
const RETRY: HeaderValue = HeaderValue::from_static("5");

/// The scrapes of one router.
#[derive(Debug)]
pub(super) struct Queue {
    registry: Registry,
    /// One permit: that of the scrape that is being encoded.
    turn: Arc<Semaphore>,
    /// A permit for each that waits.
    waiting: Semaphore,
    /// What those have in common who have come since the last encoding started.
    batch: Mutex<Arc<Batch>>,
}

/// What was encoded after all of these had come, so that each may have it.
type Batch = Mutex<Vec<(Representation, Answer)>>;

impl Queue {
    pub(super) fn of(registry: &Registry) -> Self {
        Self {
            registry: registry.clone(),
            turn: Arc::new(Semaphore::new(1)),
            waiting: Semaphore::new(MAX_WAITING),
            batch: Mutex::default(),
        }
    }

    /// An answer with what is counted by now or later.
    pub(super) async fn answer(self: Arc<Self>, wanted: Representation) -> Answer {
        let batch = Arc::clone(&lock(&self.batch));
        let Some(turn) = self.turn().await else { return refusal() };
        let of_batch = lock(&batch).iter().find(|(of, _)| *of == wanted).cloned();
        if let Some((_, answer)) = of_batch {
            return answer;
        }
        let encoding = spawn_blocking(move || {
            // Whoever comes from now on may want to see what this one does not.
            *lock(&self.batch) = Arc::default();
            let answer = wanted.answer(&self.registry);
            lock(&batch).push((wanted, answer.clone()));
            // It is here, and not where it may be dropped with a connection, so that nobody else encodes meanwhile.
            drop(turn);
            answer
        });
        // An error is the end of the runtime.
        encoding.await.unwrap_or_else(|_| refusal())
    }

    /// `None` if too many wait, or this one has waited too long. First come, first served.
    async fn turn(&self) -> Option<OwnedSemaphorePermit> {
        let turn = Arc::clone(&self.turn);
        // Most find nobody there, and need neither a place nor a timer.
        if let Ok(turn) = Arc::clone(&turn).try_acquire_owned() {
            return Some(turn);
        }
        let _place = self.waiting.try_acquire().ok()?;
        timeout(WAIT_TIMEOUT, turn.acquire_owned()).await.ok()?.ok()
    }
}

fn refusal() -> Answer {
    let why = "busy with other scrapes\n".into();
    Answer::refused(StatusCode::SERVICE_UNAVAILABLE, why).with_header(RETRY_AFTER, RETRY)
}

/// What is locked is whole at any time, so that a panic elsewhere changes nothing.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
