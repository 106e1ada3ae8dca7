//! The body of a method, with the RPC around the handler in it.

use proc_macro2::{Group, Span, TokenStream};
use quote::{quote, quote_spanned};

use crate::syntax::tokens::{self, Boxed, emit};

/// How the RPC ends.
#[derive(Clone, Copy)]
pub(crate) enum Response {
    /// As the handler's return type says.
    ByType,
    /// With the response stream, whose type is wrapped.
    Stream,
    /// With the response stream, whose type is wrapped unless it is a box.
    StreamByType,
    /// When the handler returns.
    AtReturn,
}

/// The form of a method's body.
pub(crate) enum Body {
    /// As `#[async_trait]` leaves it.
    Boxed {
        boxed: Boxed,
        /// What the async block gives.
        returned: TokenStream,
        /// Whether an attribute on the method looks for the async block and must find one.
        keep_async: bool,
    },
    /// The body of an `async fn`.
    Async { body: Group, returned: TokenStream },
    /// The body of a function that returns a future, and the type of that.
    Future { body: Group, future: TokenStream },
}

impl Body {
    /// Of a method that returns this future, or is an `async fn`. `keep_async`: see [`Body::Boxed`].
    pub(crate) fn of(
        body: Group,
        future: Option<TokenStream>,
        returned: Option<TokenStream>,
        keep_async: bool,
    ) -> Self {
        let Some(future) = future else {
            return Self::Async { body, returned: returned.unwrap_or_else(|| quote!(())) };
        };
        match (tokens::boxed(body.stream()), returned) {
            (Some(boxed), Some(returned)) if keep_async || boxed.before.is_empty() => {
                Self::Boxed { boxed, returned, keep_async }
            }
            _ => Self::Future { body, future },
        }
    }
}

/// An RPC that is carried through a handler.
pub(crate) struct Carry<'a> {
    /// The expression for the RPC.
    pub(crate) started: TokenStream,
    pub(crate) response: Response,
    /// What gives the request the user's name, if the argument has another.
    pub(crate) taken: &'a TokenStream,
    /// The place of the method's name.
    pub(crate) method: Span,
}

impl Carry<'_> {
    /// The statements of the body.
    pub(crate) fn through(self, form: &Body) -> TokenStream {
        let taken = self.taken;
        let started = self.started.clone();
        match form {
            Body::Boxed { boxed, returned, keep_async } => {
                let Boxed { before, path, call, keywords, block } = boxed;
                // The request may be gone by the end of the statements.
                let (first, started) = if before.is_empty() {
                    (TokenStream::new(), started)
                } else {
                    (emit!(let __rpc = #started;), emit!(__rpc))
                };
                let mut handler = self.instrument(returned, emit!(#started, #keywords #block));
                if *keep_async {
                    // Nobody wrote these braces, and none of the user's lints is about them.
                    let braces = block.span().resolved_at(Span::mixed_site());
                    let block = tokens::braces(braces, emit!(#handler.await));
                    handler = emit!(#keywords #block);
                }
                let call = tokens::regroup(call, handler);
                emit!(#first #before #path #call)
            }
            Body::Async { body, returned } => {
                // Pins the type for `return`, `?` and coercions, as the signature of an `async fn` does.
                let handler = emit!(async move {
                    if let __grpc::Option::Some(__ret) = __grpc::Option::None::<#returned> {
                        return __ret;
                    }
                    #taken
                    let __ret: #returned = #body;
                    #[allow(unreachable_code)]
                    __ret
                });
                let handler = self.instrument(returned, emit!(#started, #handler));
                emit!(#handler.await)
            }
            Body::Future { body, future } => {
                let (first, last) = tokens::ends(future);
                let (instrument, rest) = match self.response {
                    Response::Stream => (emit!(future_streaming), emit!(, _>)),
                    Response::AtReturn => (emit!(future_until_return), emit!(, _>)),
                    Response::StreamByType => {
                        (emit!(ReturnedStreamFuture), quote_spanned!(last=> >::__grpc_carry))
                    }
                    Response::ByType => {
                        (emit!(ReturnedFuture), quote_spanned!(last=> >::__grpc_carry))
                    }
                };
                let open = quote_spanned!(first=> __grpc::#instrument::<);
                let close = quote_spanned!(last=> #rest);
                let arguments = tokens::parentheses(last, emit!(__rpc, move || -> #future #body));
                emit! {
                    let __rpc = #started;
                    #taken
                    #open #future #close #arguments
                }
            }
        }
    }

    /// The call that carries an RPC through its handler to where it ends. It stands at the type that the
    /// handler returns, since that is what is wrong if it does not fit.
    fn instrument(&self, returned: &TokenStream, arguments: TokenStream) -> TokenStream {
        let (first, last) = match returned.to_string().as_str() {
            // Nobody wrote it.
            "()" => (self.method, self.method),
            _ => tokens::ends(returned),
        };
        let (open, close) = match self.response {
            Response::ByType => (
                quote_spanned!(first=> __grpc::Returned::<),
                quote_spanned!(last=> >::__grpc_carry),
            ),
            Response::StreamByType => (
                quote_spanned!(first=> __grpc::ReturnedStream::<),
                quote_spanned!(last=> >::__grpc_carry),
            ),
            Response::Stream => {
                (quote_spanned!(first=> __grpc::streaming::<), quote_spanned!(last=> , _>))
            }
            Response::AtReturn => {
                (quote_spanned!(first=> __grpc::until_return::<), quote_spanned!(last=> , _>))
            }
        };
        let arguments = tokens::parentheses(last, arguments);
        quote!(#open #returned #close #arguments)
    }
}
