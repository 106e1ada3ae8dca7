//! From what is written to what is meant. Every mistake is found, not only the first.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote};
use syn::ext::IdentExt;
use syn::{Attribute, Error, FnArg, LitStr, Meta, Pat, PatType, Path, ReturnType, Type};

use crate::args::Args;
use crate::plan::{self, Form, Plan, Response, Rpc, Streams};
use crate::service::{Item, Method, Service};
use crate::streams::{self, Types};
use crate::tokens::{self, Declared};
use crate::{order, returned};

/// Resolves an impl, or gives everything that is wrong with it.
pub(crate) fn check(args: Args, service: Service) -> Result<Plan, Vec<Error>> {
    let mut errors = args.errors;
    let Service {
        head,
        trait_,
        items,
    } = service;
    let methods = || items.iter().filter_map(Item::as_method);
    let types = Types::new(items.iter().filter_map(Item::as_type));

    let wrap = args.streams.as_ref().is_none_or(|streams| streams.value);
    let instrumented = methods().filter(|method| method.skip.is_empty());
    let wrapped: Vec<&Ident> = if wrap {
        instrumented
            .filter_map(|method| types.of_method(method))
            .collect()
    } else {
        Vec::new()
    };
    let aliases = types.aliases(&wrapped);
    let scope = Scope {
        declared: types.declared(&wrapped),
        generics: head.generics.params.iter().map(parameter_name).collect(),
        types: &types,
        wrapped: &wrapped,
        wrap,
    };

    let mut planned = Vec::new();
    for item in &items {
        planned.push(match item {
            Item::Other(tokens) => plan::Item::AsWritten(tokens.clone()),
            Item::Type(item) if wrapped.contains(&&item.ident) => {
                let mut item = item.clone();
                item.ty = Type::Verbatim(scope.declared.write_out(item.ty.to_token_stream()));
                plan::Item::Stream(item)
            }
            Item::Type(item) => plan::Item::AsWritten(item.to_token_stream()),
            Item::Method(method) if !method.skip.is_empty() => {
                check_skipped(method, &mut errors);
                plan::Item::AsWritten(method.to_token_stream())
            }
            Item::Method(method) => match scope.rpc(method) {
                Ok(rpc) => plan::Item::Rpc(Box::new(rpc)),
                Err(error) => {
                    errors.push(error);
                    continue;
                }
            },
        });
    }
    check_names(&planned, &mut errors);

    if !errors.is_empty() {
        return Err(errors);
    }
    Ok(Plan {
        runtime: plan::runtime(args.runtime),
        label: args
            .service
            .map_or_else(|| label(&trait_), |service| service.to_token_stream()),
        implementation: format!("{} for {}", compact(&trait_), compact(&head.self_ty)),
        head,
        metrics: args.metrics,
        aliases,
        items: planned,
    })
}

/// What a method is read against.
struct Scope<'a> {
    types: &'a Types<'a>,
    /// The stream types that get wrapped.
    wrapped: &'a [&'a Ident],
    /// The same, as declared.
    declared: Declared,
    /// The impl's generic parameters, which a static can't name.
    generics: Vec<String>,
    /// Whether response streams are followed.
    wrap: bool,
}

