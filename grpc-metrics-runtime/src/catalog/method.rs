//! An instrumented method: its definition and its static.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::key::MethodKey;
use super::objectives::{Latency, Objectives};
use crate::counters::MethodCounters;
use crate::grpc::MethodKind;

/// The definition of a method, as the attribute's expansion gives it.
#[derive(Clone, Copy, Debug)]
pub struct Definition {
    key: MethodKey,
    kind: MethodKind,
    counts_messages: bool,
    objectives: Objectives,
    #[cfg(feature = "tracing")]
    has_span: bool,
}

impl Definition {
    /// Returns the definition of a method that the program serves, with these labels.
    pub const fn new(service: &'static str, name: &'static str, kind: MethodKind) -> Self {
        Self::with_key(MethodKey::server(service, name), kind)
    }

    /// Returns the definition of a method that the program calls, with these labels.
    pub const fn client(service: &'static str, name: &'static str, kind: MethodKind) -> Self {
        Self::with_key(MethodKey::client(service, name), kind)
    }

    const fn with_key(key: MethodKey, kind: MethodKind) -> Self {
        Self {
            key,
            kind,
            counts_messages: kind.server_streams(),
            objectives: Objectives::NONE,
            #[cfg(feature = "tracing")]
            has_span: true,
        }
    }

    /// Ends RPCs when the handler returns. Messages of response streams are not counted.
    #[must_use]
    pub const fn until_return(self) -> Self {
        Self { counts_messages: false, ..self }
    }

    /// Sets the ratio of RPCs that must not end with a server-fault code.
    #[must_use]
    pub const fn availability(self, ratio: f64) -> Self {
        let Objectives { latency, .. } = self.objectives;
        Self { objectives: Objectives { availability: Some(ratio), latency }, ..self }
    }

    /// Sets the ratio of RPCs that must take at most `nanos` nanoseconds. Does nothing if the response is a stream,
    /// whose lifetime is mostly the client's choice.
    #[must_use]
    pub const fn latency(self, nanos: u64, ratio: f64) -> Self {
        if self.kind.server_streams() { self } else { self.latency_of_any_kind(nanos, ratio) }
    }

    /// Sets the latency objective, also if the response is a stream.
    #[must_use]
    pub const fn latency_of_any_kind(self, nanos: u64, ratio: f64) -> Self {
        let Objectives { availability, .. } = self.objectives;
        let latency = Some(Latency { nanos, ratio });
        Self { objectives: Objectives { availability, latency }, ..self }
    }

    /// Disables the span. Without the feature `tracing` there is none anyway.
    #[must_use]
    pub const fn without_span(self) -> Self {
        Self {
            #[cfg(feature = "tracing")]
            has_span: false,
            ..self
        }
    }

    /// Returns the method, to be put into a static.
    pub const fn build(self) -> Method {
        let index = AtomicUsize::new(usize::MAX);
        Method { definition: self, index, global: OnceLock::new(), path: OnceLock::new() }
    }
}

/// One RPC method of an instrumented impl; a `static` in the attribute's expansion.
#[derive(Debug)]
pub struct Method {
    definition: Definition,
    /// The index in every instance's table, assigned when the catalog is built.
    index: AtomicUsize,
    /// The counters in the process-wide instance, set by the first RPC that uses it.
    pub(crate) global: OnceLock<&'static MethodCounters>,
    /// The name in spans, set by the first one.
    path: OnceLock<String>,
}

impl Method {
    /// Sets the name of the upstream, which tells apart servers of the same service.
    #[must_use]
    pub const fn target(mut self, target: &'static str) -> Self {
        self.definition.key = self.definition.key.with_target(target);
        self
    }

    pub(crate) fn key(&self) -> MethodKey {
        self.definition.key
    }

    /// Returns `service/method`, made from the labels.
    pub(crate) fn path(&self) -> &str {
        let MethodKey { service, method, .. } = self.key();
        self.path.get_or_init(|| format!("{service}/{method}"))
    }

    pub(crate) fn kind(&self) -> MethodKind {
        self.definition.kind
    }

    /// Returns whether messages of response streams are counted.
    pub(crate) fn counts_messages(&self) -> bool {
        self.definition.counts_messages
    }

    #[cfg(feature = "tracing")]
    pub(crate) fn has_span(&self) -> bool {
        self.definition.has_span
    }

    pub(crate) fn objectives(&self) -> Objectives {
        self.definition.objectives
    }

    pub(crate) fn set_index(&self, index: usize) {
        // Relaxed: written before the catalog is published, and read after.
        self.index.store(index, Ordering::Relaxed);
    }

    pub(crate) fn index(&self) -> usize {
        // Relaxed: see `set_index`.
        self.index.load(Ordering::Relaxed)
    }
}
