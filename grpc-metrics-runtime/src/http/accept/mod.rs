//! What a request says that it accepts, by RFC 9110, section 12.5.

#[cfg(feature = "openmetrics")]
mod format;

use axum::http::HeaderMap;
use axum::http::header::ACCEPT_ENCODING;

#[cfg(feature = "openmetrics")]
pub(super) use self::format::asks_for_openmetrics;

/// Whether the headers accept gzip, and weigh it no less than the text as it is. What can't be read names nothing.
pub(super) fn asks_for_gzip(headers: &HeaderMap) -> bool {
    let (mut gzip, mut identity, mut others) = (None, None, 0);
    let lists = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|list| list.to_str().ok());
    for element in lists.flat_map(|list| list.split(',')) {
        let (coding, parameter) = element.split_once(';').unwrap_or((element, "q=1"));
        let Some(("q" | "Q", q)) = parameter.trim().split_once('=') else { continue };
        let Some(weight) = weight(q) else { continue };
        match coding.trim().to_ascii_lowercase().as_str() {
            // By its older name, see RFC 9110, section 8.4.1.3.
            "gzip" | "x-gzip" => gzip = Some(weight),
            "identity" => identity = Some(weight),
            "*" => others = weight,
            _ => {}
        }
    }
    let gzip = gzip.unwrap_or(others);
    gzip > 0 && gzip >= identity.unwrap_or(others)
}

/// `( "0" [ "." 0*3DIGIT ] ) / ( "1" [ "." 0*3("0") ] )`, in thousandths.
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
