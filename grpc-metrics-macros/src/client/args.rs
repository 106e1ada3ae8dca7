//! Parses the arguments of `#[instrument_grpc_client(…)]`.

use proc_macro2::TokenStream;
use syn::parse::ParseStream;
use syn::{Error, LitStr, Path, Result};

use crate::syntax::arguments::{self, Argument};

/// The valid arguments, and the errors of the others.
#[derive(Default)]
pub(crate) struct Args {
    pub(crate) target: Option<LitStr>,
    pub(crate) runtime: Option<Path>,
    pub(crate) errors: Vec<Error>,
}

const KNOWN: [&str; 2] = ["target", "crate"];

/// Parses all arguments. Continues after a mistake.
pub(crate) fn parse(args: TokenStream) -> Args {
    let mut parsed = Args::default();
    let errors = arguments::each(args, |input| parsed.argument(input));
    parsed.errors.extend(errors);
    parsed
}

impl Args {
    fn argument(&mut self, input: ParseStream) -> Result<()> {
        let argument = Argument::read(input, &KNOWN)?;
        match argument.name.to_string().as_str() {
            "target" => {
                let takes =
                    "`target` takes a name that tells upstreams apart: `target = \"billing\"`";
                argument.set(&mut self.target, takes)?;
                match &self.target {
                    Some(target) if target.value().is_empty() => {
                        let message = "empty `target`: give a name that tells upstreams apart, `target = \"billing\"`, \
                                       or remove `target`";
                        Err(Error::new_spanned(target, message))
                    }
                    _ => Ok(()),
                }
            }
            "crate" => argument.set_runtime(&mut self.runtime),
            _ => Err(argument.unknown("argument", &KNOWN)),
        }
    }
}

#[cfg(test)]
mod tests {
    use quote::{format_ident, quote};

    use super::*;

    #[test]
    fn every_argument_is_known_by_its_typo() {
        for name in KNOWN {
            let typo = format_ident!("{name}x");
            let parsed = parse(quote!(#typo = 1));
            let message = parsed.errors[0].to_string();
            assert!(message.ends_with(&format!("did you mean `{name}`?")), "{message}");
        }
    }
}
