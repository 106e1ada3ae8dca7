//! Exports spans to a collector.

use std::time::Duration;

use opentelemetry::{global, trace::TracerProvider};
use opentelemetry_otlp::{SpanExporter, WithExportConfig};
use opentelemetry_sdk::{
    Resource,
    propagation::TraceContextPropagator,
    trace::{BatchConfigBuilder, BatchSpanProcessor, SdkTracerProvider},
};
use tracing::Level;
use tracing_subscriber::{
    filter::Targets,
    layer::{Layer, SubscriberExt},
    util::SubscriberInitExt,
};

use crate::{screen::print_error, service::Service};

/// Under load, the default queue is too short.
const QUEUE: usize = 1 << 14;
const SEND_EVERY: Duration = Duration::from_secs(1);

/// The name of a process to a collector.
pub(crate) fn name(service: Option<Service>) -> String {
    service.map_or("nova".to_owned(), |service| format!("nova-{}", service.name()))
}

/// The exporter of spans.
pub(crate) struct Traces(SdkTracerProvider);

impl Traces {
    /// Exports every RPC's span to this address, by OTLP over gRPC.
    pub(crate) fn export_to(address: &str, service: Option<Service>) -> Result<Self, String> {
        let exporter =
            SpanExporter::builder().with_tonic().with_endpoint(format!("http://{address}")).build();
        let exporter = exporter.map_err(|error| error.to_string())?;
        let batches = BatchConfigBuilder::default()
            .with_max_queue_size(QUEUE)
            .with_scheduled_delay(SEND_EVERY)
            .build();
        let provider = SdkTracerProvider::builder()
            .with_resource(Resource::builder().with_service_name(name(service)).build())
            .with_span_processor(
                BatchSpanProcessor::builder(exporter).with_batch_config(batches).build(),
            )
            .build();
        global::set_text_map_propagator(TraceContextPropagator::new());
        // Excludes the transport's spans: exporting those would create more of them.
        let ours = Targets::new()
            .with_target("grpc_metrics_runtime", Level::INFO)
            .with_target("nova", Level::INFO);
        let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("nova"));
        let subscriber = tracing_subscriber::registry().with(layer.with_filter(ours));
        subscriber.try_init().map_err(|error| error.to_string())?;
        Ok(Self(provider))
    }

    /// Exports the remaining spans.
    pub(crate) async fn end(self) {
        let ended = tokio::task::spawn_blocking(move || self.0.shutdown()).await;
        if let Ok(Err(error)) = ended {
            print_error(&format!("spans are lost: {error}"));
        }
    }
}
