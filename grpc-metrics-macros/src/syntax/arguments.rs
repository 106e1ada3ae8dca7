//! Lists of arguments in an attribute: read one by one, past those that are wrong.

use proc_macro2::{Span, TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::parse::discouraged::Speculative;
use syn::parse::{Parse, ParseBuffer, ParseStream, Parser};
use syn::{Error, Expr, ExprLit, Ident, Lit, Path, Result, Token, parse_quote};

use crate::syntax::tokens::as_typed;

/// Calls `read` at the start of each argument, and gives all that is wrong with them.
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

/// The argument that comes next, for messages.
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

/// Where the argument ends that comes next: before a comma that is not part of its value.
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

/// What follows an argument in parentheses.
pub(crate) fn check_comma(name: &Ident, input: ParseStream) -> Result<()> {
    if input.is_empty() || input.peek(Token![,]) {
        return Ok(());
    }
    Err(Error::new(input.span(), format!("write a comma after `{name}(…)`")))
}

/// A relative path would mean something else inside the expansion, or beside another name.
pub(crate) fn check_absolute(path: &Path) -> Result<()> {
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
pub(crate) fn set<T: Parse>(
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

/// The literal that stands there, perhaps in the invisible groups of `macro_rules!`.
pub(crate) fn literal(value: &Expr) -> Option<&Lit> {
    match value {
        Expr::Lit(ExprLit { lit, .. }) => Some(lit),
        Expr::Group(group) => literal(&group.expr),
        _ => None,
    }
}

/// The path of the runtime crate, unless `crate = …` says otherwise.
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

    /// What follows a mistake belongs to it, up to the comma.
    #[test]
    fn one_mistake_is_one_error() {
        let mut names = Vec::new();
        let errors = each(quote!(a = 1, b = 2 c, d = 3), |input| {
            let name: Ident = input.parse()?;
            names.push(name.to_string());
            let mut value: Option<Expr> = None;
            set(&mut value, &name, input, |span| Error::new(span, "wrong"))
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
