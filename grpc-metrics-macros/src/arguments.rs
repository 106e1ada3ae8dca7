//! Lists of arguments in an attribute: read one by one, past those that are wrong.

use proc_macro2::{Span, TokenStream, TokenTree};
use syn::parse::{Parse, ParseStream, Parser};
use syn::{Error, Ident, Path, Result, Token};

use crate::tokens::as_typed;

/// Calls `read` at the start of each argument, and gives all that is wrong with them.
pub(crate) fn each(
    args: TokenStream,
    mut read: impl FnMut(ParseStream) -> Result<()>,
) -> Vec<Error> {
    let mut errors = Vec::new();
    let result = (|input: ParseStream| {
        while !input.is_empty() {
            if let Err(error) = read(input) {
                errors.push(error);
                skip_to_comma(input);
            }
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        Ok(())
    })
    .parse2(args);
    errors.extend(result.err());
    errors
}

/// The argument that comes next, for messages.
pub(crate) fn typed_up_to_comma(input: ParseStream) -> String {
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

fn skip_to_comma(input: ParseStream) {
    while !input.is_empty() && !input.peek(Token![,]) {
        // Any token at all, so this can't fail before the end.
        if input.parse::<TokenTree>().is_err() {
            return;
        }
    }
}
