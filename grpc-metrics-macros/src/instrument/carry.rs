//! The body of a method, with the RPC around the handler in it.

use proc_macro2::{Group, Ident, Span, TokenStream};
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
                let handler = emit!(#started, #keywords #block);
                let mut handler = self.carried("carry", returned, &handler);
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
                let handler = emit!(#started, #handler);
                let handler = self.carried("carry", returned, &handler);
                emit!(#handler.await)
            }
            Body::Future { body, future } => {
                let handler = emit!(__rpc, move || -> #future #body);
                let carry = self.carried("carry_future", future, &handler);
                emit! {
                    let __rpc = #started;
                    #taken
                    #carry
                }
            }
        }
    }

    /// The call that carries an RPC through its handler to where it ends. It stands at the `ty` that the handler
    /// or the method returns, since that is what is wrong if it does not fit.
    fn carried(&self, carry: &str, ty: &TokenStream, arguments: &TokenStream) -> TokenStream {
        // Nobody wrote `()`.
        let of_method = quote_spanned!(self.method=> ());
        let ty = if ty.to_string() == "()" { &of_method } else { ty };
        let (first, last) = tokens::ends(ty);
        let (probe, end) = match self.response {
            Response::ByType => ("Returned", quote_spanned!(last=> ::__GRPC_END)),
            Response::StreamByType => ("ReturnedStream", quote_spanned!(last=> ::__GRPC_END)),
            Response::Stream => ("at_stream_end", quote_spanned!(last=> ())),
            Response::AtReturn => ("at_return", quote_spanned!(last=> ())),
        };
        let (probe, carry) = (Ident::new(probe, first), Ident::new(carry, last));
        let open = quote_spanned!(first=> __grpc::#probe::<);
        let close = quote_spanned!(last=> > #end);
        let arguments = tokens::parentheses(last, emit!(#open #ty #close, #arguments));
        let grpc = quote_spanned!(first=> __grpc::);
        quote!(#grpc #carry #arguments)
    }
}
