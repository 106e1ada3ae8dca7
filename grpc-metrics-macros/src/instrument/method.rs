//! Checks one method of the impl and resolves it into the plan of its RPC.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{
    Attribute, Error, FnArg, ItemImpl, LitStr, Meta, Pat, PatType, ReturnType, Signature, Type,
    parse_quote,
};

use crate::instrument::body::{Body, Future, Response};
use crate::instrument::plan::{Form, Rpc, Streams};
use crate::instrument::projections::Projections;
use crate::instrument::rpc_args::{self, RpcArgs};
use crate::instrument::service::{self, Method};
use crate::instrument::slo::Slo;
use crate::instrument::streams::Types;
use crate::instrument::{later, order, returned};
use crate::syntax::names::Style;
use crate::syntax::tokens::{self, as_typed};

/// The context of a method.
pub(crate) struct Scope<'a> {
    /// The stream types that get wrapped.
    pub(crate) wrapped: &'a Projections<'a>,
    /// All associated types.
    pub(crate) types: &'a Types<'a>,
    /// The case of the service's RPC names, as its stream types show it.
    pub(crate) style: Style,
    /// The impl.
    pub(crate) head: &'a ItemImpl,
    /// Whether an RPC lasts until its response stream ends.
    pub(crate) follow_streams: bool,
    /// The objectives of the impl.
    pub(crate) slo: Option<&'a Slo>,
    /// Whether the impl's RPCs have spans.
    pub(crate) span: bool,
}

impl Scope<'_> {
    /// Resolves a measured method. Returns `None` if a mistake makes that impossible.
    pub(crate) fn rpc(
        &self,
        method: &Method,
        args: &RpcArgs,
        errors: &mut Vec<Error>,
    ) -> Option<Rpc> {
        let mut sig = method.sig.clone();
        let stream = self.types.of(method);
        check_no_helper_in_cfg_attr(method, errors);
        let name = rpc_args::name(method, args, stream, self.style);
        let objectives = Slo::for_method(self.slo, args.slo.as_ref(), errors);
        let request = request(&mut sig.inputs, &sig.ident);
        let (request, future) = match (request, future(method)) {
            (Ok(request), Ok(future)) => (request, future),
            (request, future) => {
                errors.extend(request.err());
                errors.extend(future.err());
                return None;
            }
        };

        let response = match stream {
            _ if !self.follow_streams => Response::AtReturn,
            Some(stream) if self.types.is_free(stream) => Response::StreamByType,
            Some(_) => Response::Stream,
            None => Response::ByType,
        };
        let returned = self.returned(&mut sig, stream);
        if let (Some(stream), true, None, ReturnType::Type(_, future)) =
            (stream, self.follow_streams, &returned, &mut sig.output)
        {
            // An alias hides the type of the future, so the compiler has to compute the wrapped one.
            let declared = self.wrapped.as_declared(future.to_token_stream());
            **future = of_runtime(&quote!(WrappedFuture), &declared, Some(stream));
        }
        let (named, argument) = request;
        let form = self.form(method, future.clone(), returned.clone());
        let rebind = match form {
            Form::Later { .. } | Form::Now(Body::Boxed { .. }) => None,
            Form::Now(Body::Async { .. } | Body::Future { .. }) => rebind(method, &mut sig),
        };
        let (request, rebind) = rebind.unwrap_or((named, TokenStream::new()));
        let client_streams = self.nameable(&argument, method).map_or_else(
            || Streams::Known(tokens::mention(argument.clone(), &|ident| ident == "Streaming")),
            Streams::Type,
        );
        let server_streams = match (&returned, &future) {
            _ if stream.is_some() => Streams::Known(true),
            (Some(returned), _) => self.nameable(returned, method).map_or_else(
                || Streams::Known(tokens::mention(returned.clone(), &is_boxed_stream)),
                Streams::Type,
            ),
            (None, Some(future)) => {
                self.nameable(&future.ty, method).map_or(Streams::Known(false), Streams::Type)
            }
            (None, None) => Streams::Known(false),
        };
        Some(Rpc {
            attrs: method.attrs.clone(),
            vis: method.vis.clone(),
            descriptor: descriptor(&sig.ident),
            allows_deprecated: self.head.attrs.iter().chain(&method.attrs).any(allows_deprecated),
            name,
            client_streams,
            server_streams,
            request,
            argument,
            response,
            rebind,
            form,
            braces: method.body.span(),
            objectives,
            has_span: args.span.as_ref().map_or(self.span, |span| span.value),
            sig,
        })
    }

    /// Checks a method under `#[skip_metrics]` and returns the name of its RPC.
    pub(crate) fn skipped(&self, method: &Method, errors: &mut Vec<Error>) -> LitStr {
        check_skip(&method.skip, errors);
        let args = rpc_args::parse(method, errors);
        if let Some(attr) = method.rpc.first()
            && args.needs_measuring()
        {
            let message = format!(
                "`slo` and `span` have no effect under `#[skip_metrics]`: remove them from `#[{}]`, or remove \
                 `#[skip_metrics]`",
                as_typed(&attr.meta)
            );
            errors.push(Error::new_spanned(&attr.meta, message));
        }
        rpc_args::name(method, &args, self.types.of(method), self.style)
    }

    /// Returns the output of the handler's future, if the signature shows it, and replaces it in the signature by the
    /// trait's. There, a custom error is a `Status`, and a stream type that is spelled out instead of
    /// `Self::WatchStream` is wrapped.
    fn returned(&self, sig: &mut Signature, stream: Option<&Ident>) -> Option<TokenStream> {
        let ty = returned::of_handler(sig)?;
        let written = ty.to_token_stream();
        let returned = self.wrapped.as_declared(written.clone());
        // The stream type is spelled out, or is that of another method.
        let is_other = |stream: &&Ident| !self.wrapped.is_in(stream, written.clone());
        *ty = match stream.filter(|stream| self.follow_streams && is_other(stream)) {
            Some(stream) => of_runtime(&quote!(WrappedReturn), &returned, Some(stream)),
            None => of_runtime(&quote!(StatusReturn), &written, None),
        };
        Some(returned)
    }

    fn form(&self, method: &Method, future: Option<Future>, returned: Option<TokenStream>) -> Form {
        let body = self.wrapped.as_declared(method.body.stream());
        let body = tokens::regroup(&method.body, body);
        let future =
            future.map(|future| Future { ty: self.wrapped.as_declared(future.ty), ..future });
        if let Some(Future { ty, .. }) = &future
            && method.attrs.iter().any(later::makes_span)
        {
            return Form::Later { body, future: ty.clone(), returned };
        }
        let keep_async = !method.attrs.iter().all(order::is_inert);
        Form::Now(Body::of(body, future, returned, keep_async))
    }

    /// Returns the type as a static outside the impl can name it. Returns `None` if it depends on the impl's
    /// parameters.
    fn nameable(&self, ty: &TokenStream, method: &Method) -> Option<TokenStream> {
        let parameters = || self.head.generics.params.iter().chain(&method.sig.generics.params);
        // The kind of an RPC does not depend on lifetimes.
        let ty = tokens::with_static_lifetimes(ty.clone());
        let is_bound = tokens::mention(ty.clone(), &|ident| {
            ident == "Self"
                || parameters().any(|parameter| tokens::parameter_name(parameter) == ident)
        });
        (!is_bound).then_some(ty)
    }
}

