//! What clients saw.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use tonic::Code;

/// A service and one of its methods.
pub(super) type Rpc = (&'static str, &'static str);

/// Counts of calls, by result.
#[derive(Debug, Default)]
pub(crate) struct Tally(Mutex<BTreeMap<Rpc, Counts>>);

/// The calls of one method.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Counts {
    /// Calls that the client waited for, by the code that the server must have counted.
    pub(crate) answered: BTreeMap<u8, u64>,
    pub(crate) given_up: GivenUp,
}

/// Calls that the client did not wait for.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct GivenUp {
    /// Cancelled after the handler responded: the server must have counted the call.
    pub(crate) reached: u64,
    /// Cancelled before: the handler may have run or not.
    pub(crate) unheard: u64,
}

impl Counts {
    pub(crate) fn add(&mut self, other: &Self) {
        for (code, count) in &other.answered {
            *self.answered.entry(*code).or_default() += count;
        }
        self.given_up.reached += other.given_up.reached;
        self.given_up.unheard += other.given_up.unheard;
    }
}

impl GivenUp {
    pub(crate) fn total(self) -> u64 {
        self.reached + self.unheard
    }
}

impl Tally {
    pub(super) fn answered(&self, rpc: Rpc, code: Code) {
        let code = u8::try_from(i32::from(code)).unwrap_or(u8::MAX);
        *self.counts().entry(rpc).or_default().answered.entry(code).or_default() += 1;
    }

    pub(super) fn gave_up(&self, rpc: Rpc, reached: bool) {
        let mut counts = self.counts();
        let given_up = &mut counts.entry(rpc).or_default().given_up;
        if reached {
            given_up.reached += 1;
        } else {
            given_up.unheard += 1;
        }
    }

    /// Whether no call of this method has ended yet.
    pub(super) fn is_new(&self, rpc: Rpc) -> bool {
        !self.counts().contains_key(&rpc)
    }

    pub(crate) fn snapshot(&self) -> BTreeMap<Rpc, Counts> {
        self.counts().clone()
    }

    fn counts(&self) -> MutexGuard<'_, BTreeMap<Rpc, Counts>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
