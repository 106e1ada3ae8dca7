//! The items that macro expansions use. Not public API: they change in any release.

use std::any::type_name;
use std::marker::PhantomData;
use std::panic::Location;
use std::pin::Pin;
use std::sync::{Arc, LazyLock};

use http::{Extensions, HeaderMap};
use tonic::{Request, Response, Streaming};

use crate::rpc::{
    AtBoxedStreamEnd, AtReturn, AtStreamEnd, BoxStream, Ending, SyncBoxStream, Target,
    UnpinBoxStream,
};
use crate::{GrpcMetrics, MethodKind};

pub use crate::__named_after_trait as named_after_trait;
pub use crate::ResponseStream;
pub use crate::catalog::{
    ClientEntry, Definition, Method, Method as ClientMethod, NamedAfterTrait, Service,
    UnmeasuredClient,
};
pub use crate::client::{ClientService, client_call, client_codec, client_service};
pub use crate::rpc::{Entered, Handler, MessageStream, Rpc, StreamItem};
pub use crate::status::{
    Description, ErrorType, GrpcStatus, IntoStatus, Source, own_status, own_status_of_generic,
    passed_on,
};
pub use grpc_metrics_macros::{instrument_grpc_last, instrument_method_last};
pub use inventory::submit;
pub use std::boxed::Box;
pub use std::convert::From;
pub use std::option::Option;
pub use tonic::{Code, Status};

/// Stands for the code that a derive with a mistake can't generate.
pub fn wrong_derive() -> ! {
    unreachable!("a program with a mistake in `#[status]` does not compile")
}

/// Starts the descriptor of a method. `service` and `name` are the labels.
pub const fn method(
    service: &'static str,
    name: &'static str,
    client_streams: bool,
    server_streams: bool,
) -> Definition {
    Definition::new(service, name, MethodKind::new(client_streams, server_streams))
}

/// Builds the descriptor of a generated client's method. `service` and `name` are the labels.
pub const fn client_method(
    service: &'static str,
    name: &'static str,
    client_streams: bool,
    server_streams: bool,
) -> ClientMethod {
    Definition::client(service, name, MethodKind::new(client_streams, server_streams)).build()
}

/// Builds the inventory's entry of a module whose client is not measured, with the caller's place in the source.
#[track_caller]
pub const fn unmeasured_client(module: &'static str, reason: &'static str) -> UnmeasuredClient {
    let place = Location::caller();
    UnmeasuredClient { module, reason, file: place.file(), line: place.line() }
}

/// Builds the inventory's entry of an impl, with the caller's place in the source.
#[track_caller]
pub const fn service(
    name: &'static str,
    implementation: &'static str,
    chooses_instance: bool,
    methods: &'static [&'static Method],
) -> Service {
    let place = Location::caller();
    let (file, line) = (place.file(), place.line());
    Service {
        name,
        implementation,
        file,
        line,
        chooses_instance,
        methods,
        macro_calls: &[],
        skipped: &[],
    }
}

/// Submits an impl that is labelled with its trait's name as written. Called inside a method of the impl.
#[doc(hidden)]
#[macro_export]
macro_rules! __named_after_trait {
    ($label:expr, $implementation:expr) => {
        enum __Here {}
        $crate::__private::submit! {
            $crate::__private::named_after_trait::<__Here>($label, $implementation)
        }
    };
}

/// Builds the inventory's entry of an impl that is labelled with its trait's name as written. `Place` is a type inside
/// the impl.
#[track_caller]
pub const fn named_after_trait<Place>(
    label: &'static str,
    implementation: &'static str,
) -> NamedAfterTrait {
    let at = Location::caller();
    let (file, line) = (at.file(), at.line());
    NamedAfterTrait { label, implementation, file, line, place: type_name::<Place> }
}

/// Creates an RPC that is counted in the process-wide instance.
#[inline]
pub fn rpc<A: HandlerArgument>(method: &'static Method, request: &A) -> Rpc {
    rpc_of(method, request.headers(), request.extensions())
}

/// Creates an RPC that is counted in the instance of `metrics = …`.
#[inline]
pub fn rpc_in<A: HandlerArgument>(
    metrics: &impl Instance,
    method: &'static Method,
    request: &A,
) -> Rpc {
    rpc_of_own(metrics.instance(), method, request.headers(), request.extensions())
}

// These two are compiled once, not in every method.

#[inline(never)]
fn rpc_of(method: &'static Method, headers: &HeaderMap, extensions: &Extensions) -> Rpc {
    Rpc::new(Target::Global(GrpcMetrics::of_global(method)), method, headers, extensions)
}

