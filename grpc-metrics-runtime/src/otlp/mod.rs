//! Pushes the metrics to an OpenTelemetry collector, by OTLP over gRPC.
//!
//! ```no_run
//! use grpc_metrics_runtime::GrpcMetrics;
//! use grpc_metrics_runtime::otlp::Pusher;
//! use tonic::transport::Server;
//!
//! # async fn run(interrupted: impl Future<Output = ()>) -> Result<(), Box<dyn std::error::Error>> {
//! # let routes = tonic::service::Routes::default();
//! let pusher = Pusher::from_env(GrpcMetrics::global())?;
//! let server = Server::builder().add_routes(routes); // or `add_service`
//! server.serve_with_shutdown("127.0.0.1:50051".parse()?, interrupted).await?;
//! // The server has ended all RPCs, so they are in the last push.
//! pusher.shutdown().await?;
//! # Ok(())
//! # }
//! ```
//!
//! A [`Pusher`] sends every minute, and once more when it is [shut down](Pusher::shutdown). Without a collector, it only
//! logs that it fails. A program may push and serve `/metrics` at the same time.
//!
//! # What is sent
//!
//! All series of one [`GrpcMetrics`] that a scrape at the same time has, with the same values:
//!
//! - Counters are monotonic sums, gauges are gauges, and histograms have explicit bounds, also if there are
//!   [native](crate::GrpcMetricsBuilder::native_histograms) ones. Sums and histograms are
//!   cumulative since the instance was built. So a push that fails loses nothing, and nothing is queued: the next one has
//!   all counts.
//! - Names and labels are those of the instance's [naming](crate::Naming). The unit is `s`, `By` or none. A collector's
//!   exporter for Prometheus adds no second `_total` or `_seconds` to them. Labels without a value are left out.
//! - In [`Naming::OpenTelemetry`](crate::Naming::OpenTelemetry), what the semantic conventions define has their names:
//!   `rpc.server.call.duration` with `rpc.system.name`, `rpc.method`, `rpc.response.status_code` and `error.type`;
//!   `rpc.client.call.duration` also with `server.address` and `server.port`.
//! - With the feature `opentelemetry`, durations have exemplars with the ids of trace and span.
//! - The scope is this crate with its version. The resource has `service.name` and what the variables or the program add.
//!   If there are several processes of a service, give each a `service.instance.id`, or their counts get mixed up.
//!
//! Metrics of other collectors in the registry are not sent, nor the prefix and labels that the registry adds.
//!
//! # Variables
//!
//! [`Pusher::from_env`] reads OpenTelemetry's variables. Those with `METRICS` in their name take precedence. What the
//! program gives the [builder](Pusher::builder) takes precedence over both; headers and attributes are put together.
//!
//! | variable | | default |
//! |---|---|---|
//! | `OTEL_SDK_DISABLED` | `true` sends nothing | `false` |
//! | `OTEL_METRICS_EXPORTER` | other exporters alone, such as `none`, send nothing | `otlp` |
//! | `OTEL_SERVICE_NAME` | `service.name` | `unknown_service:` and the executable |
//! | `OTEL_RESOURCE_ATTRIBUTES` | `key=value,key=value`, percent-encoded | |
//! | `OTEL_EXPORTER_OTLP_ENDPOINT`, `OTEL_EXPORTER_OTLP_METRICS_ENDPOINT` | `http://HOST:PORT` | `http://localhost:4317` |
//! | `OTEL_EXPORTER_OTLP_INSECURE`, `OTEL_EXPORTER_OTLP_METRICS_INSECURE` | whether an endpoint without a scheme is `http` | `false` |
//! | `OTEL_EXPORTER_OTLP_HEADERS`, `OTEL_EXPORTER_OTLP_METRICS_HEADERS` | `key=value,key=value`, percent-encoded | |
//! | `OTEL_EXPORTER_OTLP_TIMEOUT`, `OTEL_EXPORTER_OTLP_METRICS_TIMEOUT` | of a push, in milliseconds; 0 is none | 10000 |
//! | `OTEL_METRIC_EXPORT_TIMEOUT` | the same; the shorter one applies | 30000 |
//! | `OTEL_METRIC_EXPORT_INTERVAL` | in milliseconds | 60000 |
//! | `OTEL_EXPORTER_OTLP_PROTOCOL`, `OTEL_EXPORTER_OTLP_METRICS_PROTOCOL` | `grpc` | `grpc` |
//! | `OTEL_EXPORTER_OTLP_COMPRESSION`, `OTEL_EXPORTER_OTLP_METRICS_COMPRESSION` | `gzip` or `none` | `none` |
//! | `OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE` | `cumulative` | `cumulative` |
//! | `OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION` | `explicit_bucket_histogram` | `explicit_bucket_histogram` |
//! | `OTEL_METRICS_EXEMPLAR_FILTER` | `trace_based` or `always_off` | `trace_based` |
//!
//! An empty variable is as if it was not set. Of what a variable selects by name, upper and lower case make no
//! difference. As OpenTelemetry wants it, a number or boolean that can't be parsed, an unknown exporter, filter of exemplars or
//! aggregation, and a malformed list of attributes are ignored, with a warning. Another protocol, compression or
//! temporality is an [`Error`], as are invalid headers and endpoints: without them, the data would not arrive, or would
//! be misread there.
//!
//! TLS needs a feature of tonic, so this crate has none: give [`PusherBuilder::channel`] a channel with a `tls_config`.
//! Variables of certificates are not read.
//!
//! # Cost
//!
//! No RPC waits for a push, whether the collector is slow, hangs or is gone. The counts are read and encoded on a blocking
//! thread, as for a scrape. What a worker of the runtime does is to send them and, if asked for, compress them. Pushes are
//! not measured, and have no spans. More than 2 MiB are sent as several requests.
//!
//! A push that takes longer than its [timeout](PusherBuilder::timeout) is abandoned, and the next one has a connection of
//! its own. A failure is a warning by `tracing`, and so is a partial rejection. It is logged when pushes begin to fail, not
//! for each of them, and so is the end of it.

