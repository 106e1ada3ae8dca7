//! What the attribute knows about a service at compile time, as statics.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::kind::MethodKind;
use crate::slo::{Latency, Objectives};
use crate::target::MethodMetrics;

/// What the attribute says of a method.
#[derive(Clone, Copy, Debug)]
pub struct Definition {
    service: &'static str,
    name: &'static str,
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
            service,
            name,
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
    pub const fn available(self, ratio: f64) -> Self {
        let Objectives { latency, .. } = self.objectives;
        Self { objectives: Objectives { availability: Some(ratio), latency }, ..self }
    }

    /// This share of its RPCs takes no longer. If the server streams, that is no promise: how long a
    /// stream lives is mostly its client's affair.
    #[must_use]
    pub const fn fast(self, nanos: u64, ratio: f64) -> Self {
        if self.kind.server_streams() { self } else { self.fast_as_a_whole(nanos, ratio) }
    }

    /// The same for methods whose server streams, too.
    #[must_use]
    pub const fn fast_as_a_whole(self, nanos: u64, ratio: f64) -> Self {
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
    pub(crate) global: OnceLock<&'static MethodMetrics>,
    /// What spans call it, once there was one.
    #[cfg(feature = "tracing")]
    path: OnceLock<String>,
}

impl Method {
    pub(crate) fn service(&self) -> &'static str {
        self.definition.service
    }

    pub(crate) fn name(&self) -> &'static str {
        self.definition.name
    }

    /// `pkg.Service/Method`, as far as the labels tell.
    #[cfg(feature = "tracing")]
    pub(crate) fn path(&self) -> &str {
        self.path.get_or_init(|| format!("{}/{}", self.service(), self.name()))
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

/// One instrumented impl; submitted to the inventory by the attribute's expansion.
#[derive(Debug)]
pub struct Service {
    /// The service label.
    pub name: &'static str,
    /// The impl, for messages: `Greeter for MyGreeter`.
    pub implementation: &'static str,
    /// Where the attribute stands.
    pub file: &'static str,
    /// Where the attribute stands.
    pub line: u32,
    /// Whether `metrics = …` chooses the instance.
    pub chooses_instance: bool,
    /// The instrumented methods.
    pub methods: &'static [&'static Method],
    /// The macros that are called among its items, as `rpcs!`. The methods that they make are none of these.
    pub macro_calls: &'static [&'static str],
}

impl Service {
    /// The impl and its place in the source.
    pub(crate) fn place(&self) -> String {
        format!("{} ({}:{})", self.implementation, self.file, self.line)
    }

    /// With macro calls among its items.
    #[must_use]
    pub const fn with_macro_calls(self, macro_calls: &'static [&'static str]) -> Self {
        Self { macro_calls, ..self }
    }
}

inventory::collect!(Service);

/// An impl whose service label is the name that it has for its trait.
#[derive(Debug)]
pub struct NamedAfterTrait {
    /// The service label.
    pub label: &'static str,
    /// The impl, for messages: `Greeter for MyGreeter`.
    pub implementation: &'static str,
    /// Where the attribute stands.
    pub file: &'static str,
    /// Where the attribute stands.
    pub line: u32,
    /// The name of a type that stands inside the impl.
    pub place: fn() -> &'static str,
}

inventory::collect!(NamedAfterTrait);
