//! Content negotiation by RFC 9110, section 12.5. Quoted strings with commas or semicolons are not supported, because
//! no scraper sends them.

use axum::http::HeaderMap;
use axum::http::header::{ACCEPT_ENCODING, HeaderName};

/// An element of a list header.
struct Element<'a> {
    name: &'a str,
    /// The parameters without the weight.
    parameters: Vec<(&'a str, &'a str)>,
    /// The weight in thousandths.
    weight: u16,
}

/// Returns the elements of all headers with this name, without malformed ones.
fn elements<'a>(
    headers: &'a HeaderMap,
    name: &HeaderName,
) -> impl Iterator<Item = Element<'a>> + use<'a> {
    let lists = headers.get_all(name).iter().filter_map(|list| list.to_str().ok());
    lists.flat_map(|list| list.split(',')).filter_map(element)
}

fn element(text: &str) -> Option<Element<'_>> {
    let mut parts = text.split(';').map(str::trim).filter(|part| !part.is_empty());
    let mut element = Element { name: parts.next()?, parameters: Vec::new(), weight: 1000 };
    for parameter in parts {
        let (name, value) = parameter.split_once('=')?;
        if name.eq_ignore_ascii_case("q") {
            element.weight = weight(value)?;
        } else {
            element.parameters.push((name, value.trim_matches('"')));
        }
    }
    Some(element)
}

/// Parses `( "0" [ "." 0*3DIGIT ] ) / ( "1" [ "." 0*3("0") ] )` into thousandths.
fn weight(q: &str) -> Option<u16> {
    let (whole, fraction) = q.split_once('.').unwrap_or((q, ""));
    if !matches!(whole, "0" | "1") || fraction.len() > 3 {
        return None;
    }
    let digits = format!("{whole}{fraction:0<3}");
    let all_digits = digits.bytes().all(|byte| byte.is_ascii_digit());
    let weight = digits.parse().ok().filter(|_| all_digits)?;
    (weight <= 1000).then_some(weight)
}

/// Returns whether the request accepts gzip and weighs it no less than `identity`.
pub(super) fn prefers_gzip(headers: &HeaderMap) -> bool {
    let (mut gzip, mut identity, mut others) = (None, None, 0);
    for Element { name, weight, .. } in elements(headers, &ACCEPT_ENCODING) {
        match name.to_ascii_lowercase().as_str() {
            // Aliases by RFC 9110, section 8.4.1.3.
            "gzip" | "x-gzip" => gzip = Some(weight),
            "identity" => identity = Some(weight),
            "*" => others = weight,
            _ => {}
        }
    }
    let gzip = gzip.unwrap_or(others);
    gzip > 0 && gzip >= identity.unwrap_or(others)
}

/// The weights in thousandths that a request gives to the formats, 0 for one that it does not accept by name.
#[cfg(any(feature = "native-histograms", feature = "openmetrics"))]
#[derive(Default)]
pub(super) struct FormatWeights {
    /// Prometheus's protobuf, each message behind its length.
    pub(super) protobuf: u16,
    /// OpenMetrics, in version 1.0.0 or none.
    pub(super) openmetrics: u16,
    /// The classic text, also by a wildcard.
    pub(super) text: u16,
}

#[cfg(any(feature = "native-histograms", feature = "openmetrics"))]
pub(super) fn format_weights(headers: &HeaderMap) -> FormatWeights {
    let mut weights = FormatWeights::default();
    let (mut text, mut others) = (None, 0);
    for element in elements(headers, &axum::http::header::ACCEPT) {
        match element.name.to_ascii_lowercase().as_str() {
            "application/vnd.google.protobuf" if element.is_delimited_families() => {
                weights.protobuf = weights.protobuf.max(element.weight);
            }
            "application/openmetrics-text" if element.allows("1.0.0") => {
                weights.openmetrics = weights.openmetrics.max(element.weight);
            }
            "text/plain" if element.allows("0.0.4") => text = text.max(Some(element.weight)),
            // Wildcards do not name a format, so they get the classic text.
            "text/*" | "*/*" => others = others.max(element.weight),
            _ => {}
        }
    }
    weights.text = text.unwrap_or(others);
    weights
}

#[cfg(any(feature = "native-histograms", feature = "openmetrics"))]
impl Element<'_> {
    /// Returns whether the element matches a text of this version in UTF-8. Other parameters, such as Prometheus's
    /// `escaping`, make no difference.
    fn allows(&self, version: &str) -> bool {
        self.parameters.iter().all(|(name, value)| match name.to_ascii_lowercase().as_str() {
            "version" => *value == version,
            "charset" => value.eq_ignore_ascii_case("utf-8"),
            _ => true,
        })
    }

    /// Returns whether the element, of protobuf, says that the messages are families behind their lengths.
    fn is_delimited_families(&self) -> bool {
        let is = |name: &str, value: &str| {
            let of_name = |(of, _): &&(&str, &str)| of.eq_ignore_ascii_case(name);
            self.parameters.iter().find(of_name).is_some_and(|(_, of)| *of == value)
        };
        is("proto", "io.prometheus.client.MetricFamily") && is("encoding", "delimited")
    }
}
