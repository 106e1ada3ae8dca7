//! Contract, N2: exemplars in pushes, pushes without spans, and what is logged of them. With a program of others:
//! rotel, a collector.

use std::collections::BTreeSet;
use std::fmt::{self, Write};
use std::fs::File;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use grpc_metrics_runtime::otlp::{Pusher, PusherBuilder};
use grpc_metrics_runtime::{GrpcMetrics, Naming};
use opentelemetry_proto::tonic::metrics::v1::exemplar::Value;
use opentelemetry_proto::tonic::metrics::v1::{Exemplar, HistogramDataPoint};
use support::bed::{Bed, own_metrics};
use support::clients::{self, Kind};
use support::collector::{Answer, Collector, Pushed, labels};
use support::script::{fail, script};
use support::wait::until;
use tokio::task::spawn_blocking;
use tonic::Code;
use traces::{Caller, exporter};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id};
use tracing::subscriber::set_default;
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry;

use crate::rotel::Rotel;

fn pusher(metrics: &GrpcMetrics, collector: &Collector) -> PusherBuilder {
    let never = Duration::from_secs(3600);
    Pusher::builder(metrics).endpoint(collector.endpoint()).interval(never)
}

/// Metrics of an RPC without a client, whose connection would have spans.
fn metrics() -> GrpcMetrics {
    let (_, metrics) = own_metrics(|builder| builder);
    metrics.guard("pkg.Service", "Method").complete(Code::Ok);
    metrics
}

/// A bed on which an RPC of a caller has ended with a code.
async fn called(bed: &Bed, code: Code) -> Caller {
    let caller = Caller::new(true);
    let request = caller.request(script([fail(code)], []));
    clients::call(&bed.channel, Kind::Unary, request).await;
    caller.span().await;
    caller
}

/// The exemplars of a histogram, each with its point.
fn exemplars<'a>(pushed: &'a Pushed, name: &str) -> Vec<(&'a HistogramDataPoint, &'a Exemplar)> {
    let points = pushed.histogram(name).into_iter();
    points.flat_map(|point| point.exemplars.iter().map(move |exemplar| (point, exemplar))).collect()
}

#[tokio::test]
async fn n2_an_exemplar_leads_to_the_trace_of_its_rpc() {
    exporter();
    for (naming, name) in [
        (Naming::Default, "grpc_server_request_duration_seconds"),
        (Naming::OpenTelemetry, "rpc.server.call.duration"),
    ] {
        let bed = Bed::with(|builder| builder.naming(naming)).await;
        let caller = called(&bed, Code::NotFound).await;
        // Of another trace, which nobody keeps.
        let unsampled = Caller::new(false).request(script([], []));
        clients::call(&bed.channel, Kind::Unary, unsampled).await;
        let collector = Collector::start().await;
        pusher(&bed.metrics, &collector).start().unwrap().shutdown().await.unwrap();
        let pushed = Pushed::of(&collector.arrived());
        let found = exemplars(&pushed, name);
        let [(point, exemplar)] = &found[..] else { panic!("{found:#?}") };
        assert_eq!(exemplar.trace_id, caller.0.trace_id().to_bytes());
        let span = caller.span().await;
        assert_eq!(exemplar.span_id, span.span_context.span_id().to_bytes());
        let kept = traces::exemplars(&bed, Kind::Unary)[0];
        assert_eq!(exemplar.value, Some(Value::AsDouble(kept.duration)));
        assert!(
            (point.start_time_unix_nano..=point.time_unix_nano).contains(&exemplar.time_unix_nano)
        );
        if naming == Naming::OpenTelemetry {
            assert_eq!(labels(&point.attributes)["rpc.response.status_code"], "NOT_FOUND");
        }

        pusher(&bed.metrics, &collector)
            .exemplars(false)
            .start()
            .unwrap()
            .shutdown()
            .await
            .unwrap();
        assert!(exemplars(&collector.last(), name).is_empty());
    }
}

/// What this thread's subscriber sees.
#[derive(Clone, Debug, Default)]
struct Seen {
    spans: Arc<Mutex<BTreeSet<&'static str>>>,
    events: Arc<Mutex<Vec<(Level, String)>>>,
}

