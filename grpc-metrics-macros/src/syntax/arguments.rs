//! Parses the arguments of an attribute one by one, and continues after a mistake.

use proc_macro2::{Span, TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::parse::discouraged::Speculative;
use syn::parse::{Parse, ParseBuffer, ParseStream, Parser};
use syn::{
    Error, Expr, ExprLit, Ident, Lit, Path, Result, Token, parenthesized, parse_quote, token,
};

use crate::syntax::names;
use crate::syntax::tokens::as_typed;

/// Calls `read` at the start of each argument and returns all errors.
pub(crate) fn each(
    args: TokenStream,
    mut read: impl FnMut(ParseStream) -> Result<()>,
) -> Vec<Error> {
    let read_all = |input: ParseStream| {
        let mut errors = Vec::new();
        while !input.is_empty() {
            let end = end_of_argument(input);
            if let Err(error) = read(input) {
                errors.push(error);
                input.advance_to(&end);
            }
            input.parse::<Option<Token![,]>>()?;
        }
        Ok(errors)
    };
    read_all.parse2(args).unwrap_or_else(|error| vec![error])
}

/// Returns the next argument as typed, for messages.
pub(crate) fn typed_up_to_comma(input: ParseStream) -> String {
    let (ahead, end) = (input.fork(), end_of_argument(input));
    let mut tokens = TokenStream::new();
    while ahead.cursor() < end.cursor() {
        match ahead.parse::<TokenTree>() {
            Ok(tree) => tokens.extend([tree]),
            Err(_) => break,
        }
    }
    as_typed(tokens)
}

/// Returns the end of the next argument: before a comma that is not part of its value.
fn end_of_argument(input: ParseStream<'_>) -> ParseBuffer<'_> {
    let at_end = |input: ParseStream| input.is_empty() || input.peek(Token![,]);
    let whole = input.fork();
    let read = Ident::parse_any(&whole)
        .and_then(|_| whole.parse::<Token![=]>())
        .and_then(|_| whole.parse::<Expr>());
    if read.is_ok() && at_end(&whole) {
        return whole;
    }
    let end = input.fork();
    while !at_end(&end) && end.parse::<TokenTree>().is_ok() {}
    end
}

/// An argument whose name is parsed. `input` is at the rest.
pub(crate) struct Argument<'a> {
    pub(crate) name: Ident,
    /// The whole argument as typed, for messages.
    pub(crate) found: String,
    pub(crate) input: ParseStream<'a>,
}

impl<'a> Argument<'a> {
    /// Parses the name. The error lists the `known` names.
    pub(crate) fn read(input: ParseStream<'a>, known: &[&str]) -> Result<Self> {
        let found = typed_up_to_comma(input);
        let name = input.call(Ident::parse_any).map_err(|error| {
            let message = format!("expected {}; found `{found}`", listed(known));
            Error::new(error.span(), message)
        })?;
        Ok(Self { name, found, input })
    }

    /// Parses `= value` into `place`. `takes` is the message for a wrong value.
    pub(crate) fn set<T: Parse>(&self, place: &mut Option<T>, takes: &str) -> Result<()> {
        let Self { name, input, .. } = self;
        if !input.peek(Token![=]) {
            return Err(self.wrong(name.span(), takes));
        }
        input.parse::<Token![=]>()?;
        if self.is_at_end() {
            return Err(self.wrong(name.span(), takes));
        }
        let span = input.span();
        let value = input.parse().map_err(|_| self.wrong(span, takes))?;
        self.check_comma(" = …")?;
        self.put(place, value)
    }

    /// Parses `(…)`. `takes` is the message if there is none.
    pub(crate) fn parenthesized(&self, takes: &str) -> Result<TokenStream> {
        let Self { name, input, .. } = self;
        if !input.peek(token::Paren) {
            return Err(self.wrong(name.span(), takes));
        }
        let inside;
        parenthesized!(inside in input);
        let tokens = inside.parse()?;
        self.check_comma("(…)")?;
        Ok(tokens)
    }

    /// Puts the value into `place`, which has to be empty.
    pub(crate) fn put<T>(&self, place: &mut Option<T>, value: T) -> Result<()> {
        if place.is_some() {
            let message = format!("`{}` is given twice: remove one", self.name);
            return Err(Error::new(self.name.span(), message));
        }
        *place = Some(value);
        Ok(())
    }

    /// Parses `= path` of `crate` into `place`.
    pub(crate) fn set_runtime(&self, place: &mut Option<Path>) -> Result<()> {
        self.set(
            place,
            "`crate` takes the path of the runtime crate: `crate = ::my_facade::grpc_metrics_runtime`",
        )?;
        place.as_ref().map_or(Ok(()), check_absolute)
    }

    /// Checks that the argument ends here. `after` is what follows the name, for the message.
    pub(crate) fn check_comma(&self, after: &str) -> Result<()> {
        if self.is_at_end() {
            return Ok(());
        }
        let message = format!("expected `,` after `{}{after}`", self.name);
        Err(Error::new(self.input.span(), message))
    }

    /// The error for a wrong value.
    pub(crate) fn wrong(&self, span: Span, takes: &str) -> Error {
        Error::new(span, format!("{takes}; found `{}`", self.found))
    }

    /// The error for an unknown name.
    pub(crate) fn unknown(&self, kind: &str, known: &[&str]) -> Error {
        let given = self.name.to_string();
        let message = match names::nearest(&given, known) {
            Some(known) => format!("unknown {kind} `{given}`; did you mean `{known}`?"),
            None => format!("unknown {kind} `{given}`; expected {}", listed(known)),
        };
        Error::new(self.name.span(), message)
    }

    fn is_at_end(&self) -> bool {
        self.input.is_empty() || self.input.peek(Token![,])
    }
}

/// Formats names as `a`, `b` or `c`.
fn listed(names: &[&str]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    match names.split_last() {
        Some((last, others)) if !others.is_empty() => {
            format!("{} or {last}", others.join(", "))
        }
        _ => names.concat(),
    }
}

/// Rejects a relative path, which can resolve to something else inside the expansion.
fn check_absolute(path: &Path) -> Result<()> {
    let first = path.segments.first().map(|first| first.ident.to_string());
    let roots = ["crate", "self", "super", "$crate"];
    if path.leading_colon.is_some() || first.is_some_and(|first| roots.contains(&first.as_str())) {
        return Ok(());
    }
    let typed = as_typed(path);
    let message = format!(
        "`crate = {typed}` is relative: write `crate = ::{typed}` for a dependency, or `crate = crate::{typed}` for a \
         module"
    );
    Err(Error::new_spanned(path, message))
}

/// Returns the literal, without the invisible groups of `macro_rules!`.
pub(crate) fn literal(value: &Expr) -> Option<&Lit> {
    match value {
        Expr::Lit(ExprLit { lit, .. }) => Some(lit),
        Expr::Group(group) => literal(&group.expr),
        _ => None,
    }
}

/// Returns the path of the runtime crate: the value of `crate = …`, or the default.
pub(crate) fn runtime(given: Option<Path>) -> Path {
    given.unwrap_or_else(|| parse_quote!(::grpc_metrics_runtime))
}

#[cfg(test)]
mod tests {
    use quote::quote;
    use syn::{parse_quote, parse_str};

    use super::*;

    #[test]
    fn where_an_argument_ends() {
        let next = |tokens: TokenStream| {
            let read = |input: ParseStream| {
                let typed = typed_up_to_comma(input);
                input.parse::<TokenStream>()?;
                Ok(typed.replace(' ', ""))
            };
            read.parse2(tokens).expect("what is left is read")
        };
        for (tokens, argument) in [
            (quote!(a = b::<C, D>(), e), "a=b::<C,D>()"),
            (quote!(a = b::<C, D>()), "a=b::<C,D>()"),
            (quote!(crate = b::<C, D>()), "crate=b::<C,D>()"),
            (quote!(a = b c, d), "a=bc"),
            (quote!(a = , d), "a="),
            (quote!(, d), ""),
        ] {
            assert_eq!(next(tokens), argument);
        }
    }

    /// The rest of the argument, up to the comma, belongs to its mistake.
    #[test]
    fn one_mistake_is_one_error() {
        let mut names = Vec::new();
        let errors = each(quote!(a = 1, b = 2 c, d = 3), |input| {
            let argument = Argument::read(input, &["a", "b", "d"])?;
            names.push(argument.name.to_string());
            let mut value: Option<Expr> = None;
            argument.set(&mut value, "a value")
        });
        assert_eq!(names, ["a", "b", "d"]);
        assert_eq!(errors.len(), 1);
    }

    #[test]
    fn paths_that_mean_the_same_everywhere() {
        for path in ["::a", "crate::a", "self::a", "super::a", "super::super::a"] {
            assert!(check_absolute(&parse_str(path).expect("a path")).is_ok(), "{path}");
        }
        assert!(check_absolute(&parse_quote!(a::crate_)).is_err());
    }
}
