//! The state of an RPC that the program calls.

use std::error::Error;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::{iter, mem};

use http::HeaderMap;
use tonic::{Code, Status, TimeoutExpired};

use super::caller::Caller;
use super::deadline::Deadline;
use super::span::{Ended, RpcSpan};
use super::state::{Recorder, Target};
use crate::counters::LabelValue;

/// An RPC that the program calls. Dropped before its end, it is cancelled.
#[derive(Debug)]
pub(crate) struct ClientRpc {
    recorder: Recorder,
    span: RpcSpan,
    caller: Caller,
    /// Where the decoder of a response stream leaves the code of a message that can't be decoded.
    undecodable: Option<Undecodable>,
    /// If they count.
    bytes: Option<Arc<CallBytes>>,
    is_sent: bool,
    ended: bool,
}

/// The bytes of a call's messages, counted by its bodies.
#[derive(Debug, Default)]
pub(crate) struct CallBytes {
    sent: AtomicU64,
    received: AtomicU64,
}

impl CallBytes {
    // Relaxed, all: each stands for itself, and what is read late is a call's that was dropped.
    pub(crate) fn sent(&self, bytes: u64) {
        self.sent.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(crate) fn received(&self, bytes: u64) {
        self.received.fetch_add(bytes, Ordering::Relaxed);
    }

    fn read(&self) -> [u64; 2] {
        [&self.sent, &self.received].map(|bytes| bytes.load(Ordering::Relaxed))
    }
}

/// The code of a message that can't be decoded. The program then has it from the decoder, and drops the stream.
pub(crate) type Undecodable = Arc<OnceLock<Code>>;

impl ClientRpc {
    /// Starts an RPC of the handler that this thread polls. `path` is the name of its span.
    #[inline]
    pub(crate) fn start(target: Target, path: impl FnOnce() -> &'static str) -> Self {
        let mut rpc = Self {
            recorder: Recorder::start(target, Deadline::NONE, LabelValue::NONE),
            span: RpcSpan::NONE,
            caller: Caller::current(),
            undecodable: None,
            bytes: None,
            is_sent: false,
            ended: false,
        };
        // From here on a panic ends the RPC, even a panic of the tracing subscriber.
        rpc.span = RpcSpan::of_client(path);
        rpc
    }

    pub(crate) fn target(&self) -> &Target {
        self.recorder.target()
    }

    /// Takes the deadline from the request's headers, and writes the trace into them.
    pub(crate) fn send(&mut self, headers: &mut HeaderMap) {
        self.recorder.set_deadline(Deadline::from_headers(headers));
        self.span.inject(headers);
        self.is_sent = true;
        if self.target().counts_bytes_of_calls {
            self.bytes = Some(Arc::default());
        }
    }

    /// Returns where the bodies count their bytes, if these count.
    pub(crate) fn bytes(&self) -> Option<Arc<CallBytes>> {
        self.bytes.clone()
    }

    #[inline]
    pub(crate) fn is_sent(&self) -> bool {
        self.is_sent
    }

    /// Returns where a decoder leaves its error's code.
    pub(crate) fn undecodable(&mut self) -> Undecodable {
        Arc::clone(self.undecodable.get_or_insert_default())
    }

    /// Ends the RPC. Does nothing if it has ended.
    pub(crate) fn end(&mut self, code: Code) {
        if !mem::replace(&mut self.ended, true) {
            // The program has had that error, even if it has read on.
            let ended = match self.undecodable_code().unwrap_or(code) {
                // tonic's server answers so when the deadline has passed.
                Code::Cancelled => self.recorder.abandon(),
                code => self.recorder.end(code),
            };
            self.finish(ended);
        }
    }

    /// Returns whether the RPC's end is still open: no status has come, and every message could be decoded.
    pub(crate) fn goes_on(&self) -> bool {
        !self.ended && self.undecodable_code().is_none()
    }

    fn undecodable_code(&self) -> Option<Code> {
        self.undecodable.as_ref()?.get().copied()
    }

    fn finish(&mut self, ended: Ended) {
        // After the RPC, so that a scrape finds an RPC for every call that it finds here.
        if let Some(caller) = self.caller.labels() {
            self.target().count_edge(caller, ended.code);
        }
        if self.target().counts_bytes_of_calls {
            // Nothing of a call that was not sent.
            let bytes = self.bytes.as_deref();
            let [sent, received] = bytes.map_or([0, 0], CallBytes::read);
            self.target().sizes_of_rpc(ended.code, sent, received);
        }
        self.span.close(self.recorder.target(), &ended);
    }
}

impl Drop for ClientRpc {
    fn drop(&mut self) {
        if self.ended {
            return;
        }
        if let Some(code) = self.undecodable_code() {
            self.end(code);
        } else {
            // Also if the caller panics: to the server, that is a cancellation.
            let ended = self.recorder.abandon();
            self.finish(ended);
        }
    }
}

/// Returns the code of the status that a call ended with. tonic gives `CANCELLED` for a timeout of its own.
pub(crate) fn code_of_call(status: &Status) -> Code {
    let chain = iter::successors(status.source(), |error| (*error).source());
    match status.code() {
        Code::Cancelled if chain.into_iter().any(<dyn Error>::is::<TimeoutExpired>) => {
            Code::DeadlineExceeded
        }
        code => code,
    }
}
