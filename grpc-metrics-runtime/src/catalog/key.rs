//! The identity of a method in the metrics.

/// Whose side of an RPC is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Side {
    Server,
}

/// A side and the labels of a method's series. The labels are `&'static str`, because labels made from requests would
/// let clients exhaust memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct MethodKey {
    side: Side,
    pub(crate) service: &'static str,
    pub(crate) method: &'static str,
}

impl MethodKey {
    /// RPCs whose path the program does not know.
    pub(crate) const OTHER: Self = Self::server("other", "other");

    /// A method that the program serves.
    pub(crate) const fn server(service: &'static str, method: &'static str) -> Self {
        Self { side: Side::Server, service, method }
    }
}