impl<S: Subscriber> Layer<S> for Seen {
    fn on_new_span(&self, span: &Attributes<'_>, _: &Id, _: Context<'_, S>) {
        self.spans.lock().unwrap().insert(span.metadata().target());
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if event.metadata().target().starts_with("grpc_metrics_runtime") {
            let mut text = Text::default();
            event.record(&mut text);
            self.events.lock().unwrap().push((*event.metadata().level(), text.0));
        }
    }
}

/// The message of an event.
#[derive(Default)]
struct Text(String);

impl Visit for Text {
    fn record_debug(&mut self, _: &Field, value: &dyn fmt::Debug) {
        let _ = write!(self.0, "{value:?}");
    }
}

/// In a runtime of this thread, all tasks of the pusher have its subscriber.
#[tokio::test]
async fn n2_a_push_has_no_spans() {
    let (metrics, collector) = (metrics(), Collector::start().await);
    let seen = Seen::default();
    let _default = set_default(registry().with(seen.clone()));
    let pusher = pusher(&metrics, &collector).start().unwrap();
    for _ in 0..2 {
        pusher.flush().await.unwrap();
    }
    pusher.shutdown().await.unwrap();
    assert!(seen.spans.lock().unwrap().is_empty(), "{seen:?}");
    // Another client's call has some.
    let channel = collector.server.connect().await;
    clients::call(&channel, Kind::Unary, tonic::Request::new(script([], []))).await;
    assert!(!seen.spans.lock().unwrap().is_empty());
}

#[tokio::test]
async fn n2_a_change_is_logged_once() {
    let (metrics, collector) = (metrics(), Collector::start().await);
    let seen = Seen::default();
    let _default = set_default(registry().with(seen.clone()));
    let pusher = pusher(&metrics, &collector).start().unwrap();
    let answers = [
        (Answer::Accept, None),
        (Answer::Fail(Code::Unavailable), Some((Level::WARN, "did not accept"))),
        (Answer::Reject(7, "too old"), Some((Level::WARN, "rejected 7 data points: too old"))),
        (Answer::Accept, Some((Level::INFO, "arrive again"))),
    ];
    for (answer, expected) in answers {
        collector.answer(answer);
        for _ in 0..3 {
            let _ = pusher.flush().await;
        }
        let events = std::mem::take(&mut *seen.events.lock().unwrap());
        match expected {
            None => assert_eq!(events, []),
            Some((level, text)) => {
                let [(of, event)] = &events[..] else { panic!("{events:?}") };
                assert!(*of == level && event.contains(text), "{events:?}");
            }
        }
    }
}

/// What a collector of others makes of a push: the same.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs python3 and the PyPI package rotel"]
async fn n2_a_collector_forwards_what_is_counted() {
    exporter();
    for naming in [Naming::Default, Naming::OpenTelemetry] {
        let bed = Bed::with(|builder| builder.naming(naming)).await;
        let caller = called(&bed, Code::Internal).await;
        let behind = Collector::start().await;
        let to = behind.endpoint();
        let rotel = spawn_blocking(move || {
            let log = Path::new(env!("CARGO_TARGET_TMPDIR")).join("rotel-metrics.log");
            let options = ["--exporter", "otlp", "--otlp-exporter-protocol", "grpc"];
            let to = ["--otlp-exporter-endpoint", &to];
            Rotel::start("metrics", File::create(log).unwrap(), &[&options[..], &to].concat())
        });
        let rotel = rotel.await.unwrap();
        let direct = Collector::start().await;
        pusher(&bed.metrics, &direct).start().unwrap().shutdown().await.unwrap();
        let builder = pusher(&bed.metrics, &direct).endpoint(format!("http://{}", rotel.grpc));
        builder.start().unwrap().shutdown().await.unwrap();
        let direct = Pushed::of(&direct.arrived()).series();
        let forwarded =
            until(|| Pushed::of(&behind.arrived()), |all| all.series().len() >= direct.len()).await;
        assert_eq!(forwarded.series(), direct);
        let mut names = forwarded.metrics.iter().map(|metric| metric.name.as_str());
        let durations = names.find(|name| name.contains("duration")).unwrap();
        let found = exemplars(&forwarded, durations);
        let trace = caller.0.trace_id().to_bytes();
        assert!(found.iter().any(|(_, exemplar)| exemplar.trace_id == trace), "{found:?}");
    }
}
