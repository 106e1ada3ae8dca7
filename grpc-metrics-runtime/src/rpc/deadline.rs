//! The deadline that a client has set for its RPC.

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};

/// When an RPC that is dropped counts as out of time.
///
/// The client's timer starts before the handler: the request has to travel. A drop counts as caused by
/// the deadline from a tenth of the timeout, but at most [`TOLERANCE_NANOS`], before the timeout is up.
///
/// Nobody asks for it but an RPC that is dropped, so it is kept as it came: the value of the `grpc-timeout`
/// metadata, filled up with zeros; all zeros if there is none that could be one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline([u8; LONGEST]);

/// Eight digits and a unit.
const LONGEST: usize = 9;

/// The most that eight digits say.
const MOST: u128 = 99_999_999;

/// The most that the client's timer is taken to be ahead of ours: 50 ms.
pub(crate) const TOLERANCE_NANOS: u64 = 50_000_000;

impl Deadline {
    /// What an RPC has whose client did not set one.
    pub(crate) const NONE: Self = Self([0; LONGEST]);

    /// From the `grpc-timeout` header.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        find(headers).map_or(Self::NONE, Self::kept)
    }

    /// This long after the start, rounded up to what `grpc-timeout` can say.
    pub(crate) fn after(timeout: Duration) -> Self {
        let nanos = timeout.as_nanos();
        let units = [(1, 'n'), (1_000, 'u'), (1_000_000, 'm'), (1_000_000_000, 'S')];
        let fits = units.iter().find(|(unit, _)| nanos.div_ceil(*unit) <= MOST);
        fits.map_or(Self::NONE, |(unit, name)| {
            Self::kept(format!("{}{name}", nanos.div_ceil(*unit)).as_bytes())
        })
    }

    #[inline]
    fn kept(value: &[u8]) -> Self {
        let mut deadline = Self::NONE;
        if let Some(start) = deadline.0.get_mut(..value.len()) {
            start.copy_from_slice(value);
        }
        deadline
    }

    /// Whether it is up `elapsed_nanos` after the handler's start. A malformed one never is; tonic ignores
    /// it too.
    pub(crate) fn is_up(self, elapsed_nanos: u64) -> bool {
        let len = self.0.iter().position(|byte| *byte == 0).unwrap_or(LONGEST);
        parse(&self.0[..len]).is_some_and(|timeout| elapsed_nanos >= tolerated(timeout))
    }
}

fn tolerated(timeout_nanos: u64) -> u64 {
    timeout_nanos - (timeout_nanos / 10).min(TOLERANCE_NANOS)
}

/// The value of `grpc-timeout`.
#[inline]
fn find(headers: &HeaderMap) -> Option<&[u8]> {
    static GRPC_TIMEOUT: HeaderName = HeaderName::from_static("grpc-timeout");
    // Requests have a handful of headers. To compare with these is cheaper than to hash the name.
    const FEW: usize = 8;
    let value = if headers.len() <= FEW {
        headers.iter().find(|(name, _)| **name == GRPC_TIMEOUT).map(|(_, value)| value)
    } else {
        headers.get(&GRPC_TIMEOUT)
    };
    value.map(HeaderValue::as_bytes)
}

/// gRPC over HTTP/2, `Timeout`: one to eight digits and a unit. As tonic has it, the first of the eight may
/// be a plus sign. In nanoseconds, saturating.
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
    fn timeouts_are_read_as_the_grpc_specification_has_them() {
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
            // No timer runs as long.
            ("99999999H", u64::MAX - TOLERANCE_NANOS),
        ] {
            let deadline = Deadline::kept(value.as_bytes());
            assert!(deadline.is_up(nanos), "{value}");
            assert!(nanos == 0 || !deadline.is_up(nanos - 1), "{value}");
        }
    }

    #[test]
    fn a_duration_is_rounded_up_to_what_eight_digits_say() {
        for (timeout, kept) in [
            (Duration::ZERO, "0n"),
            (Duration::from_nanos(99_999_999), "99999999n"),
            (Duration::from_nanos(100_000_001), "100001u"),
            (Duration::from_secs(100), "100000m"),
            (Duration::from_secs(99_999_999), "99999999S"),
        ] {
            assert_eq!(
                Deadline::after(timeout).0,
                Deadline::kept(kept.as_bytes()).0,
                "{timeout:?}"
            );
        }
        // Three years and more are no deadline.
        assert!(!Deadline::after(Duration::MAX).is_up(u64::MAX));
    }

    #[test]
    fn what_is_no_timeout_is_never_up() {
        for value in ["", "S", "1", "1\0S", "123456789S", "1234567890123456789S"] {
            assert!(!Deadline::kept(value.as_bytes()).is_up(u64::MAX), "{value:?}");
        }
        assert!(!Deadline::NONE.is_up(u64::MAX));
    }
}