/// Whether the method has one argument and a return type.
pub(crate) fn can_be_rpc(method: &Method) -> bool {
    let Signature { inputs, asyncness, output, .. } = &method.sig;
    let arguments = inputs.iter().filter(|input| matches!(input, FnArg::Typed(_))).count();
    arguments == 1 && (asyncness.is_some() || matches!(output, ReturnType::Type(..)))
}

/// Returns the name and the type of the request's argument. Names it if its pattern is `_`.
fn request(
    inputs: &mut syn::punctuated::Punctuated<FnArg, syn::Token![,]>,
    method: &Ident,
) -> Result<(Ident, TokenStream), Error> {
    let mut arguments = inputs.iter_mut().filter_map(|input| match input {
        FnArg::Typed(argument) => Some(argument),
        FnArg::Receiver(_) => None,
    });
    let Some(PatType { pat, ty, .. }) = arguments.next() else {
        let message = format!(
            "`{method}` takes no request: add `request: Request<…>`, or `#[skip_metrics]` if it is not an RPC"
        );
        return Err(Error::new_spanned(method, message));
    };
    if let Some(second) = arguments.next() {
        let message = format!(
            "an RPC method takes one argument, the request: remove `{}`, or add `#[skip_metrics]` if it is not an RPC",
            as_typed(&*second)
        );
        return Err(Error::new_spanned(second, message));
    }
    let name = match &**pat {
        Pat::Ident(pat) if pat.subpat.is_none() => pat.ident.clone(),
        Pat::Wild(_) => give_name(pat),
        pat => {
            let message =
                format!("the request needs a name: write `request` instead of `{}`", as_typed(pat));
            return Err(Error::new_spanned(pat, message));
        }
    };
    Ok((name, ty.to_token_stream()))
}

