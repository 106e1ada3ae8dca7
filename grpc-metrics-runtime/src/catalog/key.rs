//! The identity of a method in the metrics.

/// The labels of a method's series. They are `&'static str`, because labels made from requests would let clients
/// exhaust memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct MethodKey {
    pub(crate) service: &'static str,
    pub(crate) method: &'static str,
}

impl MethodKey {
    /// RPCs whose path the program does not know.
    pub(crate) const OTHER: Self = Self { service: "other", method: "other" };
}
