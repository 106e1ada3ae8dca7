//! Which of the two formats a request's `Accept` headers ask for, by RFC 9110, section 12.5.1.

use axum::http::header::ACCEPT;
use axum::http::{HeaderMap, HeaderValue};

use super::weight;

const TEXT: Format = Format { kind: "text", subtype: "plain", version: "0.0.4" };
const OPENMETRICS: Format =
    Format { kind: "application", subtype: "openmetrics-text", version: "1.0.0" };

/// Whether the headers name OpenMetrics and weigh it no less than the classic text. What can't be read names
/// nothing.
pub(crate) fn asks_for_openmetrics(headers: &HeaderMap) -> bool {
    let all: Option<Vec<_>> = headers.get_all(ACCEPT).iter().map(ranges).collect();
    let all = all.unwrap_or_default().concat();
    // A wildcard is sent by whoever takes anything. He has always had the classic text.
    let named = all.iter().filter(|range| range.subtype != "*");
    let openmetrics = OPENMETRICS.weight(named);
    openmetrics > 0 && openmetrics >= TEXT.weight(&all)
}

struct Format {
    kind: &'static str,
    subtype: &'static str,
    version: &'static str,
}

impl Format {
    /// In thousandths: that of the most specific range that matches, or 0.
    fn weight<'a>(&self, ranges: impl IntoIterator<Item = &'a Range<'a>>) -> u16 {
        let matching =
            ranges.into_iter().filter_map(|range| Some((self.match_of(range)?, range.weight)));
        matching.max().map_or(0, |(_, weight)| weight)
    }

    /// How specifically the range names this format, if it matches.
    fn match_of(&self, range: &Range) -> Option<usize> {
        let is = |asked: &str, this: &str| asked.eq_ignore_ascii_case(this);
        match (range.kind, range.subtype) {
            ("*", "*") => return Some(0),
            (kind, "*") if is(kind, self.kind) => return Some(1),
            (kind, subtype) if is(kind, self.kind) && is(subtype, self.subtype) => {}
            _ => return None,
        }
        let mut specific = 2;
        for (name, value) in &range.parameters {
            // Others, such as Prometheus's `escaping`, ask for nothing in which these formats could differ.
            let this = match name.to_ascii_lowercase().as_str() {
                "version" => self.version,
                "charset" => "utf-8",
                _ => continue,
            };
            if !is(value, this) {
                return None;
            }
            specific += 1;
        }
        Some(specific)
    }
}

/// A media range.
#[derive(Clone)]
struct Range<'a> {
    kind: &'a str,
    subtype: &'a str,
    /// Without the weight.
    parameters: Vec<(&'a str, String)>,
    /// In thousandths.
    weight: u16,
}

/// `#( media-range [ weight ] )`; `None` if it is not well-formed.
fn ranges(header: &HeaderValue) -> Option<Vec<Range<'_>>> {
    let mut rest = Rest(header.to_str().ok()?);
    let mut ranges = Vec::new();
    loop {
        rest.skip_spaces();
        // A list may have empty elements, see RFC 9110, section 5.6.1.2.
        if !rest.0.is_empty() && !rest.0.starts_with(',') {
            ranges.push(range(&mut rest)?);
            rest.skip_spaces();
        }
        if rest.0.is_empty() {
            return Some(ranges);
        }
        rest.skip(",")?;
    }
}

/// `( "*/*" / type "/*" / type "/" subtype ) *( OWS ";" OWS [ parameter ] )`. The parameter `q` is the weight,
/// wherever it stands.
fn range<'a>(rest: &mut Rest<'a>) -> Option<Range<'a>> {
    let kind = rest.token()?;
    rest.skip("/")?;
    let subtype = rest.token()?;
    if kind == "*" && subtype != "*" {
        return None;
    }
    let mut range = Range { kind, subtype, parameters: Vec::new(), weight: 1000 };
    loop {
        rest.skip_spaces();
        if rest.skip(";").is_none() {
            return Some(range);
        }
        rest.skip_spaces();
        let Some(name) = rest.token() else { continue };
        rest.skip("=")?;
        let value = rest.value()?;
        if name.eq_ignore_ascii_case("q") {
            range.weight = weight(&value)?;
        } else {
            range.parameters.push((name, value));
        }
    }
}

/// What is not yet read.
struct Rest<'a>(&'a str);

impl<'a> Rest<'a> {
    fn skip_spaces(&mut self) {
        self.0 = self.0.trim_start_matches([' ', '\t']);
    }

    fn skip(&mut self, what: &str) -> Option<()> {
        self.0 = self.0.strip_prefix(what)?;
        Some(())
    }

    /// RFC 9110, section 5.6.2.
    fn token(&mut self) -> Option<&'a str> {
        let is_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
        let end = self.0.find(|c| !is_token(c)).unwrap_or(self.0.len());
        let (token, rest) = self.0.split_at(end);
        self.0 = rest;
        (!token.is_empty()).then_some(token)
    }

    /// A token, or what is quoted, see RFC 9110, section 5.6.4.
    fn value(&mut self) -> Option<String> {
        if self.skip("\"").is_none() {
            return self.token().map(str::to_owned);
        }
        let mut value = String::new();
        let mut chars = self.0.chars();
        loop {
            match chars.next()? {
                '"' => break,
                '\\' => value.push(chars.next()?),
                c => value.push(c),
            }
        }
        self.0 = chars.as_str();
        Some(value)
    }
}
