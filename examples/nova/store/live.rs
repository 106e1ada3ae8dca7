//! The live streams.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use tokio::sync::broadcast;
use uuid::Uuid;

use super::bounded::Bounded;

/// A viewer who lags by more lines is disconnected.
const BACKLOG: usize = 64;

#[derive(Debug, Clone)]
pub(crate) struct LiveLine {
    pub(crate) user: Uuid,
    pub(crate) text: String,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Profile {
    pub(crate) height: u32,
    pub(crate) kbit_per_second: u32,
}

pub(crate) struct LiveStream {
    pub(crate) broadcaster: Uuid,
    pub(crate) title: String,
    pub(crate) profile: Profile,
    pub(crate) started: Instant,
    pub(crate) peak_viewers: usize,
    pub(crate) chat_lines: u64,
    /// Closes when the live stream ends, and with it every viewer's chat.
    chat: broadcast::Sender<LiveLine>,
}

impl LiveStream {
    pub(crate) fn new(broadcaster: Uuid, title: String) -> Self {
        Self {
            broadcaster,
            title,
            profile: Profile { height: 720, kbit_per_second: 2_500 },
            started: Instant::now(),
            peak_viewers: 0,
            chat_lines: 0,
            chat: broadcast::Sender::new(BACKLOG),
        }
    }

    pub(crate) fn viewers(&self) -> usize {
        self.chat.receiver_count()
    }

    pub(crate) fn join(&mut self) -> broadcast::Receiver<LiveLine> {
        let seat = self.chat.subscribe();
        self.peak_viewers = self.peak_viewers.max(self.viewers());
        seat
    }

    /// Returns the number of receivers.
    pub(crate) fn say(&mut self, line: LiveLine) -> usize {
        self.chat_lines += 1;
        // An error means that there are no viewers.
        self.chat.send(line).unwrap_or(0)
    }
}

pub(crate) struct LiveStreams(Mutex<Bounded<LiveStream>>);

impl LiveStreams {
    pub(super) fn new(seeds: impl IntoIterator<Item = (Uuid, LiveStream)>) -> Self {
        Self(Mutex::new(Bounded::new(seeds)))
    }

    pub(crate) fn start(&self, id: Uuid, stream: LiveStream) {
        self.on_air().insert(id, stream);
    }

    pub(crate) fn stop(&self, id: Uuid) -> Option<LiveStream> {
        self.on_air().remove(id)
    }

    /// `None` if the stream is not live.
    pub(crate) fn with<R>(&self, id: Uuid, f: impl FnOnce(&mut LiveStream) -> R) -> Option<R> {
        self.on_air().get_mut(id).map(f)
    }

    fn on_air(&self) -> MutexGuard<'_, Bounded<LiveStream>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