#[inline(never)]
fn rpc_of_own(
    metrics: &GrpcMetrics,
    method: &'static Method,
    headers: &HeaderMap,
    extensions: &Extensions,
) -> Rpc {
    Rpc::new(Target::Own(metrics.method(method)), method, headers, extensions)
}

/// The argument of a handler.
#[diagnostic::on_unimplemented(
    message = "an RPC method takes a `Request<_>`, not `{Self}`",
    label = "expected `tonic::Request<_>`",
    note = "`#[instrument_grpc]` goes above the impl of the trait that tonic generates",
    note = "if this method is not an RPC, put `#[skip_metrics]` above it"
)]
pub trait HandlerArgument {
    /// Returns the metadata, which has the deadline and the caller's trace.
    fn headers(&self) -> &HeaderMap;

    /// Where the server layer's ticket is.
    fn extensions(&self) -> &Extensions;
}

impl<M> HandlerArgument for Request<M> {
    #[inline]
    fn headers(&self) -> &HeaderMap {
        self.metadata().as_ref()
    }

    #[inline]
    fn extensions(&self) -> &Extensions {
        Self::extensions(self)
    }
}

/// The value of `metrics = …`.
#[diagnostic::on_unimplemented(
    message = "`metrics` must be a `GrpcMetrics`, not `{Self}`",
    label = "expected a `GrpcMetrics`, or a pointer to one",
    note = "write `metrics = self.metrics`, with a field of type `grpc_metrics_runtime::GrpcMetrics`"
)]
pub trait Instance {
    /// Returns the instance.
    fn instance(&self) -> &GrpcMetrics;
}

impl Instance for GrpcMetrics {
    #[inline]
    fn instance(&self) -> &GrpcMetrics {
        self
    }
}

macro_rules! instance_behind {
    ($($pointer:ty),*) => {$(
        impl<I: Instance> Instance for $pointer {
            #[inline]
            fn instance(&self) -> &GrpcMetrics {
                (**self).instance()
            }
        }
    )*};
}

instance_behind!(&I, Arc<I>, Box<I>, LazyLock<I>);

/// The output of a handler. Its error converts into a [`Status`].
///
/// The measured future is an associated type, so that a wrong return type is reported once, and not again wherever the
/// future is used.
#[diagnostic::on_unimplemented(
    message = "an RPC method returns `Result<Response<_>, Status>`, not `{Self}`",
    label = "expected `Result<tonic::Response<_>, tonic::Status>`",
    note = "`#[instrument_grpc]` goes above the impl of the trait that tonic generates",
    note = "if this method is not an RPC, put `#[skip_metrics]` above it"
)]
pub trait HandlerReturn {
    /// The measured handler. `N` decides when its RPC ends.
    type Measured<F, N>;

    /// The return type in the trait, with `W` as the response stream.
    type Wrapped<W>;

    #[doc(hidden)]
    fn measure<F, N>(rpc: Rpc, handler: F) -> Self::Measured<F, N>;
}

impl<M, E: IntoStatus> HandlerReturn for Result<Response<M>, E> {
    type Measured<F, N> = Handler<F, N>;
    type Wrapped<W> = Result<Response<W>, Status>;

    #[inline]
    fn measure<F, N>(rpc: Rpc, handler: F) -> Self::Measured<F, N> {
        Handler::new(rpc, handler)
    }
}

/// The output of a handler that is boxed with its RPC. `N` decides when the RPC ends.
///
/// One trait for all that [`measure_boxed`] needs of a return type, so that a wrong one is reported once.
#[diagnostic::on_unimplemented(
    message = "an RPC method returns `Result<Response<_>, Status>`, not `{Self}`",
    label = "expected `Result<tonic::Response<_>, tonic::Status>`",
    note = "`#[instrument_grpc]` goes above the impl of the trait that tonic generates",
    note = "if this method is not an RPC, put `#[skip_metrics]` above it"
)]
pub trait BoxedReturn<N>: Sized {
    /// The output in the trait.
    type Output;

    #[doc(hidden)]
    fn measure_boxed<'a, F>(rpc: Rpc, handler: F) -> BoxFuture<'a, Self::Output>
    where
        F: Future<Output = Self> + Send + 'a;
}

impl<M, E, N> BoxedReturn<N> for Result<Response<M>, E>
where
    E: IntoStatus,
    N: Ending<Result<Response<M>, Status>> + 'static,
{
    type Output = N::Output;

    #[inline]
    fn measure_boxed<'a, F>(rpc: Rpc, handler: F) -> BoxFuture<'a, N::Output>
    where
        F: Future<Output = Self> + Send + 'a,
    {
        Box::pin(Handler::<F, N>::new(rpc, handler))
    }
}

