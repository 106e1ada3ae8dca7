//! Checks the parsed impl and resolves it into a plan. Collects all mistakes, not only the first.

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
use crate::instrument::slo::MethodSlo;
use crate::instrument::streams::{self, Types};
use crate::syntax::arguments;
use crate::syntax::tokens::as_typed;

/// Resolves an impl, or returns all its mistakes.
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
    // Two methods under different `#[cfg]`s may have the same name and different stream types.
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
    // Reported after the mistakes in the impl's own objectives, in source order.
    let mut item_errors = Vec::new();
    let mut percentile_is_used = false;
    for item in &items {
        planned.push(match item {
            Item::Other(tokens) => plan::Item::AsWritten(tokens.clone()),
            Item::Macro(MacroCall { call, skip }) => {
                method::check_skip(skip, &mut item_errors);
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
                    item_errors.push(half_measured(method));
                }
                skipped
                    .push((streams::cfgs(&method.attrs), scope.skipped(method, &mut item_errors)));
                let tokens = method.to_token_stream();
                // The stream type named after a skipped method is not wrapped, but may be declared as that of a
                // measured one. A method without such a type uses the others' as they are in the impl: wrapped.
                plan::Item::AsWritten(if types.named_after(method).is_some() {
                    wrapped.as_declared(tokens)
                } else {
                    tokens
                })
            }
            Item::Method(method) => {
                let args = rpc_args::parse(method, &mut item_errors);
                percentile_is_used |= args.slo.as_ref().is_some_and(MethodSlo::needs_percentile);
                match scope.rpc(method, &args, &mut item_errors) {
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
    errors.extend(item_errors);
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

/// Rejects a second `#[instrument_grpc]`. It is below this one and has already moved itself to the end.
fn check_given_once(head: &ItemImpl, errors: &mut Vec<Error>) {
    let again = head.attrs.iter().find(|attr| {
        let last = attr.path().segments.last();
        last.is_some_and(|last| last.ident == service::LAST)
    });
    if let Some(attr) = again {
        let message = "`#[instrument_grpc]` is given twice: remove one";
        errors.push(Error::new_spanned(attr.path(), message));
    }
}

/// Rejects an impl in which no method can be an RPC. It is probably the impl of another trait.
fn check_is_service(items: &[Item], trait_: &Path, errors: &mut Vec<Error>) {
    let methods = items.iter().filter_map(Item::as_method);
    let mut measured = methods.filter(|method| method.skip.is_empty()).peekable();
    if measured.peek().is_some() && !measured.any(method::can_be_rpc) {
        let message = format!(
            "no method of `{}` looks like an RPC: put `#[instrument_grpc]` above the impl of the trait that tonic \
             generates",
            as_typed(trait_)
        );
        errors.push(Error::new_spanned(trait_, message));
    }
}

/// Rejects an empty literal as the label. The value of a constant is unknown here.
fn check_label(service: Option<&Expr>, errors: &mut Vec<Error>) {
    if let Some(Expr::Lit(ExprLit { lit: Lit::Str(label), .. })) = service
        && label.value().is_empty()
    {
        let message = "empty `service`: give the name in the proto file, `service = \"pkg.Greeter\"`, or remove `service`";
        errors.push(Error::new_spanned(label, message));
    }
}

/// The error for a method that is skipped under one `#[cfg]` and measured under another. Both share one stream type.
fn half_measured(skipped: &Method) -> Error {
    let name = &skipped.sig.ident;
    let message = format!(
        "`{name}` is skipped here and measured under another `#[cfg]`, with one stream type for both: write the impl \
         twice, each under its own `#[cfg]`"
    );
    Error::new_spanned(name, message)
}

/// Rejects two methods with the same label, unless they are under different `#[cfg]`s and may be alternatives.
fn check_names(items: &[plan::Item], errors: &mut Vec<Error>) {
    let mut seen: HashMap<String, Vec<&Rpc>> = HashMap::new();
    for rpc in items.iter().filter_map(plan::Item::as_rpc) {
        let name = rpc.name.value();
        let others = seen.entry(name.clone()).or_default();
        if let Some(first) = others.iter().find(|other| !are_alternatives(other, rpc)) {
            let (first, second) = (&first.sig.ident, &rpc.sig.ident);
            let message = format!(
                "`{first}` and `{second}` have the same RPC name `{name}`: rename one with `#[rpc(name = \"…\")]`"
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

/// Returns `greeter_server::SERVICE_NAME` for a trait that is written as `greeter_server::Greeter`.
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

/// Returns the trait's name as a literal.
fn name_of(trait_: &Path) -> TokenStream {
    let last = trait_.segments.last();
    last.map(|last| LitStr::new(&last.ident.unraw().to_string(), last.ident.span()))
        .into_token_stream()
}
