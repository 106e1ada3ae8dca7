//! What `#[rpc(…)]` says of a method; where it gives no name, the Rust names tell it.

use proc_macro2::Ident;
use syn::parse::ParseStream;
use syn::{Attribute, Error, Expr, Lit, LitBool, LitStr, Meta, Result};

use crate::instrument::service::Method;
use crate::instrument::slo::{self, OfMethod};
use crate::instrument::streams;
use crate::syntax::arguments::{self, set};
use crate::syntax::names::{self, Style};
use crate::syntax::tokens::as_typed;

/// What stands in `#[rpc(…)]`.
#[derive(Default)]
pub(crate) struct RpcArgs {
    name: Option<LitStr>,
    pub(crate) slo: Option<OfMethod>,
    pub(crate) span: Option<LitBool>,
}

/// Reads the attribute, if the method has one.
pub(crate) fn parse(method: &Method, errors: &mut Vec<Error>) -> RpcArgs {
    let mut attrs = method.rpc.iter();
    let mut args = RpcArgs::default();
    if let Some(attr) = attrs.next() {
        args.read(attr, errors);
    }
    if let Some(second) = attrs.next() {
        let message = "`rpc` is given twice; write all that it says into one";
        errors.push(Error::new_spanned(&second.meta, message));
    }
    args
}

/// The RPC's proto name: the method label. `stream` is the associated type of its response stream, `style` that
/// of the service's other names.
pub(crate) fn name(
    method: &Method,
    args: &RpcArgs,
    stream: Option<&Ident>,
    style: Style,
) -> LitStr {
    let ident = &method.sig.ident;
    let rust_name = streams::rust_name(method);
    let of_stream = stream.and_then(streams::rpc_name).filter(|rpc| names::snake(rpc) == rust_name);
    let derived = of_stream.unwrap_or_else(|| style.rpc(&rust_name));
    args.name.clone().unwrap_or_else(|| LitStr::new(&derived, ident.span()))
}

impl RpcArgs {
    fn read(&mut self, attr: &Attribute, errors: &mut Vec<Error>) {
        let wrong = |at: &dyn quote::ToTokens| {
            let message = format!(
                "`rpc` takes the RPC's proto name, objectives, or whether it has a span: write `#[rpc(name = \
                 \"GetKV\")]`, `#[rpc(slo(latency = \"2s\"))]` or `#[rpc(span = false)]` instead of `#[{}]`",
                as_typed(&attr.meta)
            );
            Error::new_spanned(at, message)
        };
        let tokens = match &attr.meta {
            Meta::List(list) if !list.tokens.is_empty() => list.tokens.clone(),
            meta => return errors.push(wrong(meta)),
        };
        let mut of_slo = Vec::new();
        errors.extend(arguments::each(tokens, |input| {
            let name = input.parse::<Ident>().map_err(|_| wrong(&attr.meta))?;
            match name.to_string().as_str() {
                "name" => self.name(&name, input, &wrong),
                "span" => set(&mut self.span, &name, input, |span| {
                    let message = format!(
                        "`span` takes `true` or `false`: write `#[rpc(span = false)]` instead of `#[{}]`",
                        as_typed(&attr.meta)
                    );
                    Error::new(span, message)
                }),
                "slo" => {
                    let slo = slo::of_method(&name, input, &mut of_slo)?;
                    if self.slo.replace(slo).is_some() {
                        return Err(Error::new(name.span(), "`slo` is given twice; remove one"));
                    }
                    Ok(())
                }
                _ => Err(wrong(&attr.meta)),
            }
        }));
        errors.extend(of_slo);
    }

    fn name(
        &mut self,
        name: &Ident,
        input: ParseStream,
        wrong: &dyn Fn(&dyn quote::ToTokens) -> Error,
    ) -> Result<()> {
        let mut value: Option<Expr> = None;
        set(&mut value, name, input, |_| wrong(name))?;
        let Some(value) = value else {
            return Err(wrong(name));
        };
        match arguments::literal(&value) {
            Some(Lit::Str(given)) => {
                if given.value().is_empty() {
                    let message = "the RPC's name is empty; write it as in the proto file";
                    return Err(Error::new_spanned(given, message));
                }
                if self.name.replace(given.clone()).is_some() {
                    return Err(Error::new(name.span(), "`name` is given twice; remove one"));
                }
                Ok(())
            }
            _ => Err(wrong(&value)),
        }
    }
}