/// The return type in the trait. Its error is `Status`.
pub type StatusReturn<R> = <R as InSignature>::Returned;

/// The return type in the trait, with `W` as the response stream.
pub type WrappedReturn<R, W> = <R as HandlerReturn>::Wrapped<W>;

/// A handler's return type in the method's signature. Implemented for wrong types, too, since these are reported once,
/// by [`HandlerReturn`].
#[diagnostic::on_unimplemented(
    message = "an RPC method returns `Result<Response<_>, Status>`, not `{Self}`",
    label = "expected `Result<tonic::Response<_>, tonic::Status>`",
    note = "`#[instrument_grpc]` goes above the impl of the trait that tonic generates",
    note = "if this method is not an RPC, put `#[skip_metrics]` above it"
)]
pub trait InSignature {
    /// The same type with the trait's error.
    type Returned;
}

impl<T, E> InSignature for Result<T, E> {
    type Returned = Result<T, Status>;
}

macro_rules! as_written {
    ($($ty:ty;)*) => {$(
        impl InSignature for $ty {
            type Returned = Self;
        }
    )*};
}

as_written! {
    (); bool; char; u8; u16; u32; u64; u128; usize; i8; i16; i32; i64; i128; isize; f32; f64; String;
}

impl<T> InSignature for Response<T> {
    type Returned = Self;
}

impl<T> InSignature for Option<T> {
    type Returned = Self;
}

impl<T> InSignature for Vec<T> {
    type Returned = Self;
}

impl<T: ?Sized> InSignature for Box<T> {
    type Returned = Self;
}

/// When an RPC ends: `N`, for a handler that returns `R` or a method that returns the future `R`.
#[derive(Debug)]
pub struct End<R, N>(PhantomData<fn() -> (R, N)>);

/// The RPC ends when the handler returns.
pub const fn at_return<R>() -> End<R, AtReturn> {
    End(PhantomData)
}

/// The RPC ends when the response stream ends. Its type is wrapped.
pub const fn at_stream_end<R>() -> End<R, AtStreamEnd> {
    End(PhantomData)
}

/// Measures an RPC from its handler to its end.
#[inline]
pub fn measure<R, N, F>(_: End<R, N>, rpc: Rpc, handler: F) -> R::Measured<F, N>
where
    R: HandlerReturn,
    F: Future<Output = R>,
{
    R::measure(rpc, handler)
}

/// Like [`measure`], boxed like an `async fn` under `#[async_trait]`.
///
/// Boxed here, so that the compiler proves here, once, that what is around the handler is `Send`. In a method of the
/// user's, it would prove that again for each field of [`Rpc`] and of all types in it.
#[inline]
pub fn measure_boxed<'a, R, N, F>(_: End<R, N>, rpc: Rpc, handler: F) -> BoxFuture<'a, R::Output>
where
    R: BoxedReturn<N>,
    F: Future<Output = R> + Send + 'a,
{
    R::measure_boxed(rpc, handler)
}

/// Like [`measure`], for a method that is not an `async fn`.
#[inline]
pub fn measure_future<T, N>(_: End<T, N>, rpc: Rpc, handler: impl FnOnce() -> T) -> T::Measured<N>
where
    T: HandlerFuture,
{
    handler().measure(rpc)
}

/// The future that a method returns if it is not an `async fn`.
#[diagnostic::on_unimplemented(
    message = "an RPC method returns a future, not `{Self}`",
    label = "write `async fn`, under `#[tonic::async_trait]`",
    note = "`#[instrument_grpc]` goes above the impl of the trait that tonic generates",
    note = "if this method is not an RPC, put `#[skip_metrics]` above it"
)]
pub trait HandlerFuture {
    /// The return type in the trait, with `W` as the response stream.
    type Wrapped<W>;

    /// The measured future. `N` decides when its RPC ends.
    type Measured<N>;

    #[doc(hidden)]
    fn measure<N>(self, rpc: Rpc) -> Self::Measured<N>;
}

/// A boxed future, as `#[async_trait]` has it.
pub type BoxFuture<'a, R> = Pin<Box<dyn Future<Output = R> + Send + 'a>>;
type LocalBoxFuture<'a, R> = Pin<Box<dyn Future<Output = R> + 'a>>;

macro_rules! boxed_future {
    ($($boxed:ident)*) => {$(
        impl<'a, M, E: IntoStatus> HandlerFuture for $boxed<'a, Result<Response<M>, E>> {
            type Wrapped<W> = $boxed<'a, Result<Response<W>, Status>>;
            type Measured<N> = Pin<Box<Handler<Self, N>>>;

            fn measure<N>(self, rpc: Rpc) -> Self::Measured<N> {
                Box::pin(Handler::new(rpc, self))
            }
        }
    )*};
}

