//! What the services say of their calls.

use std::collections::BTreeMap;

use tonic::Code;

use crate::{
    scrape::Rpc,
    traffic::{Counts, GivenUp},
};

/// Codes with which a call ends that its caller did not wait for: there may be no answer, and the callee decides by itself
/// how the RPC ends.
const UNANSWERED: [Code; 2] = [Code::Cancelled, Code::DeadlineExceeded];

/// The calls of one method by other services.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Calls {
    /// All of them, by code.
    pub(crate) codes: BTreeMap<u8, u64>,
    /// By calling method and code.
    pub(crate) edges: BTreeMap<(Rpc, u8), u64>,
}

impl Calls {
    pub(crate) fn total(&self) -> u64 {
        self.codes.values().sum()
    }

    /// What all callers say together.
    pub(crate) fn by_callers(&self) -> BTreeMap<u8, u64> {
        let mut codes = BTreeMap::new();
        for ((_, code), count) in &self.edges {
            *codes.entry(*code).or_default() += count;
        }
        codes
    }

    /// What the callee must have counted.
    pub(crate) fn expected(&self) -> Counts {
        let (unanswered, answered): (BTreeMap<_, _>, BTreeMap<_, _>) =
            self.by_callers().into_iter().partition(|(code, _)| is_one_of(&UNANSWERED, *code));
        let unheard = unanswered.into_values().sum();
        Counts { answered, given_up: GivenUp { reached: 0, unheard } }
    }

    pub(crate) fn merge(&mut self, other: Self) {
        for (code, count) in other.codes {
            *self.codes.entry(code).or_default() += count;
        }
        for (edge, count) in other.edges {
            *self.edges.entry(edge).or_default() += count;
        }
    }
}

pub(crate) fn is_one_of(codes: &[Code], code: u8) -> bool {
    codes.iter().any(|possible| i32::from(*possible) == i32::from(code))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edge(caller: &str, code: u8, count: u64) -> ((Rpc, u8), u64) {
        (((caller.to_owned(), "Get".to_owned()), code), count)
    }

    #[test]
    fn the_callee_counts_what_all_callers_saw_answered() {
        let mut calls = Calls::default();
        let codes = |codes: &[(u8, u64)]| codes.iter().copied().collect();
        let edges = [edge("a.B", 0, 2), edge("c.D", 0, 1), edge("c.D", 5, 4)].into();
        calls.merge(Calls { codes: codes(&[(0, 3), (5, 4)]), edges });
        let edges = [edge("c.D", 0, 1), edge("c.D", 1, 6), edge("a.B", 4, 7)].into();
        calls.merge(Calls { codes: codes(&[(0, 1), (1, 6), (4, 7)]), edges });
        assert_eq!(calls.total(), 21);
        assert_eq!(calls.by_callers(), calls.codes);
        let Counts { answered, given_up } = calls.expected();
        assert_eq!(answered, codes(&[(0, 4), (5, 4)]));
        assert_eq!(given_up, GivenUp { reached: 0, unheard: 13 });
    }
}
