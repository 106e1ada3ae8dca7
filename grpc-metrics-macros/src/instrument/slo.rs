//! Parses objectives: `slo(availability = 99.9, latency = "200ms", percentile = 95)`.

use std::fmt::Display;

use proc_macro2::{Ident, Literal, Span, TokenStream};
use syn::parse::ParseStream;
use syn::spanned::Spanned;
use syn::{Error, Expr, Lit, LitBool, Result, token};

use crate::instrument::plan;
use crate::syntax::arguments::{self, Argument, literal};
use crate::syntax::tokens::as_typed;

/// The objectives of an impl or a method, as written.
#[derive(Clone, Default)]
pub(crate) struct Slo {
    availability: Option<Ratio>,
    latency: Option<Nanos>,
    percentile: Option<Ratio>,
    /// Whether some of them are invalid.
    wrong: bool,
}

/// A ratio between 0 and 1, written as a percentage.
#[derive(Clone)]
struct Ratio {
    span: Span,
    literal: Literal,
}

#[derive(Clone)]
struct Nanos {
    span: Span,
    nanos: u64,
}

/// The `slo` argument of a method.
pub(crate) enum MethodSlo {
    /// `slo = false`
    Off,
    /// `slo(…)`
    Own(Slo),
}

impl MethodSlo {
    /// Whether the method uses the percentile of the impl.
    pub(crate) fn needs_percentile(&self) -> bool {
        // If some objectives are invalid, assume that it does.
        matches!(self, Self::Own(own) if own.wrong || own.latency.is_some() && own.percentile.is_none())
    }
}

const KNOWN: [&str; 3] = ["availability", "latency", "percentile"];

/// The values, not yet checked.
#[derive(Default)]
struct Values {
    availability: Option<Expr>,
    latency: Option<Expr>,
    percentile: Option<Expr>,
}

/// Parses the content of `slo(…)`.
pub(crate) fn parse(name: &Ident, tokens: TokenStream, errors: &mut Vec<Error>) -> Slo {
    if tokens.is_empty() {
        let message = "empty `slo(…)`: give `availability = 99.9`, `latency = \"200ms\", percentile = 95`, or both";
        errors.push(Error::new_spanned(name, message));
    }
    let before = errors.len();
    let mut values = Values::default();
    errors.extend(arguments::each(tokens, |input| values.argument(input)));
    let availability = checked(values.availability, |it| ratio(it).ok_or(AVAILABILITY), errors);
    let latency = checked(values.latency, nanos, errors);
    let percentile = checked(values.percentile, |it| ratio(it).ok_or(PERCENTILE), errors);
    Slo { availability, latency, percentile, wrong: errors.len() > before }
}

const AVAILABILITY: &str =
    "`availability` takes a percentage above 0 and below 100: `availability = 99.9`";
const LATENCY: &str = "`latency` takes a duration with a unit: `latency = \"200ms\"`";
const PERCENTILE: &str = "`percentile` takes a percentage above 0 and below 100: `percentile = 95`";

impl Values {
    fn argument(&mut self, input: ParseStream) -> Result<()> {
        let argument = Argument::read(input, &KNOWN)?;
        match argument.name.to_string().as_str() {
            "availability" => argument.set(&mut self.availability, AVAILABILITY),
            "latency" => argument.set(&mut self.latency, LATENCY),
            "percentile" => argument.set(&mut self.percentile, PERCENTILE),
            _ => Err(argument.unknown("objective", &KNOWN)),
        }
    }
}

/// Reads the value, or reports what is expected.
fn checked<T, E: Display>(
    value: Option<Expr>,
    read: impl FnOnce(&Expr) -> std::result::Result<T, E>,
    errors: &mut Vec<Error>,
) -> Option<T> {
    let value = value?;
    let not_what_it_takes = |takes| {
        let message = format!("{takes}; found `{}`", as_typed(&value));
        errors.push(Error::new_spanned(&value, message));
    };
    read(&value).map_err(not_what_it_takes).ok()
}

/// The error for a latency without a percentile.
fn no_percentile(latency: &Nanos) -> Error {
    let message = "`latency` needs a percentile: add `percentile = 95`";
    Error::new(latency.span, message)
}

/// The error for a percentile without a latency.
fn no_latency(percentile: &Ratio, here: &str) -> Error {
    let message = format!(
        "`percentile` needs a latency: add `latency = \"200ms\"`{here}, or remove `percentile`"
    );
    Error::new(percentile.span, message)
}

impl Slo {
    /// Checks the impl's objectives. Its percentile may be used by the latency of a method.
    pub(crate) fn check(&self, percentile_is_used: bool, errors: &mut Vec<Error>) {
        match (&self.latency, &self.percentile) {
            _ if self.wrong => {}
            (Some(latency), None) => errors.push(no_percentile(latency)),
            (None, Some(percentile)) if !percentile_is_used => {
                errors.push(no_latency(percentile, " here or on a method"));
            }
            _ => {}
        }
    }

