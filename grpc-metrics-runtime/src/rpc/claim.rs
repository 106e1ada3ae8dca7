//! Where an RPC of the server layer counts.

#[cfg(all(test, cells_model))]
mod model;

use std::sync::atomic::Ordering;

use super::state::Target;
use crate::counters::LabelValue;
use crate::counters::sync::{AtomicU8, OnceLock};

/// Where an RPC counts: as its path says, or as the first handler says that claims it before it ends.
#[derive(Debug)]
pub(super) struct Claim {
    /// What the path says.
    target: Target,
    /// The label's value in that place.
    label: LabelValue,
    /// Whether the start is counted there already. If not, it counts there only if no handler claims the RPC.
    is_expected: bool,
    /// One of the constants below. It changes once.
    state: AtomicU8,
    /// What a handler said that is not the expected one. Valid in the state [`ELSEWHERE`].
    elsewhere: OnceLock<(Target, LabelValue)>,
    /// What counts in place of `target` if no handler claims the RPC.
    learned: OnceLock<Target>,
}

const OPEN: u8 = 0;
/// Claimed, by the handler that was expected.
const EXPECTED: u8 = 1;
/// Claimed, by another handler.
const ELSEWHERE: u8 = 2;
/// Ended without a handler.
const UNCLAIMED: u8 = 3;

impl Claim {
    pub(super) fn new(target: Target, label: LabelValue, is_expected: bool) -> Self {
        Self {
            target,
            label,
            is_expected,
            state: AtomicU8::new(OPEN),
            elsewhere: OnceLock::new(),
            learned: OnceLock::new(),
        }
    }

    /// Whether no handler has claimed the RPC, and it has not ended.
    pub(super) fn is_open(&self) -> bool {
        // Relaxed: nothing else is read for it.
        self.state.load(Ordering::Relaxed) == OPEN
    }

    /// Claims the RPC for a handler that counts here. Returns whether it is the first. `label` looks up the label's value
    /// if the layer's is that of another label.
    pub(super) fn claim(&self, target: &Target, label: impl FnOnce() -> LabelValue) -> bool {
        if self.is_expected && self.target.is(target) {
            return self.close(EXPECTED);
        }
        if !self.is_open() {
            return false;
        }
        let label = if self.target.shares_label(target) { self.label } else { label() };
        if self.elsewhere.set((target.clone(), label)).is_err() {
            return false;
        }
        // Before others can see the claim and count the end.
        target.move_in();
        let is_first = self.close(ELSEWHERE);
        if !is_first {
            target.move_out();
        } else if self.is_expected {
            self.target.move_out();
        }
        is_first
    }

    /// Where the RPC counts, once a handler has claimed it, and as which value of the label.
    pub(super) fn claimed(&self) -> Option<(&Target, LabelValue)> {
        // Acquire: see `close`.
        match self.state.load(Ordering::Acquire) {
            EXPECTED => Some((&self.target, self.label)),
            ELSEWHERE => self.elsewhere.get().map(|(target, label)| (target, *label)),
            _ => None,
        }
    }

    /// Counts an RPC that no handler claims here, where the path did not say. The instance is the path's.
    pub(super) fn learn(&self, target: Target) {
        let _ = self.learned.set(target);
    }

    /// Where the RPC counts that ends now, and as which value of the label. No handler can claim it any more.
    pub(super) fn settle(&self) -> (&Target, LabelValue) {
        if !self.close(UNCLAIMED)
            && let Some(claimed) = self.claimed()
        {
            return claimed;
        }
        if self.is_expected {
            return (&self.target, self.label);
        }
        let target = self.learned.get().unwrap_or(&self.target);
        target.move_in();
        (target, self.label)
    }

    fn close(&self, state: u8) -> bool {
        // Release: who sees the claim sees `elsewhere`, and that the start is counted there.
        self.state.compare_exchange(OPEN, state, Ordering::Release, Ordering::Relaxed).is_ok()
    }
}

#[cfg(all(test, not(cells_model)))]
mod tests {
    use std::sync::Arc;

    use http::{HeaderMap, HeaderName, HeaderValue};

    use super::*;
    use crate::counters::{Buckets, Clock, LabelValues, MethodCounters};
    use crate::grpc::{CodeSet, MethodKind};

    #[test]
    fn m4_another_method_with_the_same_label_keeps_the_layers_value() {
        let key = HeaderName::from_static("x-client-name");
        let values = Arc::new(LabelValues::new(key.clone(), 5));
        let method = || {
            let (label, clock) = (Some(Arc::clone(&values)), Clock::new());
            let (kind, no_faults) = (MethodKind::Unary, CodeSet::from_iter([]));
            let buckets = Buckets::classic(Arc::from([]));
            let counters = MethodCounters::new(kind, false, no_faults, buckets, clock, label);
            Target::Own(Arc::new(counters))
        };
        let (path, handler) = (method(), method());
        let client = HeaderMap::from_iter([(key, HeaderValue::from_static("a"))]);
        let value = path.label_value(&client);
        for is_expected in [true, false] {
            let claim = Claim::new(path.clone(), value, is_expected);
            assert!(claim.claim(&handler, || LabelValue::NONE));
            let (target, label) = claim.settle();
            assert!(target.is(&handler) && label == value);
        }
    }
}
