//! Tests of exemplars with times and counts that a server can't produce.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::{HeaderMap, HeaderName, HeaderValue};
use prometheus::core::{Collector, Desc};
use prometheus::proto::MetricFamily;
use prometheus::{IntGauge, Registry};
use tonic::Code;

use crate::Exemplar;
use crate::catalog::MethodKey;
use crate::counters::LabelValue;
use crate::export::schema::Schema;
use crate::export::{gathered, openmetrics};
use crate::instance::{Instance, LabelForm, LabelSettings, NamingSettings, Settings, Snapshot};

/// A collector of a fixed snapshot.
struct Given(Arc<Schema>, Snapshot);

impl Collector for Given {
    fn desc(&self) -> Vec<&Desc> {
        Vec::new()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        gathered::collect(&self.0, self.1.clone())
    }
}

fn exemplar(ended: SystemTime) -> Exemplar {
    let (code, label) = (Code::Ok, LabelValue::NONE);
    Exemplar { trace_id: 0xabc, span_id: 0x12, code, duration: 0.25, ended, label }
}

/// Returns a registry with three methods of one RPC each, in the first of three buckets. The second method has this
/// exemplar in every bucket.
fn given(exemplar: Exemplar) -> Registry {
    given_by(exemplar, NamingSettings::default())
}

fn given_by(exemplar: Exemplar, naming: NamingSettings) -> Registry {
    let instance = Instance::new(Settings {
        naming,
        buckets: vec![1e9, 2e9],
        const_labels: [("zone".to_owned(), "\n".to_owned())].into(),
        ..Settings::default()
    });
    for method in ["A", "B", "C"] {
        let counters = instance.by_key(MethodKey::server("Service", method), None);
        counters.start();
        counters.end(Code::Ok, 1, LabelValue::NONE);
    }
    let mut snapshot = instance.snapshot();
    snapshot.methods[1].reading.exemplars = vec![Some(exemplar); 3].into();
    let registry = Registry::new();
    let schema = Arc::new(Schema::new(instance.settings()));
    registry.register(Box::new(Given(schema, snapshot))).expect("it is empty");
    registry
}

fn encoded(registry: &Registry) -> String {
    openmetrics::encode_registry(registry).expect("it is OpenMetrics")
}

#[test]
fn i7_an_exemplar_is_on_the_line_of_its_bucket_if_that_has_counted() {
    let ended = UNIX_EPOCH + Duration::from_millis(1_234_567_890_123);
    let text = encoded(&given(exemplar(ended)));
    let with: Vec<_> = text.lines().filter(|line| line.contains(" # ")).collect();
    let series = r#"grpc_server_request_duration_seconds_bucket{zone="\n",service="Service",method="B",le="1000000000.0"} 1"#;
    let labels = r#"{trace_id="00000000000000000000000000000abc",span_id="0000000000000012"}"#;
    assert_eq!(with, [format!("{series} # {labels} 0.25 1234567890.123")]);
}

#[test]
fn i7_by_code_an_exemplar_is_in_the_series_of_its_own_code() {
    let form = LabelForm { code_on_durations: true, ..LabelForm::default() };
    let by_code = || NamingSettings { form, ..NamingSettings::default() };
    let text = encoded(&given_by(exemplar(UNIX_EPOCH), by_code()));
    let with: Vec<_> = text.lines().filter(|line| line.contains(" # ")).collect();
    assert!(with.len() == 1 && with[0].contains(r#"method="B",code="0""#), "{with:?}");
    // No RPC of that code is in the snapshot.
    let of_another = Exemplar { code: Code::Internal, ..exemplar(UNIX_EPOCH) };
    assert!(!encoded(&given_by(of_another, by_code())).contains(" # "));
}

#[test]
fn m4_an_exemplar_is_in_the_histogram_of_its_value() {
    let key = HeaderName::from_static("x-client-name");
    let label = LabelSettings { name: "client".to_owned(), key, most: 2, on_durations: true };
    let settings =
        Settings { buckets: vec![1e9], label: Some(label.clone()), ..Settings::default() };
    let instance = Instance::new(settings);
    let counters = instance.by_key(MethodKey::server("Service", "A"), None);
    let ended = ["a", "b"].map(|client| {
        let client = HeaderValue::from_static(client);
        let value = counters.label_value(&HeaderMap::from_iter([(label.key.clone(), client)]));
        counters.start();
        counters.end(Code::Ok, 1, value);
        value
    });
    let of_b = Exemplar { label: ended[1], ..exemplar(UNIX_EPOCH) };
    counters.keep_exemplar(1, of_b);
    let registry = Registry::new();
    let schema = Arc::new(Schema::new(instance.settings()));
    registry.register(Box::new(Given(schema, instance.snapshot()))).expect("it is empty");
    let text = encoded(&registry);
    let with: Vec<_> = text.lines().filter(|line| line.contains(" # ")).collect();
    assert!(
        matches!(with[..], [line] if line.contains("client=\"b\",le=\"1000000000.0\"")),
        "{text}"
    );
}

#[test]
fn i7_a_time_before_1970_is_left_out() {
    let text = encoded(&given(exemplar(UNIX_EPOCH - Duration::from_secs(1))));
    assert!(text.contains("\"} 0.25\n"), "{text}");
}

#[test]
fn i7_a_histogram_that_is_unknown_has_none() {
    let registry = given(exemplar(UNIX_EPOCH));
    let clashing = IntGauge::new("grpc_server_request_duration_seconds_created", "A gauge.");
    registry.register(Box::new(clashing.expect("a legal name"))).expect("a new name");
    let text = encoded(&registry);
    let kind = "\n# TYPE grpc_server_request_duration_seconds_bucket unknown\n";
    assert!(text.contains(kind), "{text}");
    assert!(!text.contains(" # "), "{text}");
}

#[test]
fn i7_the_classic_text_has_none() {
    let text = crate::export::text::encode_registry(&given(exemplar(UNIX_EPOCH)));
    assert!(!text.expect("it is legal").contains(" # "));
}
