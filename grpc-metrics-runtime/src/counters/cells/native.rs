//! The buckets of Prometheus's native histograms, in whole nanoseconds or bytes.
//!
//! The schema is always 3: the upper bound of the bucket `i` is 2^(i/8) seconds, so a bucket is 9 % wide. A value is an
//! integer, so it is in the bucket if it is at most the bound's floor: which bucket it is in is exact, without a
//! logarithm.
//!
//! A row with native buckets has no classic ones. Both kinds of bounds together cut the values into *parts*, each
//! within one bucket of either kind, and the row counts by part. So an RPC increments one counter, and the classic and
//! the native histogram of a scrape are sums of the same reads.

use super::buckets::{LINE, Slot};

/// The buckets per power of two.
const PER_OCTAVE: NativeIndex = 8;

/// The significands of the bounds that Prometheus computes with: 2^(j/8) for j from 0 to 7, times 2^52.
#[allow(clippy::approx_constant)] // theirs, whose last bit is not that of `SQRT_2`
const SIGNIFICANDS: [u64; PER_OCTAVE as usize] = {
    let factors: [f64; PER_OCTAVE as usize] = [
        1.0,
        1.090_507_732_665_257_7,
        1.189_207_115_002_721,
        1.296_839_554_651_009_6,
        1.414_213_562_373_095,
        1.542_210_825_407_940_7,
        1.681_792_830_507_428_8,
        1.834_008_086_409_342_2,
    ];
    let mut all = [0; PER_OCTAVE as usize];
    let mut j = 0;
    while j < all.len() {
        // With the bit that the representation leaves out.
        all[j] = factors[j].to_bits() & ((1 << 52) - 1) | 1 << 52;
        j += 1;
    }
    all
};

/// The schema of the buckets.
#[cfg(feature = "native-histograms")]
pub(crate) const SCHEMA: i32 = 3;

/// The index of a native bucket. Native histograms count zeros apart, under [`ZERO`].
pub(crate) type NativeIndex = i16;

/// What stands for the bucket of zeros.
pub(crate) const ZERO: NativeIndex = NativeIndex::MIN;

#[derive(Debug)]
pub(super) struct NativeBuckets {
    /// Ascending; the last bound is the largest value.
    parts: Box<[Part]>,
    /// By [`prefix`], the first part that such a value may be in.
    first: Box<[u32]>,
}

/// Values that are in one bucket of either kind.
#[derive(Clone, Copy, Debug)]
struct Part {
    /// The largest value.
    bound: u64,
    native: NativeIndex,
    classic: u32,
}

impl NativeBuckets {
    /// `bounds` are the classic bounds, ascending. `unit` values make one second or byte.
    pub(super) fn new(bounds: &[u64], unit: u64) -> Self {
        let native = native_bounds(unit);
        let mut all: Vec<_> =
            native.iter().map(|(_, bound)| *bound).chain(bounds.iter().copied()).collect();
        all.sort_unstable();
        all.dedup();
        let part = |bound: &u64| Part {
            bound: *bound,
            native: native[native.partition_point(|(_, native)| native < bound)].0,
            classic: to_u32(bounds.partition_point(|classic| classic < bound)),
        };
        let parts: Box<[_]> = all.iter().map(part).collect();
        let first = (0..PREFIXES).map(|prefix| {
            let smallest = smallest_with(prefix);
            to_u32(parts.partition_point(|part| part.bound < smallest))
        });
        Self { first: first.collect(), parts }
    }

    #[inline]
    pub(super) fn slot(&self, value: u64) -> Slot {
        let mut part = self.first[prefix(value)];
        while self.parts[part as usize].bound < value {
            part += 1;
        }
        Slot { line: 1 + part / LINE, at: (part % LINE) as usize }
    }

    /// Returns the classic and the native bucket of a counter.
    pub(super) fn of(&self, line: u32, at: usize) -> Option<(usize, NativeIndex)> {
        let part = self.parts.get((line.checked_sub(1)? * LINE) as usize + at)?;
        Some((part.classic as usize, part.native))
    }
}

/// The number of results of [`prefix`].
const PREFIXES: usize = 8 * 60 + 16;

/// Returns a number that grows with the value and tells apart magnitudes and the three bits below the highest one. So
/// all values with one number are in very few parts.
#[inline]
#[allow(clippy::cast_possible_truncation)] // what is left of the value is below 16
fn prefix(value: u64) -> usize {
    // Values below 8 are their own number.
    let shift = (value | 8).ilog2() - 3;
    8 * shift as usize + (value >> shift) as usize
}

fn smallest_with(prefix: usize) -> u64 {
    let shift = (prefix / 8).saturating_sub(1);
    ((prefix - 8 * shift) as u64) << shift
}

/// Saturates at a number of bounds that no memory holds.
fn to_u32(bounds: usize) -> u32 {
    u32::try_from(bounds).unwrap_or(u32::MAX)
}

