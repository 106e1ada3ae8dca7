//! The deadline that a client sets for its RPC.

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::grpc::header;

/// The deadline after which a dropped RPC counts as `DEADLINE_EXCEEDED`.
///
/// The client's timer starts before the handler does, because the request has to travel. So a drop counts as late from
/// a tenth of the timeout, but at most [`TOLERANCE_NANOS`], before the deadline.
///
/// Only a dropped RPC reads its deadline, so the value is stored unparsed: the bytes of `grpc-timeout`, padded with
/// zeros. All zeros means that there is no deadline.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline([u8; MAX_LEN]);

/// The length of `grpc-timeout`: eight digits and a unit.
const MAX_LEN: usize = 9;

/// The largest number with eight digits.
const MAX_VALUE: u128 = 99_999_999;

/// How far the client's timer may be ahead of ours: 50 ms.
pub(crate) const TOLERANCE_NANOS: u64 = 50_000_000;

impl Deadline {
    /// No deadline.
    pub(crate) const NONE: Self = Self([0; MAX_LEN]);

    /// Reads the deadline from the `grpc-timeout` header.
    pub(crate) fn from_headers(headers: &HeaderMap) -> Self {
        grpc_timeout(headers).map_or(Self::NONE, Self::from_value)
    }

    /// Returns the deadline `timeout` after the start, rounded up to what `grpc-timeout` can express.
    pub(crate) fn from_timeout(timeout: Duration) -> Self {
        let nanos = timeout.as_nanos();
        let units = [(1, 'n'), (1_000, 'u'), (1_000_000, 'm'), (1_000_000_000, 'S')];
        let fits = units.iter().find(|(unit, _)| nanos.div_ceil(*unit) <= MAX_VALUE);
        fits.map_or(Self::NONE, |(unit, name)| {
            Self::from_value(format!("{}{name}", nanos.div_ceil(*unit)).as_bytes())
        })
    }

    #[inline]
    fn from_value(value: &[u8]) -> Self {
        let mut deadline = Self::NONE;
        if let Some(start) = deadline.0.get_mut(..value.len()) {
            start.copy_from_slice(value);
        }
        deadline
    }

    /// Returns whether the deadline has passed `elapsed_nanos` after the handler started. A malformed deadline never
    /// passes; tonic ignores it, too.
    pub(crate) fn has_passed(self, elapsed_nanos: u64) -> bool {
        let len = self.0.iter().position(|byte| *byte == 0).unwrap_or(MAX_LEN);
        parse(&self.0[..len]).is_some_and(|timeout| elapsed_nanos >= with_tolerance(timeout))
    }
}

fn with_tolerance(timeout_nanos: u64) -> u64 {
    timeout_nanos - (timeout_nanos / 10).min(TOLERANCE_NANOS)
}

/// Returns the value of `grpc-timeout`.
#[inline]
fn grpc_timeout(headers: &HeaderMap) -> Option<&[u8]> {
    static GRPC_TIMEOUT: HeaderName = HeaderName::from_static("grpc-timeout");
    header(headers, &GRPC_TIMEOUT).map(HeaderValue::as_bytes)
}

/// Parses the `Timeout` of gRPC over HTTP/2, one to eight digits and a unit, into nanoseconds, saturating. Like tonic,
/// it accepts a plus sign in place of the first digit.
fn parse(value: &[u8]) -> Option<u64> {
    let (unit, number) = value.split_last()?;
    let digits = number.strip_prefix(b"+").unwrap_or(number);
    if digits.is_empty() || number.len() > 8 {
        return None;
    }
    let mut number = 0_u64;
    for digit in digits {
        if !digit.is_ascii_digit() {
            return None;
        }
        number = number * 10 + u64::from(digit - b'0');
    }
    let nanos_per_unit = match unit {
        b'H' => 3_600_000_000_000,
        b'M' => 60_000_000_000,
        b'S' => 1_000_000_000,
        b'm' => 1_000_000,
        b'u' => 1_000,
        b'n' => 1,
        _ => return None,
    };
    Some(number.saturating_mul(nanos_per_unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timeouts_are_parsed_by_the_grpc_specification() {
        for (value, nanos) in [
            ("1H", Some(3_600_000_000_000)),
            ("2M", Some(120_000_000_000)),
            ("3S", Some(3_000_000_000)),
            ("40m", Some(40_000_000)),
            ("5u", Some(5_000)),
            ("00000006n", Some(6)),
            ("0S", Some(0)),
            ("99999999H", Some(u64::MAX)),
            ("", None),
            ("S", None),
            ("1", None),
            ("1s", None),
            ("-1S", None),
            ("+1S", Some(1_000_000_000)),
            ("+1234567S", Some(1_234_567_000_000_000)),
            ("+12345678S", None),
            ("++1S", None),
            ("+S", None),
            ("1.5S", None),
            ("123456789n", None),
            (" 1S", None),
        ] {
            assert_eq!(parse(value.as_bytes()), nanos, "{value:?}");
        }
    }

    #[test]
    fn tolerance_is_a_tenth_and_at_most_50_ms() {
        for (value, nanos) in [
            ("1u", 900),
            ("10S", 9_950_000_000),
            ("0S", 0),
            ("12345678n", 11_111_111),
            // Saturates.
            ("99999999H", u64::MAX - TOLERANCE_NANOS),
        ] {
            let deadline = Deadline::from_value(value.as_bytes());
            assert!(deadline.has_passed(nanos), "{value}");
            assert!(nanos == 0 || !deadline.has_passed(nanos - 1), "{value}");
        }
    }

    #[test]
    fn a_duration_is_rounded_up_to_eight_digits() {
        for (timeout, kept) in [
            (Duration::ZERO, "0n"),
            (Duration::from_nanos(99_999_999), "99999999n"),
            (Duration::from_nanos(100_000_001), "100001u"),
            (Duration::from_secs(100), "100000m"),
            (Duration::from_secs(99_999_999), "99999999S"),
        ] {
            assert_eq!(
                Deadline::from_timeout(timeout).0,
                Deadline::from_value(kept.as_bytes()).0,
                "{timeout:?}"
            );
        }
        // More than three years do not fit, so there is no deadline.
        assert!(!Deadline::from_timeout(Duration::MAX).has_passed(u64::MAX));
    }

    #[test]
    fn a_malformed_timeout_never_passes() {
        for value in ["", "S", "1", "1\0S", "123456789S", "1234567890123456789S"] {
            assert!(!Deadline::from_value(value.as_bytes()).has_passed(u64::MAX), "{value:?}");
        }
        assert!(!Deadline::NONE.has_passed(u64::MAX));
    }
}
