//! From what is written to what is meant. Every mistake is found, not only the first.

use std::collections::{HashMap, HashSet};

use proc_macro2::{Ident, TokenStream};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::{Error, Expr, ExprLit, ItemImpl, Lit, LitStr, Path, Type};

use crate::instrument::args::Args;
use crate::instrument::method::{self, Scope};
use crate::instrument::plan::{self, Plan, Rpc};
use crate::instrument::projections::Projections;
use crate::instrument::rpc_args;
use crate::instrument::service::{self, Item, MacroCall, Method, Service};
use crate::instrument::slo::OfMethod;
use crate::instrument::streams::{self, Types};
use crate::syntax::arguments;
use crate::syntax::tokens::as_typed;

/// Resolves an impl, or gives everything that is wrong with it.
pub(crate) fn check(args: Args, service: Service) -> Result<Plan, Vec<Error>> {
    let mut errors = args.errors;
    let Service { head, trait_, items } = service;
    check_given_once(&head, &mut errors);
    check_label(args.service.as_ref(), &mut errors);

    let follow_streams = args.streams.as_ref().is_none_or(|streams| streams.value);
    let methods = || items.iter().filter_map(Item::as_method);
    let types = items.iter().filter_map(Item::as_type);
    let types = Types::new(types, &head, &trait_);
    let measured = methods().filter(|method| follow_streams && method.skip.is_empty());
    // Methods under different `#[cfg]`s may have one name, and a stream type each.
    let (streaming, wrapped): (HashSet<&Ident>, HashSet<&Ident>) =
        measured.filter_map(|method| Some((&method.sig.ident, types.of(method)?))).unzip();
    let wrapped = Projections::new(wrapped, &head, &trait_);
    let scope = Scope {
        wrapped: &wrapped,
        types: &types,
        style: types.style(methods()),
        head: &head,
        follow_streams,
        slo: args.slo.as_ref(),
        span: args.span.is_none_or(|span| span.value),
    };

    let (mut planned, mut macro_calls, mut skipped) = (Vec::new(), Vec::new(), Vec::new());
    // Said after what is wrong with the impl's own objectives, as they stand.
    let mut of_items = Vec::new();
    let mut percentile_is_used = false;
    for item in &items {
        planned.push(match item {
            Item::Other(tokens) => plan::Item::AsWritten(tokens.clone()),
            Item::Macro(MacroCall { call, skip }) => {
                method::check_skip(skip, &mut of_items);
                if skip.is_empty() {
                    let name = format!("{}!", as_typed(&call.mac.path));
                    macro_calls.push((streams::cfgs(&call.attrs), name));
                }
                plan::Item::AsWritten(wrapped.as_declared(call.to_token_stream()))
            }
            Item::Type(item) => {
                let is_wrapped = wrapped.include(&item.ident);
                let mut item = item.clone();
                item.ty = Type::Verbatim(wrapped.as_declared(item.ty.to_token_stream()));
                if is_wrapped {
                    let is_free = types.is_free(&item.ident);
                    plan::Item::Stream(item, is_free)
                } else {
                    plan::Item::AsWritten(item.into_token_stream())
                }
            }
            Item::Method(method) if !method.skip.is_empty() => {
                if streaming.contains(&method.sig.ident) {
                    of_items.push(half_measured(method));
                }
                skipped.push((streams::cfgs(&method.attrs), scope.skipped(method, &mut of_items)));
                let tokens = method.to_token_stream();
                // Its own type is left alone, and may be that of another method. One without a type of its
                // own takes or gives what others have, which is wrapped.
                plan::Item::AsWritten(if types.named_after(method).is_some() {
                    wrapped.as_declared(tokens)
                } else {
                    tokens
                })
            }
            Item::Method(method) => {
                let args = rpc_args::parse(method, &mut of_items);
                percentile_is_used |= args.slo.as_ref().is_some_and(OfMethod::needs_percentile);
                match scope.rpc(method, &args, &mut of_items) {
                    Some(rpc) => plan::Item::Rpc(Box::new(rpc)),
                    None => continue,
                }
            }
        });
    }
    if let Some(slo) = &args.slo {
        slo.check(percentile_is_used, &mut errors);
    }
    check_is_service(&items, &trait_, &mut errors);
    errors.extend(of_items);
    check_names(&planned, &mut errors);

    if !errors.is_empty() {
        return Err(errors);
    }
    let of_module = constant_of_module(&trait_);
    let is_named_after_trait = args.service.is_none() && of_module.is_none();
    let service = args.service.map(Expr::into_token_stream).or(of_module);
    Ok(Plan {
        runtime: arguments::runtime(args.runtime),
        label: service.unwrap_or_else(|| name_of(&trait_)),
        is_named_after_trait,
        macro_calls,
        skipped,
        implementation: format!("{} for {}", as_typed(&trait_), as_typed(&head.self_ty)),
        metrics: args.metrics,
        items: planned,
        head,
    })
}