mod error;
mod messages;
mod pusher;
mod quiet;
mod settings;
mod transport;

use std::time::Duration;
use std::{env, fmt};

use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};
use tonic::transport::Channel;

pub use self::error::{Error, PushError};
use self::pusher::{Orders, Reply, State, Task};
use self::settings::{Given, Settings};
use self::transport::Transport;
use crate::GrpcMetrics;

/// How many callers of [`Pusher::flush`] wait without being waited for themselves.
const FLUSHES: usize = 16;

/// Pushes the metrics to a collector, as long as it lives; see the [module](self).
///
/// A pusher that is dropped stops without a last push. To have one, call [`shutdown`](Self::shutdown).
#[derive(Debug)]
#[must_use = "stops when it is dropped"]
pub struct Pusher {
    /// `None` if nothing is pushed.
    task: Option<ToTask>,
}

#[derive(Debug)]
struct ToTask {
    flushes: mpsc::Sender<Reply>,
    shutdown: oneshot::Sender<Reply>,
}

impl Pusher {
    /// Starts to push as OpenTelemetry's [variables](self#variables) say.
    ///
    /// Has to be called in a tokio runtime with time and I/O enabled, such as that of `#[tokio::main]`.
    ///
    /// # Errors
    ///
    /// Returns an [`Error`] if a variable asks for something that is not supported, or if there is no runtime.
    pub fn from_env(metrics: &GrpcMetrics) -> Result<Self, Error> {
        Self::builder(metrics).variables(true).start()
    }

    /// Returns a builder, with the defaults of OpenTelemetry's variables.
    pub fn builder(metrics: &GrpcMetrics) -> PusherBuilder {
        PusherBuilder {
            metrics: metrics.clone(),
            given: Given::default(),
            channel: None,
            variables: false,
        }
    }

    /// Pushes the current counts, after a push that is running.
    ///
    /// # Errors
    ///
    /// Returns a [`PushError`] if they do not arrive.
    pub async fn flush(&self) -> Result<(), PushError> {
        let Some(task) = &self.task else { return Ok(()) };
        let (reply, pushed) = oneshot::channel();
        task.flushes.send(reply).await.map_err(|_| PushError::Stopped)?;
        pushed.await.unwrap_or(Err(PushError::Stopped))
    }

    /// Pushes the current counts a last time, and ends. Takes no longer than the [timeout](PusherBuilder::timeout): a
    /// push that is running is abandoned.
    ///
    /// Call it after the server has shut down, so that the last RPCs are in it.
    ///
    /// # Errors
    ///
    /// Returns a [`PushError`] if they do not arrive.
    pub async fn shutdown(self) -> Result<(), PushError> {
        let Some(ToTask { shutdown, flushes }) = self.task else { return Ok(()) };
        let (reply, pushed) = oneshot::channel();
        shutdown.send(reply).map_err(|_| PushError::Stopped)?;
        let pushed = pushed.await.unwrap_or(Err(PushError::Stopped));
        drop(flushes);
        pushed
    }
}

