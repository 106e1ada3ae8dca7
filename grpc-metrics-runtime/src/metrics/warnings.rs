//! Conditions that make the metrics misleading, found at startup.

use std::io::Write as _;
use std::sync::Once;
use std::{fmt, io};

use super::GrpcMetrics;
use crate::catalog::{self, DuplicateService, NamedAfterTrait};

/// A condition of an instrumented impl that makes its metrics misleading. Its `Display` includes the fix. See
/// [`GrpcMetrics::warnings`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Warning {
    /// Impls share a service label, and are counted as one service.
    DuplicateService(DuplicateService),
    /// A macro is called among an impl's items. The attribute does not see the methods that it expands to, and their
    /// RPCs are not measured.
    #[non_exhaustive]
    MacroCall {
        /// The impl, with its place in the source.
        implementation: String,
        /// The call, such as `rpcs!`.
        call: String,
    },
    /// `#[instrument_grpc_client]` is above a module in which it recognises no generated client, so the calls of that
    /// module are not measured.
    #[non_exhaustive]
    UnmeasuredClient {
        /// The module, with its place in the source.
        module: String,
        /// What was not recognised.
        reason: &'static str,
    },
    /// The service label is an alias under which the trait is imported, not the trait's own name.
    #[non_exhaustive]
    TraitAlias {
        /// The impl, with its place in the source.
        implementation: String,
        /// The service label.
        label: String,
        /// The trait's path.
        path: String,
    },
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DuplicateService(duplicate) => duplicate.fmt(f),
            Self::MacroCall { implementation, call } => write!(
                f,
                "{implementation} calls {call}, whose RPCs are not measured; write the methods out, or put \
                 #[skip_metrics] above the call if that is intended"
            ),
            Self::UnmeasuredClient { module, reason } => write!(
                f,
                "{module} is not measured, since #[instrument_grpc_client] does not recognise {reason}; put a \
                 client_layer() around its channel"
            ),
            Self::TraitAlias { implementation, label, path } => {
                write!(
                    f,
                    "{implementation} has the service label {label:?}, an alias of {path}; write "
                )?;
                let mut names = path.rsplit("::");
                match (names.next(), names.next()) {
                    (_, Some(module)) if module.ends_with("_server") => {
                        write!(f, "#[instrument_grpc(service = {module}::SERVICE_NAME)]")
                    }
                    (name, _) => {
                        let name = name.unwrap_or_default();
                        write!(f, "#[instrument_grpc(service = {name:?})]")
                    }
                }
            }
        }
    }
}

impl GrpcMetrics {
    /// Returns the conditions that make the metrics of the program's services misleading.
    ///
    /// They are also logged to stderr once, one line each, when the first instance is built or the process-wide one is
    /// created. Impls that share a label are logged only in the second case; for the builder they are an error.
    ///
    /// ```
    /// use grpc_metrics_runtime::GrpcMetrics;
    ///
    /// // In a test of a program's own:
    /// assert_eq!(GrpcMetrics::warnings(), []);
    /// ```
    pub fn warnings() -> Vec<Warning> {
        let duplicates = catalog::duplicates().into_iter().map(Warning::DuplicateService);
        duplicates.chain(impl_warnings()).collect()
    }
}

/// Returns the warnings that are not errors of the builder.
fn impl_warnings() -> impl Iterator<Item = Warning> {
    let macro_calls = catalog::services().iter().flat_map(|service| {
        service.macro_calls.iter().map(|call| Warning::MacroCall {
            implementation: service.place(),
            call: (*call).to_owned(),
        })
    });
    let clients = catalog::unmeasured_clients().into_iter();
    let clients = clients.map(|entry| Warning::UnmeasuredClient {
        module: format!("{} ({}:{})", entry.module, entry.file, entry.line),
        reason: entry.reason,
    });
    macro_calls.chain(trait_aliases()).chain(clients)
}

