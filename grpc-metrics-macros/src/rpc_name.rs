//! The method label: `#[rpc(name = "GetKV")]`, or what the Rust names tell.

use proc_macro2::Ident;
use syn::ext::IdentExt;
use syn::punctuated::Punctuated;
use syn::{Attribute, Error, Expr, ExprLit, Lit, LitStr, Meta, MetaNameValue, Result, Token};

use crate::service::Method;
use crate::tokens::as_typed;
use crate::{names, streams};

/// The RPC's proto name. `stream` is the associated type of its response stream.
pub(crate) fn of(method: &Method, stream: Option<&Ident>, errors: &mut Vec<Error>) -> LitStr {
    let ident = &method.sig.ident;
    let rust_name = ident.unraw().to_string();
    let of_stream = stream.and_then(streams::rpc_name).filter(|rpc| names::snake(rpc) == rust_name);
    let derived = of_stream.unwrap_or_else(|| names::upper_camel(&rust_name));
    let mut name = LitStr::new(&derived, ident.span());

    let mut attrs = method.rpc.iter();
    match attrs.next().map(given) {
        Some(Ok(given)) => name = given,
        Some(Err(error)) => errors.push(error),
        None => {}
    }
    if let Some(second) = attrs.next() {
        errors.push(Error::new_spanned(&second.meta, "`rpc` is given twice; remove one"));
    }
    name
}

fn given(attr: &Attribute) -> Result<LitStr> {
    let wrong = |at: &dyn quote::ToTokens| {
        let message = format!(
            "`rpc` takes the RPC's proto name: write `#[rpc(name = \"GetKV\")]` instead of `#[{}]`",
            as_typed(&attr.meta)
        );
        Error::new_spanned(at, message)
    };
    let Meta::List(list) = &attr.meta else {
        return Err(wrong(&attr.meta));
    };
    let arguments = Punctuated::<MetaNameValue, Token![,]>::parse_terminated;
    let mut arguments = list.parse_args_with(arguments).unwrap_or_default().into_iter();
    let name = match (arguments.next(), arguments.next()) {
        (Some(argument), None) if argument.path.is_ident("name") => argument.value,
        _ => return Err(wrong(&attr.meta)),
    };
    match name {
        Expr::Lit(ExprLit { lit: Lit::Str(name), .. }) => {
            if name.value().is_empty() {
                let message = "the RPC's name is empty; write it as in the proto file";
                return Err(Error::new_spanned(name, message));
            }
            Ok(name)
        }
        other => Err(wrong(&other)),
    }
}
