//! What tells one method's metrics from another's.

/// The labels of a method's series. Both are static: text made of requests would let clients fill the memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct MethodKey {
    pub(crate) service: &'static str,
    pub(crate) method: &'static str,
}
