//! Headers by name.

use http::{HeaderMap, HeaderName, HeaderValue};

/// Returns the first value of a header.
#[inline]
pub(crate) fn header<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h HeaderValue> {
    // Comparing a few names is cheaper than hashing one.
    const FEW: usize = 8;
    if headers.len() <= FEW {
        headers.iter().find(|(other, _)| *other == name).map(|(_, value)| value)
    } else {
        headers.get(name)
    }
}