/// Another `#[instrument_grpc]` is below this one, and has made itself the last by now.
fn check_given_once(head: &ItemImpl, errors: &mut Vec<Error>) {
    let again = head.attrs.iter().find(|attr| {
        let last = attr.path().segments.last();
        last.is_some_and(|last| last.ident == service::LAST)
    });
    if let Some(attr) = again {
        let message = "#[instrument_grpc] is given twice; remove one";
        errors.push(Error::new_spanned(attr.path(), message));
    }
}

/// An impl none of whose methods can be an RPC is probably of another trait than was meant.
fn check_is_service(items: &[Item], trait_: &Path, errors: &mut Vec<Error>) {
    let methods = items.iter().filter_map(Item::as_method);
    let mut measured = methods.filter(|method| method.skip.is_empty()).peekable();
    if measured.peek().is_some() && !measured.any(method::can_be_rpc) {
        let message = format!(
            "no method here can be an RPC; is `{}` the trait that tonic generates? #[instrument_grpc] goes above the \
             impl of that",
            as_typed(trait_)
        );
        errors.push(Error::new_spanned(trait_, message));
    }
}

/// A label that is empty says nothing. What a constant holds, only the compiler knows.
fn check_label(service: Option<&Expr>, errors: &mut Vec<Error>) {
    if let Some(Expr::Lit(ExprLit { lit: Lit::Str(label), .. })) = service
        && label.value().is_empty()
    {
        let message =
            "the service's name is empty; write it as in the proto file, or leave `service` out";
        errors.push(Error::new_spanned(label, message));
    }
}

/// Of two methods under opposite `#[cfg]`s, one is skipped; the stream type is written once for both.
fn half_measured(skipped: &Method) -> Error {
    let name = &skipped.sig.ident;
    let message = format!(
        "`{name}` is skipped here and measured under another `#[cfg]`, and its stream type can't be both; write \
         the impl twice, each under its `#[cfg]`"
    );
    Error::new_spanned(name, message)
}

/// No two methods may have one label. Those under different `#[cfg]`s may be alternatives.
fn check_names(items: &[plan::Item], errors: &mut Vec<Error>) {
    let mut seen: HashMap<String, Vec<&Rpc>> = HashMap::new();
    for rpc in items.iter().filter_map(plan::Item::as_rpc) {
        let name = rpc.name.value();
        let others = seen.entry(name.clone()).or_default();
        if let Some(first) = others.iter().find(|other| !are_alternatives(other, rpc)) {
            let (first, second) = (&first.sig.ident, &rpc.sig.ident);
            let message = format!(
                "`{first}` and `{second}` are both the RPC `{name}`; give one its own name: `#[rpc(name = \"…\")]`"
            );
            errors.push(Error::new(rpc.name.span(), message));
        }
        others.push(rpc);
    }
}

fn are_alternatives(one: &Rpc, other: &Rpc) -> bool {
    let cfgs = |rpc: &Rpc| {
        let cfgs = streams::cfgs(&rpc.attrs);
        cfgs.iter().map(|cfg| cfg.to_token_stream().to_string()).collect::<String>()
    };
    let (one, other) = (cfgs(one), cfgs(other));
    !one.is_empty() && !other.is_empty() && one != other
}

/// The constant that says the name of a service whose trait is written `greeter_server::Greeter`.
fn constant_of_module(trait_: &Path) -> Option<TokenStream> {
    let mut path = trait_.clone();
    let module = path.segments.iter().rev().nth(1)?;
    if !module.ident.to_string().ends_with("_server") {
        return None;
    }
    let last = path.segments.last_mut()?;
    *last = Ident::new("SERVICE_NAME", last.ident.span()).into();
    Some(path.into_token_stream())
}

/// All that `Greeter` alone tells.
fn name_of(trait_: &Path) -> TokenStream {
    let last = trait_.segments.last();
    last.map(|last| LitStr::new(&last.ident.unraw().to_string(), last.ident.span()))
        .into_token_stream()
}
