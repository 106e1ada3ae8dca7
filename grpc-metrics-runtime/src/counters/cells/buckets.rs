//! Which counter of a row a value belongs to.

use std::sync::Arc;

use super::native::NativeBuckets;

/// The buckets of a histogram: the classic ones and, if there are any, the native ones.
#[derive(Clone, Debug)]
pub(crate) struct Buckets {
    /// Upper bounds of the classic buckets, ascending, without the unbounded one.
    bounds: Arc<[u64]>,
    native: Option<Arc<NativeBuckets>>,
}

/// The place of a counter among those of a code.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slot {
    /// [`CLASSIC`], or the line of native buckets.
    pub(super) line: u32,
    /// The index in the row or line.
    pub(super) at: usize,
}

/// The row that has the classic buckets. Rows of native buckets are lines, from 1.
pub(super) const CLASSIC: u32 = 0;

/// The number of buckets in a line: of two powers of two, or less.
pub(super) const LINE: u32 = 16;

impl Buckets {
    /// `bounds` are ascending.
    pub(crate) fn classic(bounds: Arc<[u64]>) -> Self {
        Self { bounds, native: None }
    }

    /// Returns buckets of both kinds. `unit` values make one second or byte.
    pub(crate) fn with_native(bounds: Arc<[u64]>, unit: u64) -> Self {
        let native = Some(Arc::new(NativeBuckets::new(&bounds, unit)));
        Self { bounds, native }
    }

    /// Returns the number of classic buckets.
    pub(crate) fn count(&self) -> usize {
        self.bounds.len() + 1
    }

    /// Returns the classic bounds.
    pub(crate) fn bounds(&self) -> &[u64] {
        &self.bounds
    }

    pub(crate) fn has_native(&self) -> bool {
        self.native.is_some()
    }

    pub(super) fn native(&self) -> Option<&NativeBuckets> {
        self.native.as_deref()
    }

    /// Returns the number of buckets in this row or line.
    pub(super) fn in_line(&self, line: u32) -> usize {
        match (line, &self.native) {
            (CLASSIC, None) => self.count(),
            // Native buckets count for both.
            (CLASSIC, Some(_)) => 0,
            _ => LINE as usize,
        }
    }

    /// Returns the classic bucket of this value.
    #[inline]
    pub(crate) fn bucket(&self, value: u64) -> usize {
        self.bounds.iter().take_while(|bound| value > **bound).count()
    }

    #[inline]
    pub(super) fn slot(&self, value: u64) -> Slot {
        match &self.native {
            None => Slot { line: CLASSIC, at: self.bucket(value) },
            Some(native) => native.slot(value),
        }
    }
}
