//! Parses the arguments of `#[instrument_grpc(…)]`.

use proc_macro2::TokenStream;
use syn::parse::ParseStream;
use syn::{Error, Expr, LitBool, Path, Result};

use crate::instrument::slo::{self, Slo};
use crate::syntax::arguments::{self, Argument};

/// The valid arguments, and the errors of the others.
#[derive(Default)]
pub(crate) struct Args {
    pub(crate) service: Option<Expr>,
    pub(crate) metrics: Option<Expr>,
    pub(crate) streams: Option<LitBool>,
    pub(crate) runtime: Option<Path>,
    pub(crate) slo: Option<Slo>,
    pub(crate) span: Option<LitBool>,
    pub(crate) errors: Vec<Error>,
}

const KNOWN: [&str; 6] = ["service", "metrics", "streams", "slo", "span", "crate"];

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
            "service" => argument.set(
                &mut self.service,
                "`service` takes a constant string: `service = greeter_server::SERVICE_NAME` or \
                 `service = \"pkg.Greeter\"`",
            ),
            "metrics" => argument.set(
                &mut self.metrics,
                "`metrics` takes a `GrpcMetrics` or a pointer to one: `metrics = self.metrics`",
            ),
            "streams" => argument.set(
                &mut self.streams,
                "`streams` takes `true` or `false`: `streams = false` leaves response stream types unchanged",
            ),
            "span" => argument.set(&mut self.span, SPAN),
            "slo" => {
                let tokens = argument.parenthesized(
                    "`slo` takes objectives: `slo(availability = 99.9, latency = \"200ms\", percentile = 95)`",
                )?;
                let slo = slo::parse(&argument.name, tokens, &mut self.errors);
                argument.put(&mut self.slo, slo)
            }
            "crate" => argument.set_runtime(&mut self.runtime),
            _ => Err(argument.unknown("argument", &KNOWN)),
        }
    }
}

/// The message for a wrong `span`, on an impl or on a method.
pub(crate) const SPAN: &str = "`span` takes `true` or `false`: `span = false` disables spans";

#[cfg(test)]
mod tests {
    use quote::{format_ident, quote};

    use super::*;

    #[test]
    fn every_argument_is_known_by_its_typo() {
        for name in ["service", "metrics", "streams", "slo", "span", "crate"] {
            let typo = format_ident!("{name}x");
            let parsed = parse(quote!(#typo = 1));
            let message = parsed.errors[0].to_string();
            assert!(message.ends_with(&format!("did you mean `{name}`?")), "{message}");
        }
    }
}