impl Scope<'_> {
    fn rpc(&self, method: &Method) -> Result<Rpc, Error> {
        let mut sig = method.sig.clone();
        if let Some(attr) = method.attrs.iter().find(|attr| hides_helper(attr)) {
            let message = "`skip_metrics` and `rpc` can't stand in `cfg_attr`; write the method twice, under \
                           `#[cfg(…)]` and `#[cfg(not(…))]`, and put the attribute on one of them";
            return Err(Error::new_spanned(attr, message));
        }
        let (request, argument) = request(&mut sig.inputs, sig.ident.span())?;
        let stream = self.types.of_method(method);
        let client_streams = match &argument {
            argument if self.nameable(argument) => Streams::Type(argument.clone()),
            argument => Streams::Known(tokens::mention(argument.clone(), &|ident| {
                ident == "Streaming"
            })),
        };
        let form = form(method)?;
        let whole = match &sig.output {
            ReturnType::Type(_, ty) => self.declared.write_out(ty.to_token_stream()),
            ReturnType::Default => quote!(()),
        };
        let (returned, written) = match returned::of_handler(&mut sig) {
            Some(ty) => {
                let as_declared = self.declared.write_out(ty.to_token_stream());
                let is_wrapped = self.declared.projected_in(ty.to_token_stream()).is_some();
                (as_declared, (!is_wrapped).then_some(ty))
            }
            None => (quote!(<#whole as ::core::future::Future>::Output), None),
        };
        let response = match stream {
            _ if !self.wrap => Response::AtReturn,
            Some(ident) if self.wrapped.contains(&ident) => {
                // A type spelled out where the trait has `Self::WatchStream`.
                if let Some(ty) = written {
                    *ty = Type::Verbatim(
                        quote!(<#returned as __grpc_metrics::StreamingReturn>::Wrapped),
                    );
                }
                Response::Stream
            }
            _ => Response::ByType,
        };
        let server_streams = match stream {
            Some(_) => Streams::Known(true),
            None if self.nameable(&returned) => Streams::Type(returned.clone()),
            None => Streams::Known(false),
        };
        Ok(Rpc {
            attrs: method.attrs.clone(),
            vis: method.vis.clone(),
            descriptor: descriptor(&sig.ident),
            name: rpc_name(method, stream)?,
            sig,
            client_streams,
            server_streams,
            request,
            response,
            returned,
            form: match form {
                Form::Boxed {
                    before,
                    block,
                    keep_async,
                } => Form::Boxed {
                    before,
                    block: self.declared.write_out(block),
                    keep_async,
                },
                Form::Async(body) => {
                    Form::Async(syn::parse2(self.declared.write_out(quote!(#body)))?)
                }
                Form::Future(body, _) => Form::Future(
                    syn::parse2(self.declared.write_out(quote!(#body)))?,
                    Box::new(Type::Verbatim(whole)),
                ),
            },
        })
    }

    /// Whether a static outside the impl can name the type.
    fn nameable(&self, ty: &TokenStream) -> bool {
        !tokens::mention(ty.clone(), &|ident| {
            ident == "Self" || self.generics.iter().any(|name| name == ident)
        })
    }
}

fn form(method: &Method) -> Result<Form, Error> {
    if method.sig.asyncness.is_some() {
        return Ok(Form::Async(method.body.clone()));
    }
    let ReturnType::Type(_, ty) = &method.sig.output else {
        let message =
            "an RPC method returns a future: write `async fn`, or #[skip_metrics] above the method";
        return Err(Error::new_spanned(method.sig.fn_token, message));
    };
    Ok(match tokens::boxed_tail(method.body.stream()) {
        Some(tail) => Form::Boxed {
            before: tail.before,
            block: tail.block,
            keep_async: !method.attrs.iter().all(order::is_inert),
        },
        None => Form::Future(method.body.clone(), ty.clone()),
    })
}

/// The request's argument and its type. One without a name gets one.
fn request(
    inputs: &mut syn::punctuated::Punctuated<FnArg, syn::Token![,]>,
    method: Span,
) -> Result<(Ident, TokenStream), Error> {
    let mut arguments = inputs.iter_mut().filter_map(|input| match input {
        FnArg::Typed(argument) => Some(argument),
        FnArg::Receiver(_) => None,
    });
    let none = "an RPC method takes a request: `request: Request<…>`; put #[skip_metrics] above a method that is none";
    let Some(PatType { pat, ty, .. }) = arguments.next() else {
        return Err(Error::new(method, none));
    };
    if let Some(second) = arguments.next() {
        let message = "an RPC method takes one argument, its request; remove this one, or put #[skip_metrics] above \
                       the method";
        return Err(Error::new_spanned(second, message));
    }
    let ident = match &**pat {
        Pat::Ident(pat) if pat.subpat.is_none() => pat.ident.clone(),
        Pat::Wild(wild) => {
            let ident = Ident::new(
                "__request",
                wild.underscore_token.span.resolved_at(Span::mixed_site()),
            );
            **pat = syn::parse_quote!(#ident);
            ident
        }
        pat => {
            return Err(Error::new_spanned(
                pat,
                "name the request: `request: Request<…>`",
            ));
        }
    };
    Ok((ident, ty.to_token_stream()))
}

fn rpc_name(method: &Method, stream: Option<&Ident>) -> Result<LitStr, Error> {
    let ident = &method.sig.ident;
    let mut given = None;
    for attr in &method.rpc {
        let wrong = || {
            Error::new_spanned(
                attr,
                "`rpc` takes the RPC's proto name: `#[rpc(name = \"GetKV\")]`",
            )
        };
        if given.is_some() {
            return Err(Error::new_spanned(attr, "`rpc` is given twice; remove one"));
        }
        attr.parse_nested_meta(|meta| {
            if !meta.path.is_ident("name") {
                return Err(wrong());
            }
            let name: LitStr = meta
                .value()
                .and_then(|value| value.parse())
                .map_err(|_| wrong())?;
            if name.value().is_empty() {
                return Err(Error::new(
                    name.span(),
                    "the RPC's name is empty; write it as in the proto file",
                ));
            }
            given = Some(name);
            Ok(())
        })
        .map_err(|error| {
            if matches!(attr.meta, Meta::List(_)) {
                error
            } else {
                wrong()
            }
        })?;
        if given.is_none() {
            return Err(wrong());
        }
    }
    let rust_name = ident.unraw().to_string();
    let of_stream = || {
        stream
            .and_then(streams::rpc_name)
            .filter(|rpc| crate::names::snake(rpc) == rust_name)
    };
    let derived = || of_stream().unwrap_or_else(|| crate::names::upper_camel(&rust_name));
    Ok(given.unwrap_or_else(|| LitStr::new(&derived(), ident.span())))
}

fn check_skipped(method: &Method, errors: &mut Vec<Error>) {
    for attr in &method.skip {
        if !matches!(attr.meta, Meta::Path(_)) {
            let message = "`skip_metrics` takes no arguments: write `#[skip_metrics]`";
            errors.push(Error::new_spanned(attr, message));
        }
    }
    if let Some(attr) = method.rpc.first() {
        let message =
            "a method that is skipped has no RPC name to give; remove `rpc` or `skip_metrics`";
        errors.push(Error::new_spanned(attr, message));
    }
}

/// No two methods may have one label. Those under a `#[cfg]` may be alternatives.
fn check_names(items: &[plan::Item], errors: &mut Vec<Error>) {
    let rpcs = items.iter().filter_map(|item| {
        if let plan::Item::Rpc(rpc) = item {
            Some(rpc)
        } else {
            None
        }
    });
    let mut seen = std::collections::HashMap::new();
    for rpc in rpcs.filter(|rpc| streams::cfgs(&rpc.attrs).is_empty()) {
        if let Some(first) = seen.insert(rpc.name.value(), &rpc.sig.ident) {
            let name = rpc.name.value();
            let message = format!(
                "`{first}` and `{}` both have the RPC name `{name}`; give one its own",
                rpc.sig.ident
            );
            errors.push(Error::new(rpc.name.span(), message));
        }
    }
}

/// The label of a service that names none: `greeter_server::Greeter` tells its constant, `Greeter` only
/// itself.
fn label(trait_: &Path) -> TokenStream {
    let mut path = trait_.clone();
    let count = path.segments.len();
    let in_server_module = count.checked_sub(2).is_some_and(|module| {
        path.segments[module]
            .ident
            .unraw()
            .to_string()
            .ends_with("_server")
    });
    let Some(last) = path.segments.last_mut() else {
        return TokenStream::new();
    };
    if in_server_module {
        *last = Ident::new("SERVICE_NAME", last.ident.span()).into();
        return path.into_token_stream();
    }
    LitStr::new(&last.ident.unraw().to_string(), last.ident.span()).into_token_stream()
}

/// The static's name: capitals, since a lower-case one would be in the way of the user's patterns.
fn descriptor(method: &Ident) -> Ident {
    format_ident!(
        "__RPC_{}",
        method.unraw().to_string().to_uppercase(),
        span = Span::mixed_site()
    )
}

fn parameter_name(parameter: &syn::GenericParam) -> String {
    match parameter {
        syn::GenericParam::Lifetime(parameter) => parameter.lifetime.ident.to_string(),
        syn::GenericParam::Type(parameter) => parameter.ident.to_string(),
        syn::GenericParam::Const(parameter) => parameter.ident.to_string(),
    }
}

fn hides_helper(attr: &Attribute) -> bool {
    attr.path().is_ident("cfg_attr")
        && tokens::mention(attr.meta.to_token_stream(), &|ident| {
            ident == "skip_metrics" || ident == "rpc"
        })
}

/// Tokens as one writes them.
fn compact(tokens: &impl ToTokens) -> String {
    let spaced = tokens.to_token_stream().to_string();
    spaced
        .replace(" :: ", "::")
        .replace(" <", "<")
        .replace("< ", "<")
        .replace(" >", ">")
        .replace(" ,", ",")
}
