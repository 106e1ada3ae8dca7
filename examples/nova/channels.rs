//! Where channels are made: those of the traffic, and those by which the services call each other.

use std::{
    pin::Pin,
    sync::LazyLock,
    task::{Context, Poll},
};

use grpc_metrics_runtime::{
    GrpcMetrics,
    prometheus::{IntCounterVec, Opts},
};
use http_body_util::BodyExt as _;
use opentelemetry::{global, propagation::Injector};
use tonic::{
    Code, Request, Status,
    body::Body,
    codegen::{Service as TowerService, StdError, http},
    metadata::{MetadataKey, MetadataMap},
    service::{Interceptor, interceptor::InterceptedService},
    transport::{self, Endpoint},
};
use tracing::{Instrument as _, Span, info_span};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

use crate::{
    pb::{
        auth::auth_service_client::AuthServiceClient,
        content::content_service_client::ContentServiceClient,
        user::user_service_client::UserServiceClient,
    },
    service::{Addresses, Service},
};

/// A channel that sends the current span's context.
pub(crate) type Channel = InterceptedService<transport::Channel, WithTrace>;

/// Connects with the first call, and again when the connection is lost.
pub(crate) fn channel(address: &str) -> Result<Channel, transport::Error> {
    let channel = Endpoint::from_shared(format!("http://{address}"))?.connect_lazy();
    Ok(InterceptedService::new(channel, WithTrace))
}

#[derive(Clone, Copy)]
pub(crate) struct WithTrace;

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

/// The services that others call.
#[derive(Clone)]
pub(crate) struct Peers {
    pub(crate) auth: AuthServiceClient<Counted>,
    pub(crate) content: ContentServiceClient<Counted>,
    pub(crate) user: UserServiceClient<Counted>,
}

impl Peers {
    pub(crate) fn at(addresses: &Addresses) -> Result<Self, transport::Error> {
        let to = |service| Ok::<_, transport::Error>(Counted(channel(addresses.of(service))?));
        Ok(Self {
            auth: AuthServiceClient::new(to(Service::Auth)?),
            content: ContentServiceClient::new(to(Service::Content)?),
            user: UserServiceClient::new(to(Service::User)?),
        })
    }
}

/// The calls that this process's services made. At the end, Nova's check adds them to those of the traffic.
static CALLS: LazyLock<IntCounterVec> = LazyLock::new(|| {
    let opts = Opts::new("nova_calls_total", "Calls of other services, by the code of the answer.");
    let calls = IntCounterVec::new(opts, &["service", "method", "code"]).expect("legal names");
    let registry = GrpcMetrics::global().registry();
    registry.register(Box::new(calls.clone())).expect("registered once");
    calls
});

/// A channel that counts its calls and has a span for each. For unary calls only: it waits for the whole answer.
#[derive(Clone)]
pub(crate) struct Counted(Channel);

impl TowerService<http::Request<Body>> for Counted {
    type Response = http::Response<Body>;
    type Error = StdError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, StdError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), StdError>> {
        self.0.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let mut call = Call::to(request.uri().path());
        let span = info_span!(
            "call",
            otel.name = %format_args!("{}/{}", call.service, call.method),
            otel.kind = "client",
            rpc.system.name = "grpc",
        );
        let answer = span.in_scope(|| self.0.call(request));
        let counted = async move {
            let (head, body) = answer.await?.into_parts();
            let body = body.collect().await?;
            let last = body.trailers().unwrap_or(&head.headers);
            call.answered(Status::from_header_map(last));
            Ok(http::Response::from_parts(head, Body::new(body)))
        };
        Box::pin(counted.instrument(span))
    }
}

/// A call that counts when it ends.
struct Call {
    service: String,
    method: String,
    /// `None` while there is no answer.
    code: Option<Code>,
}

impl Call {
    fn to(path: &str) -> Self {
        let (service, method) = path.trim_start_matches('/').split_once('/').unwrap_or_default();
        Self { service: service.to_owned(), method: method.to_owned(), code: None }
    }

    fn answered(&mut self, status: Option<Status>) {
        self.code = status.map(|status| status.code());
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        let code = match self.code {
            // tonic says CANCELLED if the deadline has passed, whatever the callee has counted.
            None | Some(Code::Cancelled) => "none".to_owned(),
            Some(code) => i32::from(code).to_string(),
        };
        CALLS.with_label_values(&[&self.service, &self.method, &code]).inc();
    }
}
