//! The calls of one pass, service by service: for every method a success, every error that it has
//! to give, and some ways of giving up.

mod auth;
mod content;
mod feed;
mod messaging;
mod streaming;
mod user;

use super::{case::Case, trace::Channel};
use crate::store::seed;

/// Malformed, wherever a UUID is asked for.
const NO_UUID: &str = "12345";

/// The number of the pass chooses among the seeds, and makes new names new.
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
