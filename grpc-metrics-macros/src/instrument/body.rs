//! Generates the body of a measured method.

use proc_macro2::{Group, Ident, Span, TokenStream};
use quote::{quote, quote_spanned};

use crate::syntax::tokens::{self, Boxed, emit};

/// How the RPC ends.
#[derive(Clone, Copy)]
pub(crate) enum Response {
    /// The handler's return type decides.
    ByType,
    /// When the response stream ends. Its type is wrapped.
    Stream,
    /// When the response stream ends. Its type is wrapped unless it is a boxed stream.
    StreamByType,
    /// When the handler returns.
    AtReturn,
}

/// The user's body, by its form.
pub(crate) enum Body {
    /// `Box::pin(async move { … })`, as `#[async_trait]` generates it.
    Boxed {
        boxed: Boxed,
        /// The output of the async block.
        returned: TokenStream,
        /// Whether another attribute on the method has to find an async block.
        keep_async: bool,
        /// Whether the method returns a box whose future is `Send`.
        is_send: bool,
    },
    /// The body of an `async fn`.
    Async { body: Group, returned: TokenStream },
    /// The body of a function that returns a future of this type.
    Future { body: Group, future: TokenStream },
}

/// The future that a method returns.
#[derive(Clone)]
pub(crate) struct Future {
    pub(crate) ty: TokenStream,
    /// Whether it is spelled out as a box, and is `Send`.
    pub(crate) is_send: bool,
}

impl Body {
    /// Classifies the body of a method. `future` is the type that the method returns, or `None` for an `async fn`.
    pub(crate) fn of(
        body: Group,
        future: Option<Future>,
        returned: Option<TokenStream>,
        keep_async: bool,
    ) -> Self {
        let Some(future) = future else {
            return Self::Async { body, returned: returned.unwrap_or_else(|| quote!(())) };
        };
        match (tokens::boxed(body.stream()), returned) {
            (Some(boxed), Some(returned)) if keep_async || boxed.before.is_empty() => {
                Self::Boxed { boxed, returned, keep_async, is_send: future.is_send }
            }
            _ => Self::Future { body, future: future.ty },
        }
    }
}

/// A handler to be measured.
pub(crate) struct Measured<'a> {
    /// The expression that creates the RPC.
    pub(crate) started: TokenStream,
    pub(crate) response: Response,
    /// The `let` that binds the request to the user's name, if the argument has another.
    pub(crate) rebind: &'a TokenStream,
    /// The span of the method's name.
    pub(crate) method: Span,
}

impl Measured<'_> {
    /// Generates the statements of the body.
    pub(crate) fn body(self, form: &Body) -> TokenStream {
        let rebind = self.rebind;
        let started = self.started.clone();
        match form {
            Body::Boxed { boxed, returned, keep_async, is_send } => {
                let Boxed { before, path, call, keywords, block } = boxed;
                // The statements may move the request, so create the RPC before them.
                let (first, started) = if before.is_empty() {
                    (TokenStream::new(), started)
                } else {
                    (emit!(let __rpc = #started;), emit!(__rpc))
                };
                let handler = emit!(#started, #keywords #block);
                if *is_send && !*keep_async {
                    let call = self.measure_call("measure_boxed", returned, &handler);
                    return emit!(#first #before #call);
                }
                let mut handler = self.measure_call("measure", returned, &handler);
                if *keep_async {
                    // Mixed-site hygiene, since the user's lints do not apply to generated braces.
                    let braces = block.span().resolved_at(Span::mixed_site());
                    let block = tokens::braces(braces, emit!(#handler.await));
                    handler = emit!(#keywords #block);
                }
                let call = tokens::regroup(call, handler);
                emit!(#first #before #path #call)
            }
            Body::Async { body, returned } => {
                // Fixes the output type for `return`, `?` and coercions, as the signature of an `async fn` does.
                let handler = emit!(async move {
                    if let __grpc::Option::Some(__ret) = __grpc::Option::None::<#returned> {
                        return __ret;
                    }
                    #rebind
                    let __ret: #returned = #body;
                    #[allow(unreachable_code)]
                    __ret
                });
                let handler = emit!(#started, #handler);
                let handler = self.measure_call("measure", returned, &handler);
                emit!(#handler.await)
            }
            Body::Future { body, future } => {
                let handler = emit!(__rpc, move || -> #future #body);
                let call = self.measure_call("measure_future", future, &handler);
                emit! {
                    let __rpc = #started;
                    #rebind
                    #call
                }
            }
        }
    }

    /// Generates the call that measures the handler. Its span is that of `ty`, the type that the handler or the method
    /// returns, since a trait error of the call is about this type.
    fn measure_call(&self, call: &str, ty: &TokenStream, arguments: &TokenStream) -> TokenStream {
        // A missing return type has no span.
        let of_method = quote_spanned!(self.method=> ());
        let ty = if ty.to_string() == "()" { &of_method } else { ty };
        let (first, last) = tokens::ends(ty);
        let (probe, end) = match self.response {
            Response::ByType => ("Returned", quote_spanned!(last=> ::__GRPC_END)),
            Response::StreamByType => ("ReturnedStream", quote_spanned!(last=> ::__GRPC_END)),
            Response::Stream => ("at_stream_end", quote_spanned!(last=> ())),
            Response::AtReturn => ("at_return", quote_spanned!(last=> ())),
        };
        let (probe, call) = (Ident::new(probe, first), Ident::new(call, last));
        let open = quote_spanned!(first=> __grpc::#probe::<);
        let close = quote_spanned!(last=> > #end);
        let arguments = tokens::parentheses(last, emit!(#open #ty #close, #arguments));
        let grpc = quote_spanned!(first=> __grpc::);
        quote!(#grpc #call #arguments)
    }
}