/// A builder for a [`Pusher`]; see [`Pusher::builder`].
#[derive(Clone)]
#[must_use = "does nothing until `start` is called"]
pub struct PusherBuilder {
    metrics: GrpcMetrics,
    given: Given,
    channel: Option<Channel>,
    variables: bool,
}

impl fmt::Debug for PusherBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Without headers, which may be secret.
        let mut builder = f.debug_struct("PusherBuilder");
        builder.field("endpoint", &self.given.endpoint).finish_non_exhaustive()
    }
}

impl PusherBuilder {
    /// Sets whether OpenTelemetry's [variables](self#variables) are read, for what the program does not set. Default:
    /// no.
    pub fn variables(mut self, read: bool) -> Self {
        self.variables = read;
        self
    }

    /// Sets the collector's address, such as `http://collector:4317`. Default: `http://localhost:4317`.
    pub fn endpoint(mut self, endpoint: impl Into<String>) -> Self {
        self.given.endpoint = Some(endpoint.into());
        self
    }

    /// Sets the channel to the collector, for TLS, a proxy or a Unix socket. There is no endpoint then.
    pub fn channel(mut self, channel: Channel) -> Self {
        self.given.has_channel = true;
        self.channel = Some(channel);
        self
    }

    /// Adds a header to the pushes, such as a key of the collector's.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.given.headers.push((name.into(), value.into()));
        self
    }

    /// Sets the time from one push to the next. The first one is after that time. Default: 60 seconds.
    pub fn interval(mut self, interval: Duration) -> Self {
        self.given.interval = Some(interval);
        self
    }

    /// Sets the time after which a push is abandoned. Default: 10 seconds.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.given.timeout = Some(timeout);
        self
    }

    /// Sets whether pushes are compressed with gzip. Default: no.
    pub fn gzip(mut self, compress: bool) -> Self {
        self.given.gzip = Some(compress);
        self
    }

    /// Sets whether pushes have exemplars, if the feature `opentelemetry` is enabled. Default: yes.
    pub fn exemplars(mut self, send: bool) -> Self {
        self.given.exemplars = Some(send);
        self
    }

    /// Sets the program's name, the attribute `service.name`. Default: `unknown_service:` and the name of the
    /// executable.
    pub fn service_name(self, name: impl Into<String>) -> Self {
        self.resource_attribute("service.name", name)
    }

    /// Adds an attribute of the program, such as `service.instance.id`.
    pub fn resource_attribute(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.given.resource.push((key.into(), value.into()));
        self
    }

    /// Starts to push.
    ///
    /// Has to be called in a tokio runtime with time and I/O enabled, such as that of `#[tokio::main]`.
    ///
    /// # Errors
    ///
    /// Returns an [`Error`] for the first invalid setting, or if there is no runtime.
    pub fn start(self) -> Result<Pusher, Error> {
        let lookup = |variable: &str| {
            let value = env::var_os(variable).filter(|_| self.variables)?;
            Some(value.to_string_lossy().into_owned())
        };
        let program = env::current_exe().ok();
        let program = program.as_ref().and_then(|path| path.file_name()?.to_str());
        let Some(settings) = Settings::new(&self.given, lookup, program)? else {
            return Ok(Pusher { task: None });
        };
        let runtime = Handle::try_current().map_err(|_| Error::NoRuntime)?;
        for warning in &settings.warnings {
            tracing::warn!("{warning}");
        }
        let Settings { endpoint, headers, timeout, gzip, .. } = settings;
        let task = Task {
            transport: Transport::new(self.channel, endpoint, headers, timeout, gzip)?,
            metrics: self.metrics,
            resource: settings.resource,
            exemplars: settings.exemplars,
            interval: settings.interval,
            timeout,
            state: State::default(),
        };
        let (to_task, orders) = channels();
        runtime.spawn(task.run(orders));
        Ok(Pusher { task: Some(to_task) })
    }
}

fn channels() -> (ToTask, Orders) {
    let (to_flush, flushes) = mpsc::channel(FLUSHES);
    let (to_shut_down, shutdown) = oneshot::channel();
    (ToTask { flushes: to_flush, shutdown: to_shut_down }, Orders { flushes, shutdown })
}
