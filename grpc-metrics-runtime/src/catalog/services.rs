//! The inventory of instrumented services linked into the program.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::OnceLock;

use super::key::MethodKey;
use super::method::Method;
use super::objectives::Objectives;

/// An instrumented impl, submitted to the inventory by the attribute's expansion.
#[derive(Debug)]
pub struct Service {
    /// The service label.
    pub name: &'static str,
    /// The impl, for messages: `Greeter for MyGreeter`.
    pub implementation: &'static str,
    /// The file of the attribute.
    pub file: &'static str,
    /// The line of the attribute.
    pub line: u32,
    /// Whether the attribute has `metrics = …`.
    pub chooses_instance: bool,
    /// The instrumented methods.
    pub methods: &'static [&'static Method],
    /// The macros called among the impl's items, such as `rpcs!`. `methods` lacks the methods that they expand to.
    pub macro_calls: &'static [&'static str],
    /// The names of the RPCs under `#[skip_metrics]`. No layer may measure them instead.
    pub skipped: &'static [&'static str],
}

impl Service {
    /// Returns the impl and its place in the source.
    pub(crate) fn place(&self) -> String {
        format!("{} ({}:{})", self.implementation, self.file, self.line)
    }

    /// Sets the macros called among the impl's items.
    #[must_use]
    pub const fn with_macro_calls(self, macro_calls: &'static [&'static str]) -> Self {
        Self { macro_calls, ..self }
    }

    /// Sets the names of the skipped RPCs.
    #[must_use]
    pub const fn with_skipped(self, skipped: &'static [&'static str]) -> Self {
        Self { skipped, ..self }
    }
}

inventory::collect!(Service);

/// An impl whose service label is its trait's name as written.
#[derive(Debug)]
pub struct NamedAfterTrait {
    /// The service label.
    pub label: &'static str,
    /// The impl, for messages: `Greeter for MyGreeter`.
    pub implementation: &'static str,
    /// The file of the attribute.
    pub file: &'static str,
    /// The line of the attribute.
    pub line: u32,
    /// Returns the name of a type inside the impl, which contains the trait's path.
    pub place: fn() -> &'static str,
}

inventory::collect!(NamedAfterTrait);

/// A method of a generated client, submitted to the inventory by the attribute's expansion.
#[derive(Debug)]
pub struct ClientEntry(&'static Method);

impl ClientEntry {
    /// Returns the entry of a method.
    pub const fn new(method: &'static Method) -> Self {
        Self(method)
    }
}

inventory::collect!(ClientEntry);

/// A module with the attribute for clients in which the attribute did not recognise a client.
#[derive(Debug)]
pub struct UnmeasuredClient {
    /// The module's name.
    pub module: &'static str,
    /// What was not recognised.
    pub reason: &'static str,
    /// The file of the attribute.
    pub file: &'static str,
    /// The line of the attribute.
    pub line: u32,
}

inventory::collect!(UnmeasuredClient);

/// Returns every instrumented impl, sorted by label. The first call assigns the methods' indices.
pub(crate) fn services() -> &'static [&'static Service] {
    static SERVICES: OnceLock<Vec<&'static Service>> = OnceLock::new();
    SERVICES.get_or_init(|| {
        let mut services: Vec<_> = inventory::iter::<Service>.into_iter().collect();
        services.sort_by_key(|service| (service.name, service.file, service.line));
        let methods = services.iter().flat_map(|service| service.methods.iter().copied());
        let methods = methods.chain(client_methods());
        methods.enumerate().for_each(|(index, method)| method.set_index(index));
        services
    })
}

/// Returns every method of an instrumented client.
pub(crate) fn client_methods() -> impl Iterator<Item = &'static Method> {
    inventory::iter::<ClientEntry>.into_iter().map(|ClientEntry(method)| *method)
}

/// Returns the modules whose clients are not measured, sorted.
pub(crate) fn unmeasured_clients() -> Vec<&'static UnmeasuredClient> {
    let mut unmeasured: Vec<_> = inventory::iter::<UnmeasuredClient>.into_iter().collect();
    unmeasured.sort_by_key(|entry| (entry.module, entry.file, entry.line));
    unmeasured
}

/// Returns every instrumented method, in the order of their indices.
fn methods() -> impl Iterator<Item = &'static Method> {
    let served = services().iter().flat_map(|service| service.methods.iter().copied());
    served.chain(client_methods())
}

/// Returns the number of instrumented methods.
pub(crate) fn method_count() -> usize {
    methods().count()
}

/// Returns the methods that an instance exposes before their first RPC. The expression in `metrics = …` is not
/// evaluated before the first RPC, so those methods belong to every instance, including the process-wide one.
pub(crate) fn methods_of(global: bool) -> impl Iterator<Item = &'static Method> {
    let services = services().iter().filter(move |service| global || service.chooses_instance);
    let served = services.flat_map(|service| service.methods.iter().copied());
    served.chain(client_methods().filter(move |_| global))
}

/// Returns the instrumented method with these labels, if there is one.
pub(crate) fn find(key: MethodKey) -> Option<&'static Method> {
    methods().find(|method| method.key() == key)
}

/// Returns the strictest objectives of the instrumented methods with these labels.
pub(crate) fn objectives(key: MethodKey) -> Objectives {
    let labelled = methods().filter(|method| method.key() == key);
    labelled.fold(Objectives::NONE, |all, method| all.and(method.objectives()))
}

/// Returns the latency objectives of all methods, in nanoseconds.
pub(crate) fn latency_objectives() -> impl Iterator<Item = u64> {
    methods().filter_map(|method| method.objectives().latency).map(|latency| latency.nanos)
}

/// Impls that share a service label, so that the metrics can't distinguish their RPCs.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DuplicateService {
    /// The shared label.
    pub service: String,
    /// The impls, with their places in the source.
    pub impls: Vec<String>,
}

impl fmt::Display for DuplicateService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} impls share the service label {:?}: ", self.impls.len(), self.service)?;
        write!(f, "{}; set a different one on each, as in ", self.impls.join(", "))?;
        f.write_str("#[instrument_grpc(service = my_service_server::SERVICE_NAME)]")
    }
}

/// Returns all shared labels, sorted.
pub(crate) fn duplicates() -> Vec<DuplicateService> {
    let mut by_label = BTreeMap::<&str, Vec<String>>::new();
    for service in services() {
        by_label.entry(service.name).or_default().push(service.place());
    }
    let shared = by_label.into_iter().filter(|(_, impls)| impls.len() > 1);
    shared.map(|(service, impls)| DuplicateService { service: service.to_owned(), impls }).collect()
}