/// Returns the bounds of all native buckets that have a value, ascending. The last one is the largest value.
fn native_bounds(unit: u64) -> Vec<(NativeIndex, u64)> {
    let mut bounds = vec![(ZERO, 0)];
    // From below a nanosecond to above 2^64 bytes.
    for index in -32 * PER_OCTAVE..=64 * PER_OCTAVE {
        let (octave, step) = (index.div_euclid(PER_OCTAVE), index.rem_euclid(PER_OCTAVE));
        let significand = u128::from(SIGNIFICANDS[usize::from(step.unsigned_abs())]);
        let exponent = octave - 52;
        let product = significand * u128::from(unit);
        let bound = if exponent < 0 { product >> -exponent } else { product << exponent };
        let bound = u64::try_from(bound).unwrap_or(u64::MAX);
        // A bucket without an integer has the bound of the one below.
        if bounds.last().is_some_and(|(_, last)| *last < bound) {
            bounds.push((index, bound));
        }
    }
    bounds
}

/// The RPCs per native bucket of each code.
#[derive(Clone, Debug, Default)]
pub(super) struct NativeRows(pub(super) Vec<NativeCounts>);

/// The RPCs per native bucket: only buckets that have counted, ascending, [`ZERO`] first.
#[derive(Clone, Debug, Default)]
pub(crate) struct NativeCounts(Vec<(NativeIndex, u64)>);

impl NativeCounts {
    /// Returns the RPCs in the bucket of zeros.
    #[cfg(feature = "native-histograms")]
    pub(crate) fn zeros(&self) -> u64 {
        self.0.first().filter(|(index, _)| *index == ZERO).map_or(0, |(_, count)| *count)
    }

    /// Returns the other buckets that have counted, ascending, and the RPCs in each.
    #[cfg(feature = "native-histograms")]
    pub(crate) fn buckets(&self) -> impl Iterator<Item = (NativeIndex, u64)> {
        self.0.iter().copied().filter(|(index, _)| *index != ZERO)
    }

    pub(super) fn add(&mut self, index: NativeIndex, count: u64) {
        match self.0.binary_search_by_key(&index, |(index, _)| *index) {
            Ok(at) => self.0[at].1 += count,
            Err(at) => self.0.insert(at, (index, count)),
        }
    }

    pub(super) fn add_all(&mut self, other: &Self) {
        other.0.iter().for_each(|(index, count)| self.add(*index, *count));
    }
}

#[cfg(all(test, not(cells_model)))]
// What the tests compute in floating point, they compare with a tolerance.
#[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss, clippy::cast_sign_loss)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    /// Returns 8·log2 of the value: rounded up, its bucket by the definition.
    fn logarithm(value: u64, unit: u64) -> f64 {
        (value as f64 / unit as f64).log2() * 8.0
    }

    /// Values around every power of two and of ten, and some between.
    fn values() -> impl Iterator<Item = u64> {
        let powers = (0..64).map(|i| 1 << i).chain((0..20).map(|i| 10_u64.pow(i)));
        let around =
            powers.flat_map(|power: u64| (0..5).map(move |i| (power - 1).saturating_add(i)));
        let between = (0..4_000).map(|i| 1.0113_f64.powi(i) as u64);
        around.chain(between).chain([0, u64::MAX - 1, u64::MAX])
    }

    #[test]
    fn n1_a_value_is_in_the_bucket_of_each_kind_that_the_definition_says() {
        let classic = [500_000, SECOND - 1, SECOND, SECOND + 1, 7 * SECOND];
        for (bounds, unit) in [(&[][..], SECOND), (&classic, SECOND), (&[0, 1, 1_024], 1)] {
            let native = NativeBuckets::new(bounds, unit);
            for value in values() {
                let Slot { line, at } = native.slot(value);
                let (classic, index) = native.of(line, at).expect("a part");
                assert_eq!(
                    classic,
                    bounds.iter().filter(|bound| value > **bound).count(),
                    "{value}"
                );
                let exact = logarithm(value, unit);
                // A bound between integers can be so near to one that floating point is on its wrong side.
                let is_power = value.is_multiple_of(unit) && (value / unit).is_power_of_two();
                let is_near = !is_power && (exact - exact.round()).abs() < 1e-9;
                let expected = if value == 0 { ZERO } else { exact.ceil() as NativeIndex };
                assert!(index == expected || is_near, "{value}: {index}, not {expected}");
            }
        }
    }

    #[test]
    fn n1_bounds_are_those_of_prometheus_rounded_down() {
        let bounds = native_bounds(SECOND);
        let bound = |index| bounds.iter().find(|(of, _)| *of == index).map(|(_, bound)| *bound);
        assert_eq!(bound(0), Some(SECOND));
        assert_eq!(bound(8), Some(2 * SECOND));
        assert_eq!(bound(-8), Some(SECOND / 2));
        assert_eq!(bound(1), Some(1_090_507_732));
        assert_eq!(bound(-1), Some(917_004_043));
        // 2^(-239/8) seconds are 1.015 nanoseconds.
        assert_eq!(bounds[1], (-239, 1));
        assert_eq!(bounds.last().map(|(_, bound)| *bound), Some(u64::MAX));
    }

    #[test]
    fn n1_few_parts_have_the_same_prefix() {
        let native = NativeBuckets::new(&[], SECOND);
        for value in values() {
            let first = native.first[prefix(value)] as usize;
            assert!(first < 2 || native.parts[first - 1].bound < value, "{value}");
            let steps = native.parts[first..].iter().take_while(|part| part.bound < value).count();
            assert!(steps <= 2, "{value}: {steps}");
        }
    }
}
