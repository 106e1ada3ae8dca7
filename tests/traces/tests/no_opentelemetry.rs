//! Contract, section J: spans for a subscriber that is not OpenTelemetry's.

use std::collections::BTreeMap;
use std::fmt::{Debug, Write};
use std::sync::{Arc, Mutex, MutexGuard};

use support::bed::Bed;
use support::clients::Kind;
use support::ran_alone;
use support::script::{fail, script, send};
use support::scripted::SERVICE;
use support::wait::until_eq;
use tonic::Code;
use traces::exemplars;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Level, Metadata, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;

/// A span's fields, and how often its thread went in and out.
#[derive(Clone, Debug, Default, PartialEq)]
struct Seen {
    fields: BTreeMap<&'static str, String>,
    inside: i32,
    entered: i32,
    closed: bool,
}

impl Visit for Seen {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let mut text = String::new();
        write!(text, "{value:?}").unwrap();
        self.fields.insert(field.name(), text.trim_matches('"').to_owned());
    }
}

#[derive(Clone, Default)]
struct Watch(Arc<Mutex<BTreeMap<u64, Seen>>>);

impl Watch {
    fn all(&self) -> MutexGuard<'_, BTreeMap<u64, Seen>> {
        self.0.lock().unwrap()
    }

    fn of(&self, id: &Id, change: impl FnOnce(&mut Seen)) {
        change(self.all().entry(id.into_u64()).or_default());
    }
}

fn is_ours(metadata: &Metadata<'_>) -> bool {
    metadata.target() == "grpc_metrics_runtime"
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Watch {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, _: Context<'_, S>) {
        if is_ours(attributes.metadata()) {
            assert_eq!(
                (attributes.metadata().name(), *attributes.metadata().level()),
                ("rpc", Level::INFO)
            );
            self.of(id, |seen| attributes.record(seen));
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        if context.metadata(id).is_some_and(is_ours) {
            self.of(id, |seen| values.record(seen));
        }
    }

    fn on_enter(&self, id: &Id, context: Context<'_, S>) {
        if context.metadata(id).is_some_and(is_ours) {
            self.of(id, |seen| {
                seen.inside += 1;
                seen.entered += 1;
            });
        }
    }

    fn on_exit(&self, id: &Id, context: Context<'_, S>) {
        if context.metadata(id).is_some_and(is_ours) {
            self.of(id, |seen| seen.inside -= 1);
        }
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        if context.metadata(&id).is_some_and(is_ours) {
            self.of(&id, |seen| seen.closed = true);
        }
    }
}

/// What each has as a program without OpenTelemetry.
#[tokio::test]
async fn j1_fields_of_a_span_as_any_subscriber_sees_them() {
    if ran_alone!(j1_fields_of_a_span_as_any_subscriber_sees_them) {
        return;
    }
    let watch = Watch::default();
    // Of numbers that are not given twice, as the registry's own are.
    tracing_subscriber::registry().with(watch.clone()).init();
    let bed = Bed::new().await;
    for (kind, code) in [
        (Kind::Unary, Code::Ok),
        (Kind::Unary, Code::NotFound),
        (Kind::Watch, Code::Ok),
        (Kind::Watch, Code::Internal),
    ] {
        watch.all().clear();
        let end = (code != Code::Ok).then(|| fail(code));
        let script = if kind.streams() {
            script([], [send()].into_iter().chain(end))
        } else {
            script(end, [])
        };
        assert_eq!(bed.call(kind, script).await.code(), code);
        until_eq(|| watch.all().values().filter(|seen| seen.closed).count(), 1).await;
        let all = watch.all();
        let [seen] = all.values().collect::<Vec<_>>()[..] else { panic!("{all:#?}") };
        let method = format!("{SERVICE}/{}", kind.method());
        let name = match code {
            Code::Ok => "OK",
            Code::NotFound => "NOT_FOUND",
            _ => "INTERNAL",
        };
        let mut fields = vec![
            ("otel.kind", "server"),
            ("otel.name", &method),
            ("rpc.method", &method),
            ("rpc.response.status_code", name),
            ("rpc.system.name", "grpc"),
        ];
        if code == Code::Internal {
            fields.extend([("error.type", name), ("otel.status_code", "ERROR")]);
        }
        let fields = fields.into_iter().map(|(name, value)| (name, value.to_owned())).collect();
        assert_eq!(seen.fields, fields);
        assert_eq!(seen.inside, 0);
        assert!(seen.entered >= if kind.streams() { 3 } else { 1 }, "{seen:?}");
    }
    // No trace, no exemplar.
    for kind in Kind::ALL {
        assert_eq!(exemplars(&bed, kind), []);
    }
}
