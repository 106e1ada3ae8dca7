//! The process-wide [`GrpcMetrics`]: who makes it, and how it comes to be registered.

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
    /// Set when the registry has been asked to take it; when it was installed, its builder has seen to that.
    registered: OnceLock<()>,
}

/// How long the first use waits for the registry.
const REGISTRATION_TIMEOUT: Duration = Duration::from_secs(1);

impl GrpcMetrics {
    /// The process-wide instance: the installed one, or else one with the default settings, made and
    /// registered in [`prometheus::default_registry`] now.
    ///
    /// A program that serves a registry by itself calls this once at start-up, so that the series are
    /// there before the first RPC. [`http`](crate::http) does it for you.
    ///
    /// What would be an error from the builder is one line on stderr here, since nobody is there to take
    /// it: impls that share a service label are counted together; metrics whose names are taken are
    /// counted and not shown.
    ///
    /// While a scrape of that registry is going on, registering has to wait for its end. The first call of
    /// this waits for a second at most, and RPCs are counted from then on.
    pub fn global() -> &'static Self {
        let global = GLOBAL.get_or_init(|| {
            let registry = prometheus::default_registry().clone();
            let metrics = Self::new(Settings::default(), registry);
            metrics.instance().mark_global();
            Global { metrics, registered: OnceLock::new() }
        });
        // Once it is seen by all: nothing that goes wrong with the registry changes where RPCs count.
        global.registered.get_or_init(|| register(&global.metrics));
        &global.metrics
    }

    /// The process-wide instance, if there is one already: installed, or made by [`global`](GrpcMetrics::global) or by
    /// the first RPC.
    pub fn try_global() -> Option<&'static Self> {
        GLOBAL.get().map(|global| &global.metrics)
    }

    /// Makes this instance the process-wide one.
    ///
    /// # Errors
    ///
    /// [`Error::AlreadyInstalled`] if there is one: installed before, or made by
    /// [`global`](GrpcMetrics::global).
    pub fn install(self) -> Result<&'static Self, Error> {
        let mut installed = false;
        let global = GLOBAL.get_or_init(|| {
            installed = true;
            self.instance().mark_global();
            Global { metrics: self, registered: OnceLock::from(()) }
        });
        if installed { Ok(&global.metrics) } else { Err(Error::AlreadyInstalled) }
    }

    /// The counters of an instrumented method in the process-wide instance, looked up by the first call
    /// only and leaked then, since the method is a static and for ever too.
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

/// Registers from a thread of its own. The first use may stand in a collector that a scrape is just asking;
/// then this very thread holds the registry's lock, and would wait for itself.
fn register(metrics: &'static GrpcMetrics) {
    let (done, registered) = channel::<()>();
    let registering = thread::Builder::new().name("grpc-metrics".to_owned()).spawn(move || {
        register_here(metrics);
        drop(done);
    });
    match registering {
        // Hears nothing but the drop of `done`, or that it is not yet.
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
