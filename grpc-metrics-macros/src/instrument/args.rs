//! The arguments of `#[instrument_grpc(...)]`, as written.

use proc_macro2::{Span, TokenStream};
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::{Error, Expr, Ident, LitBool, Path, Result, parenthesized, token};

use crate::instrument::slo::{self, Slo};
use crate::syntax::arguments::{self, set, typed_up_to_comma};
use crate::syntax::names;

/// What the attribute says, and what is wrong with it.
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

/// Reads all arguments, past those that are wrong.
pub(crate) fn parse(args: TokenStream) -> Args {
    let mut parsed = Args::default();
    let errors = arguments::each(args, |input| parsed.argument(input));
    parsed.errors.extend(errors);
    parsed
}

impl Args {
    fn argument(&mut self, input: ParseStream) -> Result<()> {
        let found = typed_up_to_comma(input);
        let name = input.call(Ident::parse_any).map_err(|error| {
            let message = format!(
                "expected an argument, `service`, `metrics`, `streams`, `slo`, `span` or `crate`; found `{found}`"
            );
            Error::new(error.span(), message)
        })?;
        let wrong = |span: Span, takes: &str| Error::new(span, format!("{takes}; found `{found}`"));
        match name.to_string().as_str() {
            "service" => set(&mut self.service, &name, input, |span| {
                wrong(
                    span,
                    "`service` takes a constant string: `service = greeter_server::SERVICE_NAME` or \
                     `service = \"pkg.Greeter\"`",
                )
            }),
            "metrics" => set(&mut self.metrics, &name, input, |span| {
                wrong(
                    span,
                    "`metrics` takes an expression that gives a `GrpcMetrics`: `metrics = self.metrics`",
                )
            }),
            "streams" => set(&mut self.streams, &name, input, |span| {
                wrong(
                    span,
                    "`streams` takes `true` or `false`: `streams = false` leaves response streams alone",
                )
            }),
            "span" => set(&mut self.span, &name, input, |span| {
                wrong(span, "`span` takes `true` or `false`: `span = false` makes no spans")
            }),
            "slo" => {
                if !input.peek(token::Paren) {
                    let takes = "`slo` takes objectives: `slo(availability = 99.9, latency = \"200ms\", percentile = 95)`";
                    return Err(wrong(name.span(), takes));
                }
                let inside;
                parenthesized!(inside in input);
                let slo = slo::parse(&name, inside.parse()?, &mut self.errors);
                arguments::check_comma(&name, input)?;
                if self.slo.replace(slo).is_some() {
                    return Err(Error::new(name.span(), "`slo` is given twice; remove one"));
                }
                Ok(())
            }
            "crate" => {
                set(&mut self.runtime, &name, input, |span| {
                    wrong(
                        span,
                        "`crate` takes the path of the runtime: `crate = ::my_facade::grpc_metrics_runtime`",
                    )
                })?;
                self.runtime.as_ref().map_or(Ok(()), arguments::check_absolute)
            }
            unknown => Err(Error::new(
                name.span(),
                match names::nearest(unknown, &KNOWN) {
                    Some(known) => format!("unknown argument `{unknown}`; did you mean `{known}`?"),
                    None => format!(
                        "unknown argument `{unknown}`; there are `service`, `metrics`, `streams`, `slo`, `span` and `crate`"
                    ),
                },
            )),
        }
    }
}

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
