//! Error counts by cause.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use tonic::Code;

/// The number of a method's RPCs that ended with an error of one code and cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ErrorCount {
    /// The status code.
    pub code: Code,
    /// The cause, which is the `error` label.
    pub cause: &'static str,
    /// The number of RPCs.
    pub count: u64,
}

/// One counter per code and cause, in a list that only grows, up to the number of variants of the error types.
///
/// All threads share it: failed RPCs are few, and each has built a status, which costs more than a shared counter.
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
    /// Counts a cause. Call it after counting the RPC, see [`read`](Self::read).
    pub(crate) fn count(&self, code: Code, name: &'static str) {
        let mut list = self;
        loop {
            let cause = list.0.get_or_init(|| {
                Box::new(Cause { code, name, count: AtomicU64::new(0), next: Self::default() })
            });
            if cause.code == code && cause.name == name {
                // Release: a reader that sees the cause also sees the RPC.
                cause.count.fetch_add(1, Ordering::Release);
                return;
            }
            list = &cause.next;
        }
    }

    /// Returns all counts, sorted by code and cause. Call it before reading the RPCs, so that every cause read has its
    /// RPC.
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