/// Returns the impls whose label is an alias of their trait's name, sorted.
fn trait_aliases() -> impl Iterator<Item = Warning> {
    let mut impls: Vec<_> = inventory::iter::<NamedAfterTrait>.into_iter().collect();
    impls.sort_by_key(|entry| (entry.label, entry.file, entry.line));
    impls.into_iter().filter_map(|entry| {
        let path = trait_of((entry.place)())?;
        let name = path.rsplit("::").next()?;
        (name.trim_start_matches("r#") != entry.label).then(|| Warning::TraitAlias {
            implementation: format!("{} ({}:{})", entry.implementation, entry.file, entry.line),
            label: entry.label.to_owned(),
            path: path.to_owned(),
        })
    })
}

/// Returns the trait's path from the type name of an item inside the impl: `<a::MyGreeter as pb::Greeter>::say::__Here`
/// or `a::<impl pb::Greeter for a::MyGreeter>::say::__Here`. The impl may be nested in another, which comes first in
/// the name. The format is not guaranteed by Rust, so any other yields `None`.
fn trait_of(place: &str) -> Option<&str> {
    let head = last_in_brackets(place)?;
    let path = match head.strip_prefix("impl ") {
        Some(head) => head.split_once(" for ")?.0,
        None => outside_brackets(head).find_map(|(at, _)| head.get(at..)?.strip_prefix(" as "))?,
    };
    path.split('<').next()
}

/// Returns the content of the last top-level pair of `<` and `>`.
fn last_in_brackets(path: &str) -> Option<&str> {
    let (end, _) = outside_brackets(path).filter(|(_, letter)| *letter == '>').last()?;
    let path = path.get(..end)?;
    let (start, _) = outside_brackets(path).filter(|(_, letter)| *letter == '<').last()?;
    path.get(start + 1..)
}

/// Returns the characters outside `<` and `>`, including those of top-level pairs, with their byte offsets.
fn outside_brackets(path: &str) -> impl Iterator<Item = (usize, char)> {
    let (mut depth, mut before) = (0_usize, ' ');
    path.char_indices().filter(move |(_, letter)| {
        let outer = depth;
        match letter {
            '<' => depth += 1,
            '>' if before != '-' => depth = depth.saturating_sub(1),
            _ => {}
        }
        before = *letter;
        outer.min(depth) == 0
    })
}

/// Logs the warnings to stderr, once per process.
pub(super) fn log_once() {
    static LOGGED: Once = Once::new();
    LOGGED.call_once(|| impl_warnings().for_each(|warning| log_to_stderr(&warning)));
}

/// Logs one line to stderr. A closed stderr must not fail an RPC, so errors are ignored.
pub(super) fn log_to_stderr(message: &dyn fmt::Display) {
    let _ = writeln!(io::stderr(), "grpc-metrics-runtime: {message}");
}

#[cfg(all(test, not(cells_model)))]
mod tests {
    use super::trait_of;

    #[test]
    fn the_trait_is_parsed_from_a_type_name_inside_its_impl() {
        for (place, path) in [
            ("<a::X as a::pb::Greeter>::say::__Here", Some("a::pb::Greeter")),
            ("<a::X<_> as a::pb::Greeter>::say::{{closure}}::__Here", Some("a::pb::Greeter")),
            ("<a::X<<b as c>::D, fn() -> u8> as e::Svc<u8>>::say::H", Some("e::Svc")),
            ("a::_::<impl a::pb::Greeter for a::X<_>>::say::__Here", Some("a::pb::Greeter")),
            ("a::_::<impl e::Svc<u8> for a::X>::say::{{closure}}::H", Some("e::Svc")),
            ("<a::X as e::Svc<<b as c>::D>>::say::H", Some("e::Svc")),
            ("<a::X as a::Runs>::run::_::<impl e::Svc for a::Y>::say::H", Some("e::Svc")),
            ("<a::X>::run::_::<impl e::Svc for a::Y<_>>::say::H", Some("e::Svc")),
            ("a::pb::Greeter::say::__Here", None),
            ("<a::X>::say::__Here", None),
            ("<a as ", None),
            ("a::<impl a::X>::say", None),
            ("", None),
        ] {
            assert_eq!(trait_of(place), path, "{place}");
        }
    }
}
