//! The calls of one pass, by service. Each method gets a success, each of its errors, and some
//! cancellations.

mod auth;
mod content;
mod feed;
mod messaging;
mod streaming;
mod user;

use super::{case::Case, trace::Channel};
use crate::store::seed;

/// An invalid UUID.
const NO_UUID: &str = "12345";

/// The number of the pass selects seeds and makes new names unique.
pub(super) fn all(channel: &Channel, pass: u64) -> Vec<Case> {
    let mut cases = auth::cases(channel.clone(), pass);
    cases.extend(content::cases(channel.clone(), pass));
    cases.extend(feed::cases(channel.clone(), pass));
    cases.extend(messaging::cases(channel.clone(), pass));
    cases.extend(streaming::cases(channel.clone(), pass));
    cases.extend(user::cases(channel.clone(), pass));
    cases
}

fn user(n: u64) -> String {
    seed::user(1 + n % seed::USERS).to_string()
}

fn nobody() -> String {
    seed::user(seed::NOBODY).to_string()
}
