//! The order of series, which is the registry's.

use std::sync::Arc;

use prometheus::{Registry, TextEncoder};
use tonic::Code;

use super::exposition::Exposition;
use super::text::encode_registry;
use crate::catalog::MethodKey;
use crate::counters::LabelValue;
use crate::grpc::MethodKind;
use crate::instance::{Instance, LabelForm, Naming, NamingSettings, Settings};

const NAMINGS: [Naming; 4] =
    [Naming::Default, Naming::GoGrpcPrometheus, Naming::OpenTelemetry, Naming::GrpcA66];

fn settings(naming: Naming, form: LabelForm) -> Settings {
    let naming = NamingSettings { naming, form, ..NamingSettings::default() };
    Settings { naming, ..Settings::default() }
}

/// Counts an RPC of each method.
fn counted(settings: Settings, methods: &[(MethodKey, Option<MethodKind>)]) -> Exposition {
    let instance = Instance::new(settings);
    for (key, kind) in methods {
        let counters = instance.by_key(*key, *kind);
        counters.start();
        counters.end(Code::Ok, 1, LabelValue::NONE);
    }
    Exposition::new(Arc::new(instance))
}

fn assert_same_text(expositions: impl IntoIterator<Item = Exposition>) {
    let registry = Registry::new();
    for exposition in expositions {
        let schema = Arc::clone(&exposition.schema);
        registry
            .register(Box::new(exposition))
            .unwrap_or_else(|error| panic!("{error}: {schema:?}"));
    }
    let expected = TextEncoder::new().encode_to_string(&registry.gather()).expect("it is text");
    let text = encode_registry(&registry).expect("it is text");
    let differing = text.lines().zip(expected.lines()).find(|(ours, theirs)| ours != theirs);
    assert_eq!(differing, None);
    assert_eq!(text.len(), expected.len());
}

/// All combinations of labels.
fn forms() -> impl Iterator<Item = LabelForm> {
    (0..8).map(|bits| LabelForm {
        code_on_durations: bits & 1 != 0,
        full_methods: bits & 2 != 0,
        type_on_all: bits & 4 != 0,
    })
}

/// Methods whose order depends on which labels there are, and which comes first.
fn methods() -> Vec<(MethodKey, Option<MethodKind>)> {
    let client = MethodKey::client;
    vec![
        (MethodKey::OTHER, None),
        (MethodKey::server("a", "M"), Some(MethodKind::Unary)),
        (MethodKey::server("a.b", "M"), None),
        (MethodKey::server("z\"", "M"), Some(MethodKind::ServerStream)),
        (client("z", "M"), None),
        (client("a", "M").with_target("z"), None),
        // One is known by the attribute.
        (client("b", "M").with_target("a"), Some(MethodKind::Unary)),
        (client("b", "M").with_target("b"), None),
        // In the order of hosts, the shorter one is first.
        (client("c", "M").with_target("c.d:1"), None),
        (client("c", "M").with_target("c:1"), None),
        (client("other", "other").with_target("c"), None),
    ]
}

#[test]
fn m3_series_are_in_the_registry_s_order_with_each_combination_of_labels() {
    for naming in NAMINGS {
        for form in forms() {
            assert_same_text([counted(settings(naming, form), &methods())]);
        }
    }
}

#[test]
fn m3_series_of_two_instances_are_in_the_registry_s_order() {
    for naming in NAMINGS {
        let in_zone = |zone: &str| {
            let settings = Settings {
                const_labels: [("zone".to_owned(), zone.to_owned())].into(),
                ..settings(naming, LabelForm::default())
            };
            counted(settings, &methods())
        };
        assert_same_text([in_zone("b"), in_zone("a")]);
    }
}
