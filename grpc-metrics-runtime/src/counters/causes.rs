//! How often each known cause has ended a method's RPCs.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use tonic::Code;

/// RPCs of a method that ended with an error of one code and cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ErrorCount {
    /// The status code.
    pub code: Code,
    /// The cause: the `error` label.
    pub cause: &'static str,
    /// How many RPCs ended so.
    pub count: u64,
}

/// One counter for each code and cause that were seen: a list that only grows, and no longer than the
/// error types have variants. Shared by all threads, since RPCs that fail are few and have built a status.
#[derive(Debug, Default)]
pub(crate) struct Causes(OnceLock<Box<Cause>>);

#[derive(Debug)]
struct Cause {
    code: Code,
    name: &'static str,
    count: AtomicU64,
    next: Causes,
}

impl Causes {
    /// To be called once the RPC is counted, see [`read`](Self::read).
    pub(crate) fn count(&self, code: Code, name: &'static str) {
        let mut list = self;
        loop {
            let cause = list.0.get_or_init(|| {
                Box::new(Cause { code, name, count: AtomicU64::new(0), next: Self::default() })
            });
            if cause.code == code && cause.name == name {
                // Release: a reader that sees the cause sees the RPC.
                cause.count.fetch_add(1, Ordering::Release);
                return;
            }
            list = &cause.next;
        }
    }

    /// All that were seen, by code and name. To be called before the RPCs are read: none of these is
    /// then without its RPC.
    pub(crate) fn read(&self) -> Vec<ErrorCount> {
        let mut causes = Vec::new();
        let mut list = self;
        while let Some(cause) = list.0.get() {
            // Acquire: pairs with the release in `count`.
            let count = cause.count.load(Ordering::Acquire);
            causes.push(ErrorCount { code: cause.code, cause: cause.name, count });
            list = &cause.next;
        }
        causes.sort_by_key(|error| (error.code as i32, error.cause));
        causes
    }
}
