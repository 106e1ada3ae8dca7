//! The store's initial content, under ids that the traffic uses.

use std::{
    collections::{BTreeSet, VecDeque},
    time::SystemTime,
};

use uuid::Uuid;

use super::{Comment, Conversation, LiveStream, Message, Post, User};
use crate::tokens;

pub(crate) const USERS: u64 = 12;
pub(crate) const PASSWORD: &str = "correct horse";
/// This user's account is locked.
pub(crate) const LOCKED: u64 = USERS;
/// Not in any table.
pub(crate) const NOBODY: u64 = 999;
/// Each user with the next one, without a title.
pub(crate) const CONVERSATIONS: u64 = USERS - 1;
pub(crate) const POSTS: u64 = 24;
pub(crate) const STREAMS: u64 = 3;
const MESSAGES: u64 = 4 * CONVERSATIONS;

/// Seed ids sort before the ids of all later rows.
pub(super) const LAST_KIND: u64 = 5;

pub(crate) fn user(n: u64) -> Uuid {
    Uuid::from_u64_pair(1, n)
}

pub(crate) fn conversation(n: u64) -> Uuid {
    Uuid::from_u64_pair(2, n)
}

pub(crate) fn message(n: u64) -> Uuid {
    Uuid::from_u64_pair(3, n)
}

pub(crate) fn post(n: u64) -> Uuid {
    Uuid::from_u64_pair(4, n)
}

pub(crate) fn stream(n: u64) -> Uuid {
    Uuid::from_u64_pair(LAST_KIND, n)
}

pub(crate) fn email(n: u64) -> String {
    format!("user{n}@nova.example")
}

pub(super) fn users() -> impl Iterator<Item = (Uuid, User)> {
    (1..=USERS).map(|n| {
        let hash = tokens::hash_password(PASSWORD);
        let mut row = User::new(user(n), email(n), hash, format!("User {n}"));
        row.locked = n == LOCKED;
        // Each user follows the two previous ones.
        row.following = (n.saturating_sub(2).max(1)..n).map(user).collect();
        row.followers = (n + 1..=(n + 2).min(USERS)).map(user).collect();
        (row.id, row)
    })
}

pub(super) fn conversations() -> impl Iterator<Item = (Uuid, Conversation)> {
    (1..=CONVERSATIONS).map(|n| {
        let members = BTreeSet::from([user(n), user(n + 1)]);
        (conversation(n), Conversation { id: conversation(n), title: String::new(), members })
    })
}

pub(super) fn messages() -> impl Iterator<Item = (Uuid, Message)> {
    (1..=MESSAGES).map(|n| {
        let talk = 1 + (n - 1) % CONVERSATIONS;
        let row = Message {
            id: message(n),
            conversation: conversation(talk),
            sender: user(talk + n % 2),
            text: format!("Hello, for the {n}th time"),
            sent_at: SystemTime::now(),
        };
        (row.id, row)
    })
}

pub(super) fn posts() -> impl Iterator<Item = (Uuid, Post)> {
    (1..=POSTS).map(|n| {
        let row = Post {
            id: post(n),
            author: user(1 + (n - 1) % USERS),
            text: format!("Post number {n}"),
            quotes: None,
            likes: (1..=n % USERS).map(user).collect(),
            comments: VecDeque::from([Comment { author: user(1), text: "First!".to_owned() }]),
            media_bytes: 0,
        };
        (row.id, row)
    })
}

pub(super) fn streams() -> impl Iterator<Item = (Uuid, LiveStream)> {
    (1..=STREAMS).map(|n| (stream(n), LiveStream::new(user(n), format!("Channel {n}"))))
}
