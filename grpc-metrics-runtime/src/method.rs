//! What the attribute knows about a service at compile time, as statics.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::kind::MethodKind;
use crate::target::MethodMetrics;

/// One RPC method of an instrumented impl; a `static` in the attribute's expansion.
#[derive(Debug)]
pub struct Method {
    service: &'static str,
    name: &'static str,
    kind: MethodKind,
    counts_messages: bool,
    /// The place in every instance's table, given when the catalog is made.
    index: AtomicUsize,
    /// Where RPCs go that no `metrics = …` sends elsewhere, once there was one.
    pub(crate) global: OnceLock<&'static MethodMetrics>,
}

impl Method {
    /// `service` and `name` are the labels.
    pub const fn new(service: &'static str, name: &'static str, kind: MethodKind) -> Self {
        Self::with_messages(service, name, kind, kind.server_streams())
    }

    /// A method whose RPCs end when the handler returns, whatever comes after.
    pub const fn until_return(service: &'static str, name: &'static str, kind: MethodKind) -> Self {
        Self::with_messages(service, name, kind, false)
    }

    const fn with_messages(
        service: &'static str,
        name: &'static str,
        kind: MethodKind,
        counts_messages: bool,
    ) -> Self {
        let index = AtomicUsize::new(usize::MAX);
        Self { service, name, kind, counts_messages, index, global: OnceLock::new() }
    }

    pub(crate) fn service(&self) -> &'static str {
        self.service
    }

    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    pub(crate) fn kind(&self) -> MethodKind {
        self.kind
    }

    /// Whether the messages of its response streams are seen.
    pub(crate) fn counts_messages(&self) -> bool {
        self.counts_messages
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
}

inventory::collect!(Service);
