//! The process-wide [`GrpcMetrics`].

use std::sync::OnceLock;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use super::warnings::{self, log_to_stderr};
use super::{Error, GrpcMetrics};
use crate::catalog::{self, Method};
use crate::counters::MethodCounters;
use crate::instance::Settings;

static GLOBAL: OnceLock<Global> = OnceLock::new();

struct Global {
    metrics: GrpcMetrics,
    /// Set after the attempt to register. An installed instance was registered by its builder.
    registered: OnceLock<()>,
}

/// How long the first use waits for the registry.
const REGISTRATION_TIMEOUT: Duration = Duration::from_secs(1);

impl GrpcMetrics {
    /// Returns the process-wide instance: the installed one, or else one with the default settings, which is created
    /// and registered in [`prometheus::default_registry`] on first use.
    ///
    /// If you serve a registry yourself, call this once at startup, so that the series exist before the first RPC.
    /// [`http`](crate::http) calls it for you.
    ///
    /// The errors of the builder are logged to stderr here, one line each, because there is no caller to return them
    /// to. Impls that share a service label are counted as one service. If the registry has metrics with the same
    /// names, RPCs are counted but not exposed.
    ///
    /// During a scrape of that registry, registration has to wait for the scrape to end. The first call waits up to one
    /// second and then returns; the registration completes after the scrape. RPCs are counted from the first call on.
    pub fn global() -> &'static Self {
        let global = GLOBAL.get_or_init(|| {
            let registry = prometheus::default_registry().clone();
            let metrics = Self::new(Settings::default(), registry);
            metrics.instance().mark_global();
            Global { metrics, registered: OnceLock::new() }
        });
        // After publishing the instance, so that RPCs are counted in it even if registration fails or blocks.
        global.registered.get_or_init(|| register(&global.metrics));
        &global.metrics
    }

    /// Returns the process-wide instance if there is one: it was installed, or created by
    /// [`global`](GrpcMetrics::global) or by the first RPC.
    pub fn try_global() -> Option<&'static Self> {
        GLOBAL.get().map(|global| &global.metrics)
    }

    /// Makes this instance the process-wide one.
    ///
    /// # Errors
    ///
    /// Returns [`Error::AlreadyInstalled`] if there is one, see [`try_global`](GrpcMetrics::try_global).
    pub fn install(self) -> Result<&'static Self, Error> {
        let mut installed = false;
        let global = GLOBAL.get_or_init(|| {
            installed = true;
            self.instance().mark_global();
            Global { metrics: self, registered: OnceLock::from(()) }
        });
        if installed { Ok(&global.metrics) } else { Err(Error::AlreadyInstalled) }
    }

    /// Returns the counters of an instrumented method in the process-wide instance. The first call looks them up and
    /// leaks a handle: both live as long as the process.
    #[inline]
    pub(crate) fn of_global(method: &'static Method) -> &'static MethodCounters {
        method.global.get().copied().unwrap_or_else(|| Self::find_global(method))
    }

    #[cold]
    fn find_global(method: &'static Method) -> &'static MethodCounters {
        let global = Self::global();
        method.global.get_or_init(|| Box::leak(Box::new(global.method(method))))
    }
}

/// Registers from another thread. The first use may be in a collector during a scrape. In that case the current thread
/// holds the registry's lock, and registering from it would deadlock.
fn register(metrics: &'static GrpcMetrics) {
    let (done, registered) = channel::<()>();
    let registering = thread::Builder::new().name("grpc-metrics".to_owned()).spawn(move || {
        register_here(metrics);
        drop(done);
    });
    match registering {
        // Returns when `done` is dropped, or after the timeout.
        Ok(_) => drop(registered.recv_timeout(REGISTRATION_TIMEOUT)),
        Err(_) => register_here(metrics),
    }
}

fn register_here(metrics: &GrpcMetrics) {
    for duplicate in catalog::duplicates() {
        log_to_stderr(&duplicate);
    }
    warnings::log_once();
    if let Err(error) = metrics.register() {
        log_to_stderr(&error);
    }
}
