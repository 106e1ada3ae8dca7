//! What the attribute says of a method, and the static that it becomes.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::key::MethodKey;
use super::objectives::{Latency, Objectives};
use crate::counters::MethodCounters;
use crate::grpc::MethodKind;

/// What the attribute says of a method.
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
    /// `service` and `name` are the labels.
    pub const fn new(service: &'static str, name: &'static str, kind: MethodKind) -> Self {
        let objectives = Objectives::NONE;
        let counts_messages = kind.server_streams();
        Self {
            key: MethodKey { service, method: name },
            kind,
            counts_messages,
            objectives,
            #[cfg(feature = "tracing")]
            has_span: true,
        }
    }

    /// Its RPCs end when the handler returns, whatever comes after.
    #[must_use]
    pub const fn until_return(self) -> Self {
        Self { counts_messages: false, ..self }
    }

    /// This share of its RPCs does not fail by the server's fault.
    #[must_use]
    pub const fn availability(self, ratio: f64) -> Self {
        let Objectives { latency, .. } = self.objectives;
        Self { objectives: Objectives { availability: Some(ratio), latency }, ..self }
    }

    /// This share of its RPCs takes no longer. If the server streams, that is no promise: how long a
    /// stream lives is mostly its client's affair.
    #[must_use]
    pub const fn latency(self, nanos: u64, ratio: f64) -> Self {
        if self.kind.server_streams() { self } else { self.latency_of_any_kind(nanos, ratio) }
    }

    /// The same for methods whose server streams, too.
    #[must_use]
    pub const fn latency_of_any_kind(self, nanos: u64, ratio: f64) -> Self {
        let Objectives { availability, .. } = self.objectives;
        let latency = Some(Latency { nanos, ratio });
        Self { objectives: Objectives { availability, latency }, ..self }
    }

    /// Its RPCs have no spans; without the feature `tracing`, nobody's have.
    #[must_use]
    pub const fn without_span(self) -> Self {
        Self {
            #[cfg(feature = "tracing")]
            has_span: false,
            ..self
        }
    }

    /// As a static of its own.
    pub const fn build(self) -> Method {
        let index = AtomicUsize::new(usize::MAX);
        Method {
            definition: self,
            index,
            global: OnceLock::new(),
            #[cfg(feature = "tracing")]
            path: OnceLock::new(),
        }
    }
}

/// One RPC method of an instrumented impl; a `static` in the attribute's expansion.
#[derive(Debug)]
pub struct Method {
    definition: Definition,
    /// The place in every instance's table, given when the catalog is made.
    index: AtomicUsize,
    /// Where RPCs go that no `metrics = …` sends elsewhere, once there was one.
    pub(crate) global: OnceLock<&'static MethodCounters>,
    /// What spans call it, once there was one.
    #[cfg(feature = "tracing")]
    path: OnceLock<String>,
}

impl Method {
    pub(crate) fn key(&self) -> MethodKey {
        self.definition.key
    }

    /// `pkg.Service/Method`, as far as the labels tell.
    #[cfg(feature = "tracing")]
    pub(crate) fn path(&self) -> &str {
        let MethodKey { service, method } = self.key();
        self.path.get_or_init(|| format!("{service}/{method}"))
    }

    pub(crate) fn kind(&self) -> MethodKind {
        self.definition.kind
    }

    /// Whether the messages of its response streams are seen.
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
        // Relaxed: happens before the catalog is published, and is read only after it is seen.
        self.index.store(index, Ordering::Relaxed);
    }

    pub(crate) fn index(&self) -> usize {
        // Relaxed: see `set_index`.
        self.index.load(Ordering::Relaxed)
    }
}
