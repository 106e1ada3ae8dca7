//! What the expansion of `#[instrument_grpc]` may name. Not for use by hand: it changes with any release.

use std::marker::PhantomData;
use std::sync::Arc;

use tonic::{Request, Response, Status, Streaming};

use crate::deadline::Deadline;
use crate::guard::Target;
use crate::handler::{AtBoxedStreamEnd, AtReturn, AtStreamEnd, BoxStream, Ending};
use crate::GrpcMetrics;

pub use crate::guard::Rpc;
pub use crate::handler::Handler;
pub use crate::method::{Method, MethodKind, Service};
pub use crate::ResponseStream;
pub use grpc_metrics_macros::instrument_grpc_last;
pub use inventory::submit;
pub use std::boxed::Box;
pub use std::option::Option;
pub use std::{file, line};

/// An RPC of `method`, to be counted in the process-wide instance.
#[inline]
pub fn rpc<M>(method: &'static Method, request: &Request<M>) -> Rpc {
    Rpc::new(
        Target::Global(method.global()),
        Deadline::of(request.metadata()),
    )
}

/// An RPC of `method`, to be counted in the instance that `metrics = …` gives.
#[inline]
pub fn rpc_in<M>(metrics: &impl Instance, method: &'static Method, request: &Request<M>) -> Rpc {
    let metrics = metrics.instance().method(method).clone();
    Rpc::new(Target::Own(metrics), Deadline::of(request.metadata()))
}

/// What `metrics = …` may give.
#[diagnostic::on_unimplemented(
    message = "`metrics = …` gives a `{Self}`, which is no `GrpcMetrics`",
    label = "expected a `GrpcMetrics`, or a reference or `Arc` of one",
    note = "write `metrics = self.metrics`, where the field is a `grpc_metrics_runtime::GrpcMetrics`"
)]
pub trait Instance {
    /// The instance itself.
    fn instance(&self) -> &GrpcMetrics;
}

impl Instance for GrpcMetrics {
    #[inline]
    fn instance(&self) -> &GrpcMetrics {
        self
    }
}

impl<I: Instance + ?Sized> Instance for &I {
    #[inline]
    fn instance(&self) -> &GrpcMetrics {
        (**self).instance()
    }
}

impl<I: Instance + ?Sized> Instance for Arc<I> {
    #[inline]
    fn instance(&self) -> &GrpcMetrics {
        (**self).instance()
    }
}

/// A handler whose RPC goes on in its response stream.
#[inline]
pub fn streaming<F>(rpc: Rpc, handler: F) -> Handler<F, AtStreamEnd>
where
    F: Future<Output: StreamingReturn>,
{
    Handler::new(rpc, handler)
}

/// A handler whose RPC ends when it returns, whatever it returns.
#[inline]
pub fn until_return<F>(rpc: Rpc, handler: F) -> Handler<F, AtReturn>
where
    F: Future,
    AtReturn: Ending<F::Output>,
{
    Handler::new(rpc, handler)
}

/// What a handler with a response stream returns, and what tonic gets instead.
pub trait StreamingReturn {
    /// The same with the stream wrapped.
    type Wrapped;
}

impl<S> StreamingReturn for Result<Response<S>, Status> {
    type Wrapped = Result<Response<ResponseStream<S>>, Status>;
}

/// A handler's return type, to be looked at as a type, since its name tells nothing.
///
/// The items of an inherent impl go before those of a trait: where the type is that of tonic's default
/// stubs, `Returned::<R>::STREAMS` is the inherent one, and [`ReturnsMessage`]'s otherwise.
#[derive(Debug)]
pub struct Returned<R>(PhantomData<R>);

impl<M: 'static> Returned<Result<Response<BoxStream<M>>, Status>> {
    /// Whether the server streams.
    pub const STREAMS: bool = true;

    /// Carries the RPC through handler and stream.
    #[inline]
    pub fn instrument<F>(rpc: Rpc, handler: F) -> Handler<F, AtBoxedStreamEnd>
    where
        F: Future<Output = Result<Response<BoxStream<M>>, Status>>,
    {
        Handler::new(rpc, handler)
    }
}

/// See [`Returned`].
pub trait ReturnsMessage<R> {
    /// Whether the server streams.
    const STREAMS: bool = false;

    /// Carries the RPC through the handler.
    #[inline]
    fn instrument<F>(rpc: Rpc, handler: F) -> Handler<F, AtReturn>
    where
        F: Future<Output = R>,
        AtReturn: Ending<R>,
    {
        Handler::new(rpc, handler)
    }
}

impl<R> ReturnsMessage<R> for Returned<R> {}

/// A handler's argument, to be looked at as a type like [`Returned`].
#[derive(Debug)]
pub struct Argument<A>(PhantomData<A>);

impl<M> Argument<Request<Streaming<M>>> {
    /// Whether the client streams.
    pub const STREAMS: bool = true;
}

/// See [`Argument`].
pub trait TakesMessage {
    /// Whether the client streams.
    const STREAMS: bool = false;
}

impl<A> TakesMessage for Argument<A> {}