    /// Resolves the objectives of a method. Its own override the impl's, one by one.
    pub(crate) fn for_method(
        impl_: Option<&Self>,
        method: Option<&MethodSlo>,
        errors: &mut Vec<Error>,
    ) -> plan::Objectives {
        let own = match method {
            None => None,
            Some(MethodSlo::Off) => return plan::Objectives::default(),
            Some(MethodSlo::Own(own)) => Some(own),
        };
        let none = Self::default();
        let (impl_, method) = (impl_.unwrap_or(&none), own.unwrap_or(&none));
        let whole = Self {
            availability: method.availability.as_ref().or(impl_.availability.as_ref()).cloned(),
            latency: method.latency.as_ref().or(impl_.latency.as_ref()).cloned(),
            percentile: method.percentile.as_ref().or(impl_.percentile.as_ref()).cloned(),
            wrong: method.wrong || impl_.wrong,
        };
        match (&method.latency, &method.percentile) {
            _ if whole.wrong => {}
            (Some(latency), None) if whole.percentile.is_none() => {
                errors.push(no_percentile(latency));
            }
            (None, Some(percentile)) if whole.latency.is_none() => {
                errors.push(no_latency(percentile, ""));
            }
            _ => {}
        }
        plan::Objectives {
            availability: whole.availability.map(|ratio| ratio.literal),
            latency: whole.latency.zip(whole.percentile).map(|(latency, ratio)| plan::Latency {
                nanos: latency.nanos,
                ratio: ratio.literal,
                // An impl's latency does not apply to streams, a method's own does.
                of_streams: method.latency.is_some() || method.percentile.is_some(),
            }),
        }
    }
}

/// Converts 99.9 to 0.999 by moving the decimal point. A division would give 0.9990000000000001.
fn ratio(percent: &Expr) -> Option<Ratio> {
    let (digits, suffix) = match literal(percent)? {
        Lit::Float(float) => (float.base10_digits(), float.suffix()),
        Lit::Int(int) => (int.base10_digits(), int.suffix()),
        _ => return None,
    };
    let value: f64 = digits.parse().ok()?;
    if !suffix.is_empty() || digits.contains(['e', 'E']) || !(value > 0.0 && value < 100.0) {
        return None;
    }
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let whole = whole.trim_start_matches('0');
    let ratio: f64 = format!("0.{whole:0>2}{fraction}").parse().ok()?;
    Some(Ratio { span: percent.span(), literal: Literal::f64_unsuffixed(ratio) })
}

/// The longest latency, in nanoseconds. Above 2^51 ns, 26 days, it would not be an exact bound of a histogram in
/// seconds.
const LONGEST: u64 = 600 * 3_600_000_000_000;

/// Parses a duration exactly. The error is the message.
fn nanos(duration: &Expr) -> std::result::Result<Nanos, &'static str> {
    const UNITS: [(&str, u128); 8] = [
        ("ns", 1),
        ("us", 1_000),
        // The micro sign, and the Greek letter mu.
        ("\u{b5}s", 1_000),
        ("\u{3bc}s", 1_000),
        ("ms", 1_000_000),
        ("s", 1_000_000_000),
        ("m", 60_000_000_000),
        ("h", 3_600_000_000_000),
    ];
    const UNKNOWN: &str =
        "`latency` takes one of the units ns, us, µs, ms, s, m or h: `latency = \"200ms\"`";
    const ZERO: &str = "`latency` must be above 0: `latency = \"200ms\"`";
    const FINER: &str = "`latency` must be a whole number of nanoseconds: `latency = \"200ms\"`";
    const LONGER: &str = "`latency` must be at most 600h: `latency = \"200ms\"`";

    let Some(Lit::Str(text)) = literal(duration) else { return Err(LATENCY) };
    let text = text.value();
    let end = text.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let unit = unit.trim_start();
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.len() + fraction.len() == 0 || fraction.contains('.') || unit.is_empty() {
        return Err(LATENCY);
    }
    let (_, nanos_per_unit) = UNITS.into_iter().find(|(name, _)| *name == unit).ok_or(UNKNOWN)?;
    let (whole, fraction) = (whole.trim_start_matches('0'), fraction.trim_end_matches('0'));
    // 10^17 ns exceed the limit. An hour in ns has 13 factors of two, so more decimals never give a whole number.
    if whole.len() > 17 {
        return Err(LONGER);
    }
    if fraction.len() > 13 {
        return Err(FINER);
    }
    let digits: u128 = format!("0{whole}{fraction}").parse().map_err(|_| LATENCY)?;
    let scale = 10_u128.pow(u32::try_from(fraction.len()).map_err(|_| FINER)?);
    let scaled = digits.checked_mul(nanos_per_unit).ok_or(LONGER)?;
    let nanos = u64::try_from(scaled / scale).ok().filter(|nanos| *nanos <= LONGEST);
    let nanos = nanos.ok_or(LONGER)?;
    if scaled % scale != 0 {
        return Err(if nanos < LONGEST { FINER } else { LONGER });
    }
    if nanos == 0 {
        return Err(ZERO);
    }
    Ok(Nanos { span: duration.span(), nanos })
}

