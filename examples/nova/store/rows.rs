//! The rows of the database.

use std::{
    collections::{BTreeSet, VecDeque},
    time::SystemTime,
};

use uuid::Uuid;

#[derive(Debug, Clone)]
pub(crate) struct User {
    pub(crate) id: Uuid,
    pub(crate) email: String,
    pub(crate) password_hash: u64,
    pub(crate) locked: bool,
    pub(crate) name: String,
    pub(crate) bio: String,
    pub(crate) settings: Settings,
    pub(crate) following: BTreeSet<Uuid>,
    pub(crate) followers: BTreeSet<Uuid>,
    pub(crate) blocking: BTreeSet<Uuid>,
}

impl User {
    pub(crate) fn new(id: Uuid, email: String, password_hash: u64, name: String) -> Self {
        Self {
            id,
            email,
            password_hash,
            locked: false,
            name,
            bio: String::new(),
            settings: Settings::default(),
            following: BTreeSet::new(),
            followers: BTreeSet::new(),
            blocking: BTreeSet::new(),
        }
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) private: bool,
    pub(crate) language: String,
    pub(crate) notifications: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self { private: false, language: "en".to_owned(), notifications: true }
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Conversation {
    pub(crate) id: Uuid,
    pub(crate) title: String,
    pub(crate) members: BTreeSet<Uuid>,
}

#[derive(Debug, Clone)]
pub(crate) struct Message {
    pub(crate) id: Uuid,
    pub(crate) conversation: Uuid,
    pub(crate) sender: Uuid,
    pub(crate) text: String,
    pub(crate) sent_at: SystemTime,
}

#[derive(Debug, Clone)]
pub(crate) struct Post {
    pub(crate) id: Uuid,
    pub(crate) author: Uuid,
    pub(crate) text: String,
    pub(crate) quotes: Option<Uuid>,
    pub(crate) likes: BTreeSet<Uuid>,
    pub(crate) comments: VecDeque<Comment>,
    pub(crate) media_bytes: u64,
}

#[derive(Debug, Clone)]
pub(crate) struct Comment {
    pub(crate) author: Uuid,
    pub(crate) text: String,
}