/// The argument's name if the user's name is bound later, or if there is none.
const REQUEST: &str = "__request";

fn give_name(pat: &mut Pat) -> Ident {
    let span = pat.span().resolved_at(Span::mixed_site());
    let ident = Ident::new(REQUEST, span);
    *pat = parse_quote!(#ident);
    ident
}

/// Renames the request's argument and binds the user's name by a `let` inside the handler. So lints about an unused or
/// deprecated argument work as in the user's code. Other attributes may read the arguments; then they stay as they are.
fn rebind(method: &Method, sig: &mut Signature) -> Option<(Ident, TokenStream)> {
    let argument = sig.inputs.iter_mut().find_map(|input| match input {
        FnArg::Typed(argument) => Some(argument),
        FnArg::Receiver(_) => None,
    })?;
    let has_name = !matches!(&*argument.pat, Pat::Ident(pat) if pat.ident == REQUEST);
    (has_name && method.attrs.iter().all(order::is_inert)).then(|| {
        let written = argument.pat.clone();
        let name = give_name(&mut argument.pat);
        let rebind = quote_spanned!(Span::mixed_site()=> let #written = #name;);
        (name, rebind)
    })
}

/// Returns the method's return type, or `None` for an `async fn`. Whether the type is a future, only the compiler
/// knows.
fn future(method: &Method) -> Result<Option<Future>, Error> {
    match &method.sig.output {
        _ if method.sig.asyncness.is_some() => Ok(None),
        ReturnType::Type(_, ty) => {
            Ok(Some(Future { ty: ty.to_token_stream(), is_send: returned::is_send(ty) }))
        }
        ReturnType::Default => {
            let name = &method.sig.ident;
            let message = format!(
                "`{name}` does not return a future: write `async fn {name}`, or add `#[skip_metrics]` if it is not an RPC"
            );
            Err(Error::new_spanned(name, message))
        }
    }
}

/// Rejects arguments of `#[skip_metrics]`.
pub(crate) fn check_skip(skip: &[Attribute], errors: &mut Vec<Error>) {
    for attr in skip {
        if !matches!(attr.meta, Meta::Path(_)) {
            let message = format!(
                "`skip_metrics` takes no arguments: write `#[skip_metrics]` instead of `#[{}]`",
                as_typed(&attr.meta)
            );
            errors.push(Error::new_spanned(&attr.meta, message));
        }
    }
}

fn check_no_helper_in_cfg_attr(method: &Method, errors: &mut Vec<Error>) {
    if let Some(attr) = method.attrs.iter().find(|attr| service::hides_helper(attr)) {
        let message = "`skip_metrics` and `rpc` are not supported in `cfg_attr`: write the method twice, under \
                       `#[cfg(…)]` and `#[cfg(not(…))]`, with the attribute on one of them";
        errors.push(Error::new_spanned(&attr.meta, message));
    }
}

/// Generates `Generic<Ty>` or `Generic<Ty, Self::Stream>` with a type of the runtime, at the span of the user's `ty`.
fn of_runtime(generic: &TokenStream, ty: &TokenStream, stream: Option<&Ident>) -> Type {
    let (first, last) = tokens::ends(ty);
    let open = quote_spanned!(first=> __grpc::#generic<);
    let stream = stream.map(|stream| quote_spanned!(last=> , Self::#stream));
    let close = quote_spanned!(last=> #stream >);
    Type::Verbatim(quote!(#open #ty #close))
}

/// The name of the descriptor's static. It keeps the method's case, since a trait may have both `get` and `Get`.
fn descriptor(method: &Ident) -> Ident {
    format_ident!("__RPC_{}", method, span = Span::mixed_site())
}

/// Whether the attribute allows deprecated names in the code below it.
fn allows_deprecated(attr: &Attribute) -> bool {
    let is_lint = |ident: &str| ident == "deprecated" || ident == "warnings";
    (attr.path().is_ident("allow") || attr.path().is_ident("expect"))
        && tokens::mention(attr.meta.to_token_stream(), &is_lint)
}

/// Whether the name suggests a boxed stream. Used if a constant can't inspect the type.
fn is_boxed_stream(ident: &str) -> bool {
    ident == "BoxStream" || ident == "Stream"
}