/// Parses `slo = false` or `slo(…)` on a method.
pub(crate) fn parse_on_method(argument: &Argument, errors: &mut Vec<Error>) -> Result<MethodSlo> {
    const TAKES: &str =
        "`slo` takes objectives or `false`: `slo(latency = \"2s\")` or `slo = false`";
    if argument.input.peek(token::Paren) {
        let slo = parse(&argument.name, argument.parenthesized(TAKES)?, errors);
        return Ok(MethodSlo::Own(slo));
    }
    let mut value: Option<LitBool> = None;
    argument.set(&mut value, TAKES)?;
    match value {
        Some(on) if on.value => Err(argument.wrong(on.span, TAKES)),
        _ => Ok(MethodSlo::Off),
    }
}

#[cfg(test)]
mod tests {
    use quote::quote;
    use syn::parse_quote;

    use super::*;

    fn parsed(tokens: TokenStream) -> (Slo, Vec<Error>) {
        let mut errors = Vec::new();
        let slo = parse(&parse_quote!(slo), tokens, &mut errors);
        (slo, errors)
    }

    #[test]
    fn percents_are_ratios_by_their_digits() {
        for (percent, expected) in [
            ("99.9", Some("0.999")),
            ("99.99", Some("0.9999")),
            ("5", Some("0.05")),
            ("0.5", Some("0.005")),
            ("099.9", Some("0.999")),
            ("100", None),
            ("0", None),
            ("99.9f64", None),
            ("99u8", None),
            ("9e1", None),
            ("9E1", None),
            ("\"99\"", None),
        ] {
            let value = ratio(&syn::parse_str(percent).expect("a literal"));
            let literal = value.map(|ratio| ratio.literal.to_string());
            assert_eq!(literal.as_deref(), expected, "{percent}");
        }
    }

    #[test]
    fn durations_have_units() {
        for (duration, expected) in [
            ("200ms", Some(200_000_000)),
            ("200 ms", Some(200_000_000)),
            ("1.5s", Some(1_500_000_000)),
            ("7ns", Some(7)),
            ("7us", Some(7_000)),
            ("7µs", Some(7_000)),
            ("2m", Some(120_000_000_000)),
            ("1h", Some(3_600_000_000_000)),
            ("200", None),
            ("ms", None),
            ("0s", None),
            ("-1s", None),
            ("1d", None),
        ] {
            let value = nanos(&parse_quote!(#duration));
            assert_eq!(value.map(|value| value.nanos).ok(), expected, "{duration}");
        }
    }

    /// Mistakes in an impl's objectives are reported once, not for each method.
    #[test]
    fn a_mistake_is_reported_once() {
        let errors = |impl_: TokenStream, method: Option<TokenStream>| {
            let (impl_, mut errors) = parsed(impl_);
            let own = method.map(|tokens| {
                let (own, wrong) = parsed(tokens);
                errors.extend(wrong);
                MethodSlo::Own(own)
            });
            impl_.check(false, &mut errors);
            Slo::for_method(Some(&impl_), own.as_ref(), &mut errors);
            errors.len()
        };
        assert_eq!(errors(quote!(latency = "1s"), None), 1);
        assert_eq!(errors(quote!(latency = "1s", percentile = 0), Some(quote!(latency = "2s"))), 1);
        assert_eq!(
            errors(quote!(availability = 99), Some(quote!(latency = "2s", percentile = 0))),
            1
        );
        assert_eq!(errors(quote!(availability = 99), Some(quote!(latency = "2s"))), 1);
        assert_eq!(errors(quote!(latency = "1s", percentile = 9), Some(quote!(latency = "2s"))), 0);
    }

    #[test]
    fn h1_a_latency_is_exact_to_the_nanosecond() {
        for (text, expected) in [
            ("1ns", 1),
            ("0.3s", 300_000_000),
            ("0.0000000000025h", 9),
            ("2159999.999999999s", 2_159_999_999_999_999),
            ("600h", 2_160_000_000_000_000),
        ] {
            let written: Expr = parse_quote!(#text);
            assert_eq!(nanos(&written).map(|latency| latency.nanos).ok(), Some(expected), "{text}");
        }
    }
}
