//! What about the program's services makes their metrics other than one would think. Found at start-up.

use std::io::Write as _;
use std::sync::Once;
use std::{fmt, io};

use super::GrpcMetrics;
use crate::catalog::{self, DuplicateService, NamedAfterTrait};

/// Something about an instrumented impl that makes its metrics other than one would think. Its `Display` says
/// what to write instead. See [`GrpcMetrics::warnings`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Warning {
    /// Impls share a service label, and are counted as one service.
    DuplicateService(DuplicateService),
    /// A macro is called among an impl's items. The attribute does not see the methods that it makes, and their
    /// RPCs are not measured.
    #[non_exhaustive]
    MacroCall {
        /// The impl, and its place in the source.
        implementation: String,
        /// The call, as `rpcs!`.
        call: String,
    },
    /// The service label is the name under which the trait is imported, and not the trait's own.
    #[non_exhaustive]
    TraitAlias {
        /// The impl, and its place in the source.
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
                "{implementation} calls {call}, and RPCs that this makes are not measured; write them out, or \
                 #[skip_metrics] above the call if that is meant"
            ),
            Self::TraitAlias { implementation, label, path } => {
                write!(
                    f,
                    "{implementation} has the service label {label:?}, under which it imports {path}; write "
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
    /// What makes the metrics of the program's services other than one would think. The same goes to stderr
    /// once, a line each, when the first instance is built or the process-wide one is made; of impls that share
    /// a label only in the second case, since in the first they are an error.
    ///
    /// ```
    /// use grpc_metrics_runtime::GrpcMetrics;
    ///
    /// // In a test of a program's own:
    /// assert_eq!(GrpcMetrics::warnings(), []);
    /// ```
    pub fn warnings() -> Vec<Warning> {
        let duplicates = catalog::duplicates().into_iter().map(Warning::DuplicateService);
        duplicates.chain(of_impls()).collect()
    }
}

/// Those that stop no instance from being built.
fn of_impls() -> impl Iterator<Item = Warning> {
    let macro_calls = catalog::services().iter().flat_map(|service| {
        service.macro_calls.iter().map(|call| Warning::MacroCall {
            implementation: service.place(),
            call: (*call).to_owned(),
        })
    });
    macro_calls.chain(trait_aliases())
}

/// The impls whose label is not their trait's own name, in order.
fn trait_aliases() -> impl Iterator<Item = Warning> {
    let mut impls: Vec<_> = inventory::iter::<NamedAfterTrait>.into_iter().collect();
    impls.sort_by_key(|of| (of.label, of.file, of.line));
    impls.into_iter().filter_map(|of| {
        let path = trait_of((of.place)())?;
        let name = path.rsplit("::").next()?;
        (name.trim_start_matches("r#") != of.label).then(|| Warning::TraitAlias {
            implementation: format!("{} ({}:{})", of.implementation, of.file, of.line),
            label: of.label.to_owned(),
            path: path.to_owned(),
        })
    })
}

/// The trait's path in that of a place inside its impl: `<a::MyGreeter as pb::Greeter>::say::__Here`, or
/// `a::<impl pb::Greeter for a::MyGreeter>::say::__Here`. What the impl itself stands in may be another one, and comes
/// before. Rust promises nothing about how it writes that, so what does not look like it tells nothing.
fn trait_of(place: &str) -> Option<&str> {
    let head = last_in_brackets(place)?;
    let path = match head.strip_prefix("impl ") {
        Some(head) => head.split_once(" for ")?.0,
        None => outside_brackets(head).find_map(|(at, _)| head.get(at..)?.strip_prefix(" as "))?,
    };
    path.split('<').next()
}

/// What stands in the last pair of `<` and `>` that stands in none itself.
fn last_in_brackets(path: &str) -> Option<&str> {
    let (end, _) = outside_brackets(path).filter(|(_, letter)| *letter == '>').last()?;
    let path = path.get(..end)?;
    let (start, _) = outside_brackets(path).filter(|(_, letter)| *letter == '<').last()?;
    path.get(start + 1..)
}

/// The letters that stand in no pair of `<` and `>`, those of outer pairs among them, with their places.
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

/// Logs them to stderr, once in a program.
pub(super) fn log_once() {
    static LOGGED: Once = Once::new();
    LOGGED.call_once(|| of_impls().for_each(|warning| log_to_stderr(&warning)));
}

/// There is no caller to return it to, so it is logged: one line. A closed stderr is no reason for an RPC to fail.
pub(super) fn log_to_stderr(of: &dyn fmt::Display) {
    let _ = writeln!(io::stderr(), "grpc-metrics-runtime: {of}");
}

#[cfg(all(test, not(cells_model)))]
mod tests {
    use super::trait_of;

    #[test]
    fn the_trait_of_a_place_inside_its_impl() {
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
