//! What a test and the handlers it has called share.

use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};

use tokio::sync::Semaphore;

/// Where handlers wait for the test, and leave word of how far they have come. Counts on its own, so
/// that the metrics have something to agree with.
#[derive(Clone, Debug, Default)]
pub struct Stage(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    entered: AtomicUsize,
    waiting: AtomicUsize,
    dropped: AtomicUsize,
    stream_polls: AtomicUsize,
    hanging: Mutex<HashSet<u32>>,
    gate: Semaphore,
    blocked: Mutex<bool>,
    unblocked: Condvar,
}

impl Default for Inner {
    fn default() -> Self {
        Self {
            entered: AtomicUsize::new(0),
            waiting: AtomicUsize::new(0),
            dropped: AtomicUsize::new(0),
            stream_polls: AtomicUsize::new(0),
            hanging: Mutex::default(),
            gate: Semaphore::new(0),
            blocked: Mutex::new(true),
            unblocked: Condvar::new(),
        }
    }
}

impl Stage {
    /// How many handlers have begun.
    pub fn entered(&self) -> usize {
        self.0.entered.load(Ordering::SeqCst)
    }

    /// How many times a handler or stream has come to a step at which it waits.
    pub fn waiting(&self) -> usize {
        self.0.waiting.load(Ordering::SeqCst)
    }

    /// Whether the RPC with this number has come to the step at which it hangs.
    pub fn hangs(&self, id: u32) -> bool {
        self.0.hanging.lock().unwrap().contains(&id)
    }

    /// Forgets which RPCs hang, once they have ended, so that a long run needs no room for them.
    pub fn forget_hanging(&self) {
        self.0.hanging.lock().unwrap().clear();
    }

    /// How many response streams have been dropped.
    pub fn dropped(&self) -> usize {
        self.0.dropped.load(Ordering::SeqCst)
    }

    /// How often response streams have been polled.
    pub fn stream_polls(&self) -> usize {
        self.0.stream_polls.load(Ordering::SeqCst)
    }

    /// Lets `n` through the gate.
    pub fn let_through(&self, n: usize) {
        self.0.gate.add_permits(n);
    }

    /// Lets all through the gate, now and later.
    pub fn open(&self) {
        self.0.gate.close();
    }

    /// Lets go of all threads that are held, now and later.
    pub fn unblock(&self) {
        *self.0.blocked.lock().unwrap() = false;
        self.0.unblocked.notify_all();
    }

    pub(crate) fn enter(&self) {
        self.0.entered.fetch_add(1, Ordering::SeqCst);
    }

    pub(crate) fn wait_here(&self) {
        self.0.waiting.fetch_add(1, Ordering::SeqCst);
    }

    pub(crate) fn hang_here(&self, id: u32) {
        self.0.hanging.lock().unwrap().insert(id);
        self.wait_here();
    }

    pub(crate) fn drop_stream(&self) {
        self.0.dropped.fetch_add(1, Ordering::SeqCst);
    }

    pub(crate) fn poll_stream(&self) {
        self.0.stream_polls.fetch_add(1, Ordering::SeqCst);
    }

    pub(crate) async fn gate(&self) {
        if let Ok(permit) = self.0.gate.acquire().await {
            permit.forget();
        }
    }

    /// Holds the thread; the runtime moves its other tasks away.
    pub(crate) fn block(&self) {
        tokio::task::block_in_place(|| {
            let blocked = self.0.blocked.lock().unwrap();
            drop(self.0.unblocked.wait_while(blocked, |blocked| *blocked));
        });
    }
}
