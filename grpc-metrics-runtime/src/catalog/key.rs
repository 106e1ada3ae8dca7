//! The identity of a method in the metrics.

/// Whose side of an RPC is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Side {
    Server,
    Client,
}

/// A side and the labels of a method's series. The labels are `&'static str`, because labels made from requests would
/// let clients exhaust memory.
///
/// The order of the fields is the order of the series, in which those with fewer labels come first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct MethodKey {
    pub(crate) side: Side,
    has_target: bool,
    pub(crate) service: &'static str,
    pub(crate) method: &'static str,
    target: &'static str,
}

impl MethodKey {
    /// RPCs whose path the program does not know.
    pub(crate) const OTHER: Self = Self::server("other", "other");

    /// A method that the program serves.
    pub(crate) const fn server(service: &'static str, method: &'static str) -> Self {
        Self { side: Side::Server, has_target: false, service, method, target: "" }
    }

    /// A method that the program calls.
    pub(crate) const fn client(service: &'static str, method: &'static str) -> Self {
        Self { side: Side::Client, ..Self::server(service, method) }
    }

    /// Sets the upstream that is called, by a name of the program's choice.
    #[must_use]
    pub(crate) const fn with_target(self, target: &'static str) -> Self {
        Self { has_target: !target.is_empty(), target, ..self }
    }

    /// Returns the name of the upstream, if the program has given one.
    pub(crate) fn target(&self) -> Option<&'static str> {
        self.has_target.then_some(self.target)
    }
}
