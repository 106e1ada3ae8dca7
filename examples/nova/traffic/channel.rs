//! The channels of the load.

use opentelemetry::{global, propagation::Injector};
use tonic::{
    Request, Status,
    metadata::{MetadataKey, MetadataMap},
    service::{Interceptor, interceptor::InterceptedService},
    transport::{self, Endpoint},
};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

/// A channel that sends the current span's context, as measured clients do by themselves.
pub(super) type Channel = InterceptedService<transport::Channel, WithTrace>;

/// Connects with the first call, and again when the connection is lost.
pub(super) fn channel(address: &str) -> Result<Channel, transport::Error> {
    let channel = Endpoint::from_shared(format!("http://{address}"))?.connect_lazy();
    Ok(InterceptedService::new(channel, WithTrace))
}

#[derive(Clone, Copy)]
pub(super) struct WithTrace;

impl Interceptor for WithTrace {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        let context = Span::current().context();
        global::get_text_map_propagator(|propagator| {
            propagator.inject_context(&context, &mut Metadata(request.metadata_mut()));
        });
        Ok(request)
    }
}

struct Metadata<'a>(&'a mut MetadataMap);

impl Injector for Metadata<'_> {
    fn set(&mut self, key: &str, value: String) {
        let key = MetadataKey::from_bytes(key.as_bytes());
        if let (Ok(key), Ok(value)) = (key, value.parse()) {
            self.0.insert(key, value);
        }
    }
}
