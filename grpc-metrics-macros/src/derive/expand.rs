//! Expands the plan. The expansion has calls only; the logic is in the runtime.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote_spanned};
use syn::spanned::Spanned;
use syn::{WherePredicate, parse_quote};

use super::plan::{Case, Plan, Status};

/// Like `quote!`, with hygienic local names. Bindings have underscores, since a pattern with the name of a user's
/// constant would match that constant.
macro_rules! emit {
    ($($tokens:tt)*) => { quote_spanned!(Span::mixed_site()=> $($tokens)*) };
}

pub(crate) fn expand(plan: &Plan) -> TokenStream {
    let Plan { runtime, vis, ident, generics, is_enum, cases } = plan;
    let (described, status) = match cases {
        Some(cases) if cases.is_empty() && *is_enum => {
            (emit!(match *self {}), emit!(match self {}))
        }
        Some(cases) => (described(cases), status(plan, cases)),
        // The type has mistakes. Its users get no follow-up errors.
        None => (emit!(__grpc::wrong_derive()), emit!(__grpc::wrong_derive())),
    };
    let (impl_generics, ty_generics, _) = generics.split_for_impl();
    let mut bounded = generics.clone();
    if generics.type_params().next().is_some() {
        let bounds = &mut bounded.make_where_clause().predicates;
        bounds.push(parse_quote!(#ident #ty_generics: __grpc::Source));
        bounds.extend(
            cases
                .iter()
                .flatten()
                .filter_map(Case::passed_on)
                // A bound on a field that contains the type itself would be circular.
                .filter(|(_, ty)| !names(ident, ty.to_token_stream()))
                .map(|(_, ty)| -> WherePredicate { parse_quote!(#ty: __grpc::GrpcStatus) }),
        );
    }
    let bounds = &bounded.where_clause;
    // Only an error with its own code becomes a source.
    let is_source = cases.iter().flatten().any(|case| case.passed_on().is_none());
    let known = (is_source && generics.params.is_empty()).then(|| {
        let entry = quote_spanned!(at(ident)=> __grpc::ErrorType::of::<#ident>());
        emit!(__grpc::submit! { #entry })
    });
    emit! {
        const _: () = {
            use #runtime::__private as __grpc;

            #known

            #[allow(deprecated)]
            impl #impl_generics #ident #ty_generics #bounds {
                /// The gRPC status code of this error.
                #[allow(dead_code)]
                #[must_use]
                #vis fn code(&self) -> __grpc::Code {
                    __grpc::GrpcStatus::described(self).code()
                }
            }

            #[allow(deprecated)]
            impl #impl_generics __grpc::GrpcStatus for #ident #ty_generics #bounds {
                fn described(&self) -> __grpc::Description {
                    #described
                }

                fn into_status(self) -> __grpc::Status {
                    #status
                }
            }

            #[allow(deprecated)]
            impl #impl_generics __grpc::From<#ident #ty_generics> for __grpc::Status #bounds {
                fn from(error: #ident #ty_generics) -> Self {
                    __grpc::GrpcStatus::into_status(error)
                }
            }
        };
    }
}

fn described(cases: &[Case]) -> TokenStream {
    let arms = cases.iter().map(|Case { path, status, cause, .. }| match status {
        Status::Own { code, message } => {
            let none = || emit!(__grpc::Option::None);
            let some = |message| emit!(__grpc::Option::Some(#message));
            let message = message.as_ref().map_or_else(none, some);
            emit!(#path { .. } => __grpc::Description::own(__grpc::Code::#code, #cause, #message))
        }
        Status::PassedOn(member, ty) => {
            let call = quote_spanned!(at(ty)=> __grpc::Description::passed_on(__inner, #cause));
            emit!(#path { #member: __inner } => #call)
        }
    });
    emit!(match self { #(#arms,)* })
}

fn status(plan: &Plan, cases: &[Case]) -> TokenStream {
    let Plan { ident, generics, .. } = plan;
    let passed_on = cases.iter().filter_map(|case| {
        let (Case { path, cause, .. }, (member, ty)) = (case, case.passed_on()?);
        let call = quote_spanned!(at(ty)=> __grpc::passed_on(__inner, #cause));
        Some(emit!(#path { #member: __inner } => #call))
    });
    let passed_on: Vec<_> = passed_on.collect();
    let own = (passed_on.len() < cases.len()).then(|| {
        let own_status =
            if generics.params.is_empty() { "own_status" } else { "own_status_of_generic" };
        let own_status = Ident::new(own_status, at(ident));
        let call = quote_spanned!(at(ident)=> __grpc::#own_status(__own));
        emit!(__own => #call)
    });
    emit!(match self { #(#passed_on,)* #own })
}

/// Whether a field's type names the deriving type, and not one of the same name in another module.
fn names(own: &Ident, ty: TokenStream) -> bool {
    let trees: Vec<TokenTree> = ty.into_iter().collect();
    let is_own = |(at, tree): (usize, &TokenTree)| match tree {
        TokenTree::Group(group) => names(own, group.stream()),
        TokenTree::Ident(name) => {
            name == "Self" || (name == own && !is_of_other_module(&trees[..at]))
        }
        _ => false,
    };
    trees.iter().enumerate().any(is_own)
}

/// Whether the tokens before a name make it that of another module.
fn is_of_other_module(before: &[TokenTree]) -> bool {
    let is_colon =
        |tree: &TokenTree| matches!(tree, TokenTree::Punct(punct) if punct.as_char() == ':');
    match before {
        [.., TokenTree::Ident(module), one, two] if is_colon(one) && is_colon(two) => {
            module != "self"
        }
        [.., one, two] => is_colon(one) && is_colon(two),
        _ => false,
    }
}

/// Returns the span of a type, for errors about it.
fn at(ty: &impl ToTokens) -> Span {
    ty.span().resolved_at(Span::mixed_site())
}