boxed_future!(BoxFuture LocalBoxFuture);

/// The return type in the trait, with `W` as the response stream.
pub type WrappedFuture<T, W> = <T as HandlerFuture>::Wrapped<W>;

/// The stream type of an instrumented impl.
pub trait Wrapped {
    /// The type that the user declared.
    type Stream;
}

impl<S> Wrapped for ResponseStream<S> {
    type Stream = S;
}

/// The type that the user declared.
pub type Declared<S> = <S as Wrapped>::Stream;

/// Inspects the output of a handler, or the future that a method returns. Its name may be an alias.
///
/// The items of an inherent impl shadow those of a trait. If `R` has a boxed stream, `Returned::<R>::__GRPC_STREAMS` is
/// the inherent constant, else that of [`ReturnsMessage`]. The constants have prefixes, so that no trait of the user
/// has them for all types.
#[derive(Debug)]
pub struct Returned<R>(PhantomData<R>);

/// See [`Returned`].
pub trait ReturnsMessage<R> {
    /// Whether the server streams.
    const __GRPC_STREAMS: bool = false;

    /// When the RPC ends.
    const __GRPC_END: End<R, AtReturn> = at_return();
}

impl<R> ReturnsMessage<R> for Returned<R> {}

/// The type of a declared stream in the impl. A boxed stream keeps its type, so code outside the impl sees the declared
/// type. The measured stream goes into another box. Any other type is wrapped.
pub trait StreamType<const IS_BOXED: bool> {
    /// The type in the impl.
    type InImpl;
}

impl<S> StreamType<false> for S {
    type InImpl = ResponseStream<S>;
}

/// Inspects a declared stream type, as [`Returned`] does.
#[derive(Debug)]
pub struct DeclaredStream<S>(PhantomData<S>);

/// See [`DeclaredStream`].
pub trait DeclaresStream {
    /// Whether it is a boxed stream, which can hold any stream of its messages.
    const __GRPC_IS_BOXED: bool = false;
}

impl<S> DeclaresStream for DeclaredStream<S> {}

/// Like [`Returned`], for a method whose response stream has a declared type.
#[derive(Debug)]
pub struct ReturnedStream<R>(PhantomData<R>);

/// See [`ReturnedStream`].
pub trait ReturnsStream<R> {
    /// When the RPC ends.
    const __GRPC_END: End<R, AtStreamEnd> = at_stream_end();
}

impl<R> ReturnsStream<R> for ReturnedStream<R> {}

// For any error type, so that one that does not convert is reported once.
macro_rules! ends_in_box {
    ($($lifetime:lifetime)? $probe:ident<$returned:ty> $(; $streams:ident)?) => {
        impl<$($lifetime,)? M: 'static, E> $probe<$returned> {
            $(
                /// Whether the server streams.
                pub const $streams: bool = true;
            )?

            /// When the RPC ends.
            pub const __GRPC_END: End<$returned, AtBoxedStreamEnd> = End(PhantomData);
        }
    };
}

ends_in_box!(Returned<Result<Response<BoxStream<M>>, E>>; __GRPC_STREAMS);
ends_in_box!('a Returned<BoxFuture<'a, Result<Response<BoxStream<M>>, E>>>; __GRPC_STREAMS);

macro_rules! boxed_stream {
    ($($boxed:ident)*) => {$(
        impl<M: 'static> Wrapped for $boxed<M> {
            type Stream = Self;
        }

        impl<M: 'static> StreamType<true> for $boxed<M> {
            type InImpl = Self;
        }

        impl<M: 'static> DeclaredStream<$boxed<M>> {
            /// Whether it is a boxed stream, which can hold any stream of its messages.
            pub const __GRPC_IS_BOXED: bool = true;
        }

        ends_in_box!(ReturnedStream<Result<Response<$boxed<M>>, E>>);
        ends_in_box!('a ReturnedStream<BoxFuture<'a, Result<Response<$boxed<M>>, E>>>);
        ends_in_box!('a ReturnedStream<LocalBoxFuture<'a, Result<Response<$boxed<M>>, E>>>);
    )*};
}

boxed_stream!(BoxStream SyncBoxStream UnpinBoxStream);

/// Inspects the type of a handler's argument, as [`Returned`] does.
#[derive(Debug)]
pub struct Argument<A>(PhantomData<A>);

impl<M> Argument<Request<Streaming<M>>> {
    /// Whether the client streams.
    pub const __GRPC_STREAMS: bool = true;
}

/// See [`Argument`].
pub trait TakesMessage {
    /// Whether the client streams.
    const __GRPC_STREAMS: bool = false;
}

impl<A> TakesMessage for Argument<A> {}
