//! The queue of scrapes: encodes one at a time, on a blocking thread.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::http::StatusCode;
use axum::http::header::{HeaderValue, RETRY_AFTER};
use prometheus::Registry;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::answer::{Answer, Representation};

/// The maximum number of waiting scrapes.
const MAX_WAITING: usize = 16;

/// The maximum wait. Prometheus gives up after 10 s by default.
const WAIT_TIMEOUT: Duration = Duration::from_secs(5);

/// [`WAIT_TIMEOUT`] in seconds.
const RETRY: HeaderValue = HeaderValue::from_static("5");

/// The scrapes of one router.
#[derive(Debug)]
pub(super) struct Queue {
    registry: Registry,
    /// Has one permit, for the scrape that is being encoded.
    encoding: Arc<Semaphore>,
    /// Has one permit per waiting scrape.
    waiting: Semaphore,
    /// The batch of the scrapes that arrived since the last encoding started.
    batch: Mutex<Arc<Batch>>,
}

/// The answers encoded after all scrapes of the batch had arrived, so any of these may use them.
type Batch = Mutex<Vec<(Representation, Answer)>>;

impl Queue {
    pub(super) fn new(registry: &Registry) -> Self {
        Self {
            registry: registry.clone(),
            encoding: Arc::new(Semaphore::new(1)),
            waiting: Semaphore::new(MAX_WAITING),
            batch: Mutex::default(),
        }
    }

    /// Answers a scrape. Everything counted before this call is in the answer.
    pub(super) async fn answer(self: Arc<Self>, wanted: Representation) -> Answer {
        let batch = Arc::clone(&lock(&self.batch));
        let Some(permit) = self.acquire().await else { return refusal() };
        let encoded = lock(&batch).iter().find(|(encoded, _)| *encoded == wanted).cloned();
        if let Some((_, answer)) = encoded {
            return answer;
        }
        let task = spawn_blocking(move || {
            // Scrapes that arrive from now on start a new batch, because this encoding may miss what they have to see.
            *lock(&self.batch) = Arc::default();
            let answer = wanted.answer(&self.registry);
            lock(&batch).push((wanted, answer.clone()));
            // The permit is held here, not in the future, which is dropped if the client disconnects. So no other
            // encoding starts before this one ends.
            drop(permit);
            answer
        });
        // Fails only if the runtime shuts down.
        task.await.unwrap_or_else(|_| refusal())
    }

    /// Acquires the permit to encode, in order of arrival. Returns `None` if too many scrapes wait, or after
    /// [`WAIT_TIMEOUT`].
    async fn acquire(&self) -> Option<OwnedSemaphorePermit> {
        let encoding = Arc::clone(&self.encoding);
        // The common case needs no timer.
        if let Ok(permit) = Arc::clone(&encoding).try_acquire_owned() {
            return Some(permit);
        }
        let _waiting = self.waiting.try_acquire().ok()?;
        timeout(WAIT_TIMEOUT, encoding.acquire_owned()).await.ok()?.ok()
    }
}

fn refusal() -> Answer {
    let why = "busy with other scrapes\n".into();
    Answer::refused(StatusCode::SERVICE_UNAVAILABLE, why).with_header(RETRY_AFTER, RETRY)
}

/// Ignores poisoning: the values are consistent whenever a panic can happen.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
