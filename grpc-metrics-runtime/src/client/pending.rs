//! The RPC of the generated method that the current thread polls, until the response takes it.

use std::cell::Cell;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;
use tonic::{Code, Response, Status};

use crate::GrpcMetrics;
use crate::catalog::Method;
use crate::rpc::{ClientRpc, Target, code_of_call};

thread_local! {
    static PENDING: Cell<Option<ClientRpc>> = const { Cell::new(None) };
}

/// Puts this in the place of the pending RPC, and returns that. There is none while the thread's locals are being
/// destroyed.
fn replace(rpc: Option<ClientRpc>) -> Option<ClientRpc> {
    PENDING.try_with(|pending| pending.replace(rpc)).ok().flatten()
}

/// Takes the pending RPC.
pub(super) fn take() -> Option<ClientRpc> {
    replace(None)
}

/// Makes the RPC pending again.
pub(super) fn give_back(rpc: ClientRpc) {
    replace(Some(rpc));
}

pin_project! {
    /// The body of a generated method with its RPC.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct ClientCall<F> {
        #[pin]
        call: F,
        method: &'static Method,
        has_started: bool,
        rpc: Option<ClientRpc>,
    }
}

impl<F> ClientCall<F> {
    #[inline]
    pub(super) fn new(method: &'static Method, call: F) -> Self {
        Self { call, method, has_started: false, rpc: None }
    }
}

/// While it lives, the RPC is pending on this thread.
struct Lent<'a> {
    rpc: &'a mut Option<ClientRpc>,
    outer: Option<ClientRpc>,
}

impl<'a> Lent<'a> {
    fn new(rpc: &'a mut Option<ClientRpc>) -> Self {
        let outer = replace(rpc.take());
        Self { rpc, outer }
    }
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        *self.rpc = replace(self.outer.take());
    }
}

impl<M, F> Future for ClientCall<F>
where
    F: Future<Output = Result<Response<M>, Status>>,
{
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        if !*this.has_started {
            *this.has_started = true;
            let target = Target::Global(GrpcMetrics::of_global(this.method));
            *this.rpc = Some(ClientRpc::start(target, || this.method.path()));
        }
        let is_sent = this.rpc.as_ref().is_some_and(ClientRpc::is_sent);
        // Once the request is sent, only the RPC of a response stream is elsewhere, and may come back.
        let lent = (!is_sent).then(|| Lent::new(this.rpc));
        let polled = this.call.poll(cx);
        drop(lent);
        // If the RPC goes on in the response stream, it is not here any more.
        if let Poll::Ready(result) = &polled
            && let Some(mut rpc) = this.rpc.take()
        {
            rpc.end(result.as_ref().map_or_else(code_of_call, |_| Code::Ok));
        }
        polled
    }
}
