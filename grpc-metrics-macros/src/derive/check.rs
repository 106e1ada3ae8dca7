//! Checks `#[status(…)]` and resolves it into a plan. Collects all mistakes, not only the first.

use std::collections::HashMap;

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote};
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::{
    Attribute, Error, Field, Generics, Lifetime, LitStr, Member, Meta, Path, Result, Token, Type,
};

use super::parse::{Kind, Shape, Written};
use super::plan::{Case, Plan, Status};
use crate::syntax::arguments::{self, Argument, typed_up_to_comma};
use crate::syntax::names;
use crate::syntax::tokens::as_typed;

/// All codes of tonic except `Ok`.
const CODES: [&str; 16] = [
    "Cancelled",
    "Unknown",
    "InvalidArgument",
    "DeadlineExceeded",
    "NotFound",
    "AlreadyExists",
    "PermissionDenied",
    "ResourceExhausted",
    "FailedPrecondition",
    "Aborted",
    "OutOfRange",
    "Unimplemented",
    "Internal",
    "Unavailable",
    "DataLoss",
    "Unauthenticated",
];

/// Resolves an error type. Returns all its mistakes, too.
pub(crate) fn check(written: Written) -> (Plan, Vec<Error>) {
    let Written { attrs, vis, ident, generics, kind } = written;
    let mut errors = Vec::new();
    let is_enum = matches!(kind, Kind::Enum(_));
    let (runtime, cases) = match kind {
        Kind::Enum(variants) => {
            let args = StatusArgs::on_enum(&attrs, &mut errors);
            let cases = variants.iter().map(|variant| {
                let args = StatusArgs::on_shape(variant, Where::Variant, &mut errors);
                let ident = &variant.ident;
                case(variant, args, quote!(Self::#ident), &mut errors)
            });
            (args.runtime, cases.collect())
        }
        Kind::Struct(shape) => {
            let mut args = StatusArgs::on_shape(&shape, Where::Struct, &mut errors);
            let runtime = args.runtime.take();
            (runtime, vec![case(&shape, args, quote!(Self), &mut errors)])
        }
    };
    check_lifetimes(&generics, &mut errors);
    let cases: Vec<Option<Case>> = cases;
    check_causes(cases.iter().flatten(), &mut errors);
    let cases = cases.into_iter().collect::<Option<_>>().filter(|_: &Vec<_>| errors.is_empty());
    (Plan { runtime: arguments::runtime(runtime), vis, ident, generics, is_enum, cases }, errors)
}

/// Rejects lifetimes, since the source of a status must be `'static`.
fn check_lifetimes(generics: &Generics, errors: &mut Vec<Error>) {
    let is_static = |bound: &Lifetime| bound.ident == "static";
    for parameter in generics.lifetimes().filter(|of| !of.bounds.iter().any(is_static)) {
        let lifetime = &parameter.lifetime;
        let message = format!(
            "the source of a status can't borrow: remove `{lifetime}`, or write `{lifetime}: 'static`"
        );
        errors.push(Error::new_spanned(lifetime, message));
    }
}

/// Rejects two variants with the same derived cause. A written cause may be shared.
fn check_causes<'a>(cases: impl Iterator<Item = &'a Case>, errors: &mut Vec<Error>) {
    let mut seen = HashMap::new();
    for Case { name, cause, .. } in cases.filter(|case| !case.is_named) {
        if let Some(first) = seen.insert(cause, name) {
            let message = format!(
                "`{first}` and `{name}` have the same cause `{cause}`: set `cause = \"…\"` on one of them"
            );
            errors.push(Error::new_spanned(name, message));
        }
    }
}

fn case(
    shape: &Shape,
    args: StatusArgs,
    path: TokenStream,
    errors: &mut Vec<Error>,
) -> Option<Case> {
    let StatusArgs { code, message, cause, wrong, .. } = args;
    let name = &shape.ident;
    let status = match code {
        // The invalid argument may be the code.
        None if wrong => return None,
        None => {
            let message = format!(
                "`{name}` has no status code: add `#[status(NotFound)]`, or `#[status(transparent)]` to pass on the status \
                 of its field"
            );
            errors.push(Error::new_spanned(name, message));
            return None;
        }
        Some(CodeArg::Code(code)) => Status::Own { code, message },
        Some(CodeArg::Transparent(word)) => {
            if let Some(message) = message {
                let error = "`transparent` takes the message from the field: remove `message`, or write a code \
                             instead of `transparent`";
                errors.push(Error::new_spanned(message, error));
            }
            let mut fields = shape.fields.iter();
            let (Some(field), None) = (fields.next(), fields.next()) else {
                let message = format!(
                    "`transparent` needs exactly one field, and `{name}` has {}: write a code, `#[status(Internal)]`",
                    shape.fields.len()
                );
                errors.push(Error::new_spanned(word, message));
                return None;
            };
            let (member, ty) = member(field);
            Status::PassedOn(member, Box::new(ty))
        }
    };
    let is_named = cause.is_some();
    let derived = || names::snake(&name.unraw().to_string());
    let cause = cause.map_or_else(derived, |cause| cause.value());
    Some(Case { path, name: name.clone(), status, cause, is_named })
}

fn member(field: &Field) -> (Member, Type) {
    let member = field.ident.clone().map_or_else(|| Member::from(0), Member::Named);
    (member, field.ty.clone())
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Where {
    Enum,
    Variant,
    Struct,
}

/// The word that gives the status.
enum CodeArg {
    Code(Ident),
    Transparent(Ident),
}

/// The valid arguments of the attributes on one item.
#[derive(Default)]
struct StatusArgs {
    code: Option<CodeArg>,
    message: Option<LitStr>,
    cause: Option<LitStr>,
    runtime: Option<Path>,
    /// Whether there are invalid arguments.
    wrong: bool,
}

impl StatusArgs {
    fn on_enum(attrs: &[Attribute], errors: &mut Vec<Error>) -> Self {
        Self::read(attrs, Where::Enum, errors)
    }

    fn on_shape(shape: &Shape, place: Where, errors: &mut Vec<Error>) -> Self {
        for attr in shape.fields.iter().flat_map(|field| &field.attrs) {
            if attr.path().is_ident("status") {
                let message = "`#[status(…)]` is not allowed on a field: move it to the variant or the struct";
                errors.push(Error::new_spanned(attr, message));
            }
        }
        Self::read(&shape.attrs, place, errors)
    }

    fn read(attrs: &[Attribute], place: Where, errors: &mut Vec<Error>) -> Self {
        let mut args = Self::default();
        let before = errors.len();
        for attr in attrs.iter().filter(|attr| attr.path().is_ident("status")) {
            match &attr.meta {
                Meta::List(list) => {
                    let tokens = list.tokens.clone();
                    errors.extend(arguments::each(tokens, |input| args.argument(input, place)));
                }
                meta => {
                    let message = format!(
                        "expected a code: write `#[status(NotFound)]` instead of `#[{}]`",
                        as_typed(meta)
                    );
                    errors.push(Error::new_spanned(meta, message));
                }
            }
        }
        args.wrong = errors.len() > before;
        args
    }

    fn argument(&mut self, input: ParseStream, place: Where) -> Result<()> {
        let found = typed_up_to_comma(input);
        let path = input.call(Path::parse_mod_style).map_err(|error| {
            let message = format!("expected a code, such as `NotFound`; found `{found}`");
            Error::new(error.span(), message)
        })?;
        let Some(name) = path.get_ident().cloned() else {
            return Err(wrong_path(&path));
        };
        let argument = Argument { name, found, input };
        let name = &argument.name;
        let word = name.to_string();
        match word.as_str() {
            "crate" if place != Where::Variant => {
                let read = argument.set_runtime(&mut self.runtime);
                if read.is_err() {
                    // The impls beside the errors use the default.
                    self.runtime = None;
                }
                read
            }
            _ if place == Where::Enum => {
                let message = format!("`{word}` is not allowed on an enum: put `#[status(…)]` on each variant");
                Err(Error::new_spanned(name, message))
            }
            "message" => argument.set(
                &mut self.message,
                "`message` takes a string, the text that clients see: `message = \"storage failed\"`",
            ),
            "cause" => {
                argument.set(
                    &mut self.cause,
                    "`cause` takes a string, the value of the `error` label: `cause = \"database\"`",
                )?;
                match &self.cause {
                    Some(cause) if cause.value().trim().is_empty() => Err(Error::new_spanned(
                        cause,
                        "empty `cause`: give one, `cause = \"database\"`, or remove `cause`",
                    )),
                    _ => Ok(()),
                }
            }
            "transparent" => self.set_code(CodeArg::Transparent(name.clone()), &argument),
            _ if CODES.contains(&word.as_str()) => {
                self.set_code(CodeArg::Code(name.clone()), &argument)
            }
            _ => Err(unknown(&argument)),
        }
    }

    fn set_code(&mut self, code: CodeArg, argument: &Argument) -> Result<()> {
        let (CodeArg::Code(name) | CodeArg::Transparent(name)) = &code;
        argument.check_comma("")?;
        if let Some(CodeArg::Code(first) | CodeArg::Transparent(first)) = &self.code {
            let message = format!("two codes, `{first}` and `{name}`: remove one");
            return Err(Error::new_spanned(name, message));
        }
        self.code = Some(code);
        Ok(())
    }
}

/// The error for a path such as `Code::NotFound`.
fn wrong_path(path: &Path) -> Error {
    let typed = as_typed(path);
    let last = path.segments.last().map(|last| last.ident.to_string()).unwrap_or_default();
    let message = if CODES.contains(&last.as_str()) {
        format!("a code has no path: write `{last}` instead of `{typed}`")
    } else {
        format!("unknown code `{typed}`: write a name without a path, such as `NotFound`")
    };
    Error::new_spanned(path, message)
}

fn unknown(argument: &Argument) -> Error {
    let name = &argument.name;
    let given = name.to_string();
    let message = if argument.input.peek(Token![=]) {
        if given != "code" {
            return argument.unknown("key", &["message", "cause"]);
        }
        "unknown key `code`: write the code alone, `#[status(NotFound)]`".to_owned()
    } else if given.eq_ignore_ascii_case("ok") {
        "an error can't have the code `Ok`: write the code of the failure, such as `Internal`"
            .to_owned()
    } else {
        // Ignore case and underscores, so that NOT_FOUND is near, too.
        let plain = |name: &str| name.replace('_', "").to_lowercase();
        let codes = CODES.map(plain);
        let mut all: Vec<&str> = codes.iter().map(String::as_str).collect();
        all.push("transparent");
        let nearest = names::nearest(&plain(&given), &all).map(|near| {
            CODES.into_iter().find(|code| plain(code) == near).unwrap_or("transparent")
        });
        match nearest {
            Some(code) => format!("unknown code `{given}`; did you mean `{code}`?"),
            None => format!("unknown code `{given}`; expected one of `{}`", CODES.join("`, `")),
        }
    };
    Error::new_spanned(name.to_token_stream(), message)
}
