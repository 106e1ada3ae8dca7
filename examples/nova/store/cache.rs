//! The data that Nova keeps in Redis: feeds, sessions, presence and subscriptions to conversations.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant, SystemTime},
};

use tokio::sync::broadcast;
use uuid::Uuid;

use super::{Faults, Message, StoreError};
use crate::pb::feed::RankedPost;

const FEED_LIVES: Duration = Duration::from_secs(5);
const PRESENCE_LIVES: Duration = Duration::from_secs(60);
/// A listener that lags by more is disconnected.
const BACKLOG: usize = 64;

pub(crate) struct Cache {
    entries: Mutex<Entries>,
    faults: Arc<Faults>,
}

#[derive(Default)]
struct Entries {
    feeds: HashMap<Uuid, (Instant, Vec<RankedPost>)>,
    /// When each refresh token expires.
    sessions: HashMap<String, SystemTime>,
    seen: HashMap<Uuid, Instant>,
    listeners: HashMap<Uuid, broadcast::Sender<Message>>,
}

impl Cache {
    pub(super) fn new(faults: Arc<Faults>) -> Self {
        Self { entries: Mutex::default(), faults }
    }

    pub(crate) async fn feed(&self, user: Uuid) -> Result<Option<Vec<RankedPost>>, StoreError> {
        let entries = self.entries().await?;
        let fresh = entries.feeds.get(&user).filter(|(stored, _)| stored.elapsed() < FEED_LIVES);
        Ok(fresh.map(|(_, feed)| feed.clone()))
    }

    pub(crate) async fn put_feed(
        &self,
        user: Uuid,
        feed: Vec<RankedPost>,
    ) -> Result<(), StoreError> {
        let mut entries = self.entries().await?;
        entries.feeds.retain(|_, (stored, _)| stored.elapsed() < FEED_LIVES);
        entries.feeds.insert(user, (Instant::now(), feed));
        Ok(())
    }

    /// Returns whether there was one.
    pub(crate) async fn drop_feed(&self, user: Uuid) -> Result<bool, StoreError> {
        Ok(self.entries().await?.feeds.remove(&user).is_some())
    }

    pub(crate) async fn open_session(
        &self,
        refresh_token: String,
        expires: SystemTime,
    ) -> Result<(), StoreError> {
        let mut entries = self.entries().await?;
        let now = SystemTime::now();
        entries.sessions.retain(|_, expires| *expires > now);
        entries.sessions.insert(refresh_token, expires);
        Ok(())
    }

    /// Returns whether there was one.
    pub(crate) async fn close_session(&self, refresh_token: &str) -> Result<bool, StoreError> {
        Ok(self.entries().await?.sessions.remove(refresh_token).is_some())
    }

    /// Marks the user as present.
    pub(crate) async fn touch(&self, user: Uuid) -> Result<(), StoreError> {
        let mut entries = self.entries().await?;
        entries.seen.retain(|_, seen| seen.elapsed() < PRESENCE_LIVES);
        entries.seen.insert(user, Instant::now());
        Ok(())
    }

    pub(crate) async fn publish(&self, message: Message) -> Result<(), StoreError> {
        let mut entries = self.entries().await?;
        entries.listeners.retain(|_, listeners| listeners.receiver_count() > 0);
        if let Some(listeners) = entries.listeners.get(&message.conversation) {
            // Fails only if the last listener has just disconnected.
            let _ = listeners.send(message);
        }
        Ok(())
    }

    pub(crate) async fn subscribe(
        &self,
        conversation: Uuid,
    ) -> Result<broadcast::Receiver<Message>, StoreError> {
        let mut entries = self.entries().await?;
        let listeners = entries
            .listeners
            .entry(conversation)
            .or_insert_with(|| broadcast::Sender::new(BACKLOG));
        Ok(listeners.subscribe())
    }

    async fn entries(&self) -> Result<MutexGuard<'_, Entries>, StoreError> {
        self.faults.cache().await?;
        Ok(self.entries.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
