//! The spelling of numbers in both text formats.

use std::fmt::Write;

use crate::export::series::to_f64;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "openmetrics"), allow(dead_code))]
pub(in crate::export) enum Format {
    Prometheus,
    OpenMetrics,
}

const NANOS: f64 = 1e9;

/// A decimal with 15 digits is what the nearest `f64` is spelled as.
const DIGITS_15: f64 = 1e15;

impl Format {
    /// Returns the number in the format's spelling.
    pub(in crate::export) fn float(self, value: f64) -> String {
        let mut text = String::new();
        self.write_float(&mut text, value);
        text
    }

    /// Writes the number in the format's spelling. OpenMetrics writes whole numbers with a decimal point.
    pub(super) fn write_float(self, text: &mut String, value: f64) {
        if let Some(nanos) = whole_nanos(value)
            // The smallest numbers have an exponent in OpenMetrics.
            && (self == Self::Prometheus || nanos == 0 || nanos >= 1_000_000)
        {
            write_decimal(text, nanos);
            if self == Self::OpenMetrics && nanos.is_multiple_of(1_000_000_000) {
                text.push_str(".0");
            }
            return;
        }
        let _ = match self {
            Self::Prometheus => write!(text, "{value}"),
            Self::OpenMetrics if value == f64::INFINITY => text.write_str("+Inf"),
            Self::OpenMetrics if value == f64::NEG_INFINITY => text.write_str("-Inf"),
            Self::OpenMetrics => write!(text, "{value:?}"),
        };
    }

    /// Writes a count. In the classic format it is written as an `f64`, like `TextEncoder` does.
    pub(super) fn write_count(self, text: &mut String, count: u64) {
        if count < 1 << 53 || self != Self::Prometheus {
            // Not by `write!`, whose formatting would dominate the cost of a line.
            text.push_str(itoa::Buffer::new().format(count));
        } else {
            let _ = write!(text, "{}", to_f64(count));
        }
    }
}

/// Returns the number in billionths, if it is the `f64` nearest to so many and they have up to 15 digits. Most sums of
/// durations are.
///
/// Then the shortest decimal that is read as this `f64`, which is how Rust spells it, is that of the billionths: two
/// decimals of up to 15 digits are never the same `f64`.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // checked
fn whole_nanos(value: f64) -> Option<u64> {
    let nanos = (value * NANOS).round();
    let is_exact = (nanos / NANOS).to_bits() == value.to_bits();
    (is_exact && (0.0..DIGITS_15).contains(&nanos) && value.is_sign_positive())
        .then_some(nanos as u64)
}

/// Writes billionths as a decimal, without zeros at its end.
fn write_decimal(text: &mut String, nanos: u64) {
    let (whole, fraction) = (nanos / 1_000_000_000, nanos % 1_000_000_000);
    let mut digits = itoa::Buffer::new();
    text.push_str(digits.format(whole));
    if fraction > 0 {
        // With a digit in front, so that it has its leading zeros.
        let fraction = digits.format(1_000_000_000 + fraction);
        text.push('.');
        text.push_str(fraction[1..].trim_end_matches('0'));
    }
}

#[cfg(all(test, not(cells_model)))]
mod tests {
    use super::*;

    #[test]
    fn floats_are_spelled_as_rust_spells_them() {
        let powers = (0..63).flat_map(|bits| [(1_u64 << bits) - 1, 1 << bits, (1 << bits) + 1]);
        let tens = (0..19).map(|zeros| 10_u64.pow(zeros)).flat_map(|n| [n - 1, n, n + 1, 3 * n]);
        // A sequence that has every bit.
        let mixed = (1..100_000_u64).map(|n| n.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let mixed = mixed.enumerate().map(|(n, bits)| bits >> (n % 50));
        let whole: Vec<_> = powers.chain(tens).chain(mixed).collect();
        let seconds = whole.iter().map(|nanos| to_f64(*nanos) / 1e9);
        let others = whole.iter().map(|bits| f64::from_bits(*bits));
        let special = [0.0, f64::INFINITY, f64::NAN, f64::MIN_POSITIVE, f64::EPSILON];
        let all = seconds.chain(others).chain(whole.iter().map(|n| to_f64(*n))).chain(special);
        for value in all.flat_map(|value| [value, -value]) {
            assert_eq!(Format::Prometheus.float(value), value.to_string());
            if value.is_finite() {
                assert_eq!(Format::OpenMetrics.float(value), format!("{value:?}"));
            }
        }
        let infinite = [f64::INFINITY, f64::NEG_INFINITY].map(|n| Format::OpenMetrics.float(n));
        assert_eq!(infinite, ["+Inf", "-Inf"]);
    }

    #[test]
    fn counts_are_spelled_as_floats_in_the_classic_format() {
        for count in [0, 1, (1 << 53) - 1, 1 << 53, (1 << 53) + 1, u64::MAX] {
            let spell = |format: Format| {
                let mut text = String::new();
                format.write_count(&mut text, count);
                text
            };
            assert_eq!(spell(Format::Prometheus), to_f64(count).to_string());
            assert_eq!(spell(Format::OpenMetrics), count.to_string());
        }
    }
}
