//! Parses `#[rpc(…)]`, and derives the RPC's name from the Rust names if the attribute gives none.

use proc_macro2::Ident;
use syn::parse::ParseStream;
use syn::{Attribute, Error, LitBool, LitStr, Meta, Result};

use crate::instrument::args::SPAN;
use crate::instrument::service::Method;
use crate::instrument::slo::{self, MethodSlo};
use crate::instrument::streams;
use crate::syntax::arguments::{self, Argument};
use crate::syntax::names::{self, Style};
use crate::syntax::tokens::as_typed;

/// The valid arguments of `#[rpc(…)]`.
#[derive(Default)]
pub(crate) struct RpcArgs {
    name: Option<LitStr>,
    pub(crate) slo: Option<MethodSlo>,
    pub(crate) span: Option<LitBool>,
}

/// Parses the attribute, if the method has one.
pub(crate) fn parse(method: &Method, errors: &mut Vec<Error>) -> RpcArgs {
    let mut attrs = method.rpc.iter();
    let mut args = RpcArgs::default();
    if let Some(attr) = attrs.next() {
        args.read(attr, errors);
    }
    if let Some(second) = attrs.next() {
        let message = "`rpc` is given twice: combine the arguments in one `#[rpc(…)]`";
        errors.push(Error::new_spanned(&second.meta, message));
    }
    args
}

/// Returns the RPC's name in the proto file, which is the method label. `stream` is the associated type of its response
/// stream, and `style` the case of the service's other names.
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

const KNOWN: [&str; 3] = ["name", "slo", "span"];

impl RpcArgs {
    /// Whether there are arguments that need a measured method.
    pub(crate) fn needs_measuring(&self) -> bool {
        self.slo.is_some() || self.span.is_some()
    }

    fn read(&mut self, attr: &Attribute, errors: &mut Vec<Error>) {
        let tokens = match &attr.meta {
            Meta::List(list) if !list.tokens.is_empty() => list.tokens.clone(),
            meta => {
                let message = format!(
                    "`rpc` takes `name`, `slo` or `span`: write `#[rpc(name = \"GetKV\")]`, `#[rpc(slo(latency = \
                     \"2s\"))]` or `#[rpc(span = false)]` instead of `#[{}]`",
                    as_typed(meta)
                );
                return errors.push(Error::new_spanned(meta, message));
            }
        };
        let mut slo_errors = Vec::new();
        errors.extend(arguments::each(tokens, |input| self.argument(input, &mut slo_errors)));
        errors.extend(slo_errors);
    }

    fn argument(&mut self, input: ParseStream, slo_errors: &mut Vec<Error>) -> Result<()> {
        let argument = Argument::read(input, &KNOWN)?;
        match argument.name.to_string().as_str() {
            "name" => {
                let takes = "`name` takes the RPC's name in the proto file: `name = \"GetKV\"`";
                argument.set(&mut self.name, takes)?;
                match &self.name {
                    Some(name) if name.value().is_empty() => {
                        let message = "empty `name`: give the RPC's name in the proto file, `name = \"GetKV\"`";
                        Err(Error::new_spanned(name, message))
                    }
                    _ => Ok(()),
                }
            }
            "span" => argument.set(&mut self.span, SPAN),
            "slo" => {
                let slo = slo::parse_on_method(&argument, slo_errors)?;
                argument.put(&mut self.slo, slo)
            }
            _ => Err(argument.unknown("argument", &KNOWN)),
        }
    }
}
