//! All instrumented services linked into the program, known before the first call.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::OnceLock;

use super::key::MethodKey;
use super::method::Method;
use super::objectives::Objectives;

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

/// Every instrumented impl, sorted by label; each method has its index afterwards.
pub(crate) fn services() -> &'static [&'static Service] {
    static SERVICES: OnceLock<Vec<&'static Service>> = OnceLock::new();
    SERVICES.get_or_init(|| {
        let mut services: Vec<_> = inventory::iter::<Service>.into_iter().collect();
        services.sort_by_key(|service| (service.name, service.file, service.line));
        let methods = services.iter().flat_map(|service| service.methods);
        methods.enumerate().for_each(|(index, method)| method.set_index(index));
        services
    })
}

/// How many methods have an index.
pub(crate) fn method_count() -> usize {
    services().iter().map(|service| service.methods.len()).sum()
}

/// The methods that an instance shows before their first call: those that may report there. Which instance
/// `metrics = …` gives is not known before, and it may be the process-wide one.
pub(crate) fn methods_of(global: bool) -> impl Iterator<Item = &'static Method> {
    let services = services().iter().filter(move |service| global || service.chooses_instance);
    services.flat_map(|service| service.methods.iter().copied())
}

/// The instrumented method with these labels, if there is one.
pub(crate) fn find(key: MethodKey) -> Option<&'static Method> {
    let mut methods = services().iter().flat_map(|service| service.methods.iter().copied());
    methods.find(|method| method.key() == key)
}

/// What is promised of the instrumented methods with these labels.
pub(crate) fn objectives(key: MethodKey) -> Objectives {
    let methods = services().iter().flat_map(|service| service.methods);
    let labelled = methods.filter(|method| method.key() == key);
    labelled.fold(Objectives::NONE, |all, method| all.and(method.objectives()))
}

/// The latency objectives of all methods, in nanoseconds.
pub(crate) fn latency_objectives() -> impl Iterator<Item = u64> {
    let methods = services().iter().flat_map(|service| service.methods);
    methods.filter_map(|method| method.objectives().latency).map(|latency| latency.nanos)
}

/// Impls that share a service label, so that their RPCs can't be told apart.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DuplicateService {
    /// The label they share.
    pub service: String,
    /// The impls, each with its place in the source.
    pub impls: Vec<String>,
}

impl fmt::Display for DuplicateService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} impls share the service label {:?}: ", self.impls.len(), self.service)?;
        write!(f, "{}; give each its own, as in ", self.impls.join(", "))?;
        f.write_str("#[instrument_grpc(service = my_service_server::SERVICE_NAME)]")
    }
}

/// All shared labels, in order.
pub(crate) fn duplicates() -> Vec<DuplicateService> {
    let mut by_label = BTreeMap::<&str, Vec<String>>::new();
    for service in services() {
        by_label.entry(service.name).or_default().push(service.place());
    }
    let shared = by_label.into_iter().filter(|(_, impls)| impls.len() > 1);
    shared.map(|(service, impls)| DuplicateService { service: service.to_owned(), impls }).collect()
}
