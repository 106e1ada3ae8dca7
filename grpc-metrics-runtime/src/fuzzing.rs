//! What clients send and users write, for the targets in `tests/fuzz/`. Exists only with `--cfg fuzzing`.

use http::HeaderMap;

use crate::grpc::Frames;
pub use crate::http::negotiated;
pub use crate::monitoring::{query_tokens, translated};
use crate::rpc::Deadline;

/// Whether the deadline in the headers has passed after this time.
pub fn is_late(headers: &HeaderMap, elapsed_nanos: u64) -> bool {
    Deadline::from_headers(headers).has_passed(elapsed_nanos)
}

/// The messages in a body that arrives in these pieces, and their bytes.
pub fn messages<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> (u64, u64) {
    let mut frames = Frames::default();
    pieces
        .into_iter()
        .map(|data| frames.read(data))
        .fold((0, 0), |(messages, bytes), added| (messages + added.messages, bytes + added.bytes))
}
