//! The arguments of `#[instrument_grpc(...)]`, as written.

use proc_macro2::{Span, TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream, Parser};
use syn::{Error, Expr, Ident, LitBool, Path, Result, Token};

use crate::names;
use crate::tokens::as_typed;

/// What the attribute says, and what is wrong with it.
#[derive(Default)]
pub(crate) struct Args {
    pub(crate) service: Option<Expr>,
    pub(crate) metrics: Option<Expr>,
    pub(crate) streams: Option<LitBool>,
    pub(crate) runtime: Option<Path>,
    pub(crate) errors: Vec<Error>,
}

const KNOWN: [&str; 4] = ["service", "metrics", "streams", "crate"];

/// Reads all arguments, past those that are wrong.
pub(crate) fn parse(args: TokenStream) -> Args {
    let mut parsed = Args::default();
    let result = (|input: ParseStream| {
        while !input.is_empty() {
            if let Err(error) = parsed.argument(input) {
                parsed.errors.push(error);
                skip_to_comma(input);
            }
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        Ok(())
    })
    .parse2(args);
    parsed.errors.extend(result.err());
    parsed
}

impl Args {
    fn argument(&mut self, input: ParseStream) -> Result<()> {
        let found = typed_up_to_comma(input);
        let name = input.call(Ident::parse_any).map_err(|error| {
            let message = format!(
                "expected an argument, `service`, `metrics`, `streams` or `crate`; found `{found}`"
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
            "crate" => {
                set(&mut self.runtime, &name, input, |span| {
                    wrong(
                        span,
                        "`crate` takes the path of the runtime: `crate = ::my_facade::grpc_metrics_runtime`",
                    )
                })?;
                self.runtime.as_ref().map_or(Ok(()), check_absolute)
            }
            unknown => Err(Error::new(
                name.span(),
                match names::nearest(unknown, &KNOWN) {
                    Some(known) => format!("unknown argument `{unknown}`; did you mean `{known}`?"),
                    None => format!(
                        "unknown argument `{unknown}`; there are `service`, `metrics`, `streams` and `crate`"
                    ),
                },
            )),
        }
    }
}

/// The argument that comes next, for messages.
fn typed_up_to_comma(input: ParseStream) -> String {
    let ahead = input.fork();
    let mut tokens = TokenStream::new();
    while !ahead.is_empty() && !ahead.peek(Token![,]) {
        match ahead.parse::<TokenTree>() {
            Ok(tree) => tokens.extend([tree]),
            Err(_) => break,
        }
    }
    as_typed(tokens)
}

/// A relative path would mean something else inside the expansion, or beside another name.
fn check_absolute(path: &Path) -> Result<()> {
    let first = path.segments.first().map(|first| first.ident.to_string());
    let roots = ["crate", "self", "super", "$crate"];
    if path.leading_colon.is_some() || first.is_some_and(|first| roots.contains(&first.as_str())) {
        return Ok(());
    }
    let typed = as_typed(path);
    let message = format!(
        "`crate = {typed}` is relative; write `crate = ::{typed}` for a dependency, `crate = crate::{typed}` for a \
         module"
    );
    Err(Error::new_spanned(path, message))
}

/// Reads `= value` into an argument's place. `wrong` is the error if it can't be read.
fn set<T: Parse>(
    place: &mut Option<T>,
    name: &Ident,
    input: ParseStream,
    wrong: impl Fn(Span) -> Error,
) -> Result<()> {
    if !input.peek(Token![=]) {
        return Err(wrong(name.span()));
    }
    input.parse::<Token![=]>()?;
    if input.is_empty() || input.peek(Token![,]) {
        return Err(wrong(name.span()));
    }
    let span = input.span();
    let value = input.parse().map_err(|_| wrong(span))?;
    if !input.is_empty() && !input.peek(Token![,]) {
        let message = format!("write a comma after `{name} = …`");
        return Err(Error::new(input.span(), message));
    }
    if place.is_some() {
        return Err(Error::new(name.span(), format!("`{name}` is given twice; remove one")));
    }
    *place = Some(value);
    Ok(())
}

fn skip_to_comma(input: ParseStream) {
    while !input.is_empty() && !input.peek(Token![,]) {
        // Any token at all, so this can't fail before the end.
        if input.parse::<TokenTree>().is_err() {
            return;
        }
    }
}
