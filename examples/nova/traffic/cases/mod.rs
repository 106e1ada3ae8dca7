//! The calls of one pass, by service. Each method gets a success, each of its errors, and some
//! cancellations.

mod auth;
mod content;
mod feed;
mod messaging;
mod streaming;
mod user;

use std::time::Duration;

use super::{Channels, case::Case};
use crate::{
    service::Service,
    store::seed,
    tokens::{self, Kind},
};

/// An invalid UUID.
const NO_UUID: &str = "12345";

/// The number of the pass selects seeds and makes new names unique.
pub(super) fn all(channels: &Channels, pass: u64) -> Vec<Case> {
    let mut cases = auth::cases(channels.of(Service::Auth), pass);
    cases.extend(content::cases(channels.of(Service::Content), pass));
    cases.extend(feed::cases(channels.of(Service::Feed), pass));
    cases.extend(messaging::cases(channels.of(Service::Messaging), pass));
    cases.extend(streaming::cases(channels.of(Service::Streaming), pass));
    cases.extend(user::cases(channels.of(Service::User), pass));
    cases
}

fn user(n: u64) -> String {
    seed::user(1 + n % seed::USERS).to_string()
}

/// An access token of a seed user.
fn token(user: u64, lives: Duration) -> String {
    tokens::issue(Kind::Access, seed::user(user), lives)
}

fn nobody() -> String {
    seed::user(seed::NOBODY).to_string()
}
