//! The matchers of a selector.

use super::tokens::{Kind, Token};
use super::{FullMethod, Vocabulary};
use crate::catalog::MethodKey;

/// One matcher, `label="value"`.
struct Matcher<'a> {
    before: String,
    label: &'a str,
    op: String,
    value: &'a str,
}

impl Vocabulary {
    /// Translates what is between braces. Without a label of the service, what is asked of the service is asked of the
    /// full method.
    pub(super) fn matchers(&self, tokens: &[Token<'_>], has_service: bool) -> String {
        let all: Vec<_> = tokens.split(|token| token.is(",")).map(matcher).collect();
        let equal = |label: &str| {
            let mut named = all.iter().filter(|matcher| matcher.label == label);
            let equal = |matcher: &&Matcher<'_>| matcher.op == "=" && !matcher.value.is_empty();
            named.find(equal).map(|matcher| matcher.value)
        };
        // Both name one method.
        let one = equal("service").zip(equal("method"));
        let mut matchers = Vec::new();
        for matcher in &all {
            let is_method = matcher.label == "method";
            let (label, op, value) = match &self.full_method {
                Some(full) if is_method && one.is_some() => {
                    (matcher.label, "=", one.map(|(service, method)| full.name(service, method)))
                }
                Some(_) if matcher.label == "service" && one.is_some() && !has_service => continue,
                Some(full) if matcher.label == "service" && !has_service => {
                    let (op, value) = full.of_service(&matcher.op, matcher.value);
                    ("method", op, Some(value))
                }
                Some(full) if is_method || matcher.label == "service" => {
                    (matcher.label, &*matcher.op, Some(full.part(matcher.value)))
                }
                _ => (matcher.label, &*matcher.op, None),
            };
            let before = &matcher.before;
            let value = value.as_deref().unwrap_or(matcher.value);
            let quoted = if op.is_empty() { String::new() } else { format!("\"{value}\"") };
            matchers.push(format!("{before}{}{op}{quoted}", self.label(label)));
        }
        // The first may have been left out.
        matchers.join(",").trim_start().to_owned()
    }
}

impl FullMethod {
    fn part(&self, default: &str) -> String {
        if default == MethodKey::OTHER.service { self.other.clone() } else { default.to_owned() }
    }

    fn name(&self, service: &str, method: &str) -> String {
        let other = MethodKey::OTHER;
        if (service, method) == (other.service, other.method) {
            self.other.clone()
        } else {
            format!("{service}/{method}")
        }
    }

    /// Returns operator and value for the full methods of a service.
    fn of_service<'a>(&self, op: &'a str, service: &str) -> (&'a str, String) {
        match op {
            _ if service == MethodKey::OTHER.service => (op, self.other.clone()),
            "=" => ("=~", format!("{}/.+", service.replace('.', r"\\."))),
            "!=" => ("!~", format!("{}/.+", service.replace('.', r"\\."))),
            // Also matches other paths.
            _ => (op, format!("({service})(/.+)?")),
        }
    }
}

fn matcher<'a>(tokens: &[Token<'a>]) -> Matcher<'a> {
    let start = tokens.iter().position(|token| token.kind != Kind::Space).unwrap_or(tokens.len());
    let (before, tokens) = tokens.split_at(start);
    let text = |tokens: &[Token<'_>]| tokens.iter().map(|token| token.text).collect::<String>();
    let value = tokens.iter().find_map(Token::unquoted);
    let signs: Vec<_> = tokens.iter().copied().filter(|token| token.kind == Kind::Sign).collect();
    Matcher {
        before: text(before),
        label: tokens.first().map_or("", |token| token.text),
        op: text(&signs),
        value: value.unwrap_or(""),
    }
}
