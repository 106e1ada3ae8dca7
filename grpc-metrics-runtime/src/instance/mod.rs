//! An instance: settings, counters and snapshots. Independent of export formats.

mod settings;
mod slo;
mod snapshot;
mod table;

use std::sync::Arc;

use self::table::Table;
use crate::catalog::{self, Method, MethodKey};
use crate::counters::MethodCounters;
use crate::grpc::MethodKind;

pub use self::settings::DEFAULT_BUCKETS;
pub(crate) use self::settings::{Settings, to_nanos};
pub use self::slo::{Slo, SloCounts};
pub use self::snapshot::{Durations, MethodSnapshot, Snapshot};

/// The settings and counters of a [`GrpcMetrics`](crate::GrpcMetrics).
#[derive(Debug)]
pub(crate) struct Instance {
    settings: Settings,
    table: Table,
}

impl Instance {
    /// Creates an instance, and adds the program's latency objectives to the bucket bounds.
    pub(crate) fn new(settings: Settings) -> Self {
        let settings = settings.with_bounds(catalog::latency_objectives());
        let table = Table::new(&settings);
        Self { settings, table }
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Marks the instance as the process-wide one, which exposes all instrumented methods.
    pub(crate) fn mark_global(&self) {
        self.table.mark_global();
    }

    /// Shows the sizes of messages of all instrumented methods from now on.
    pub(crate) fn shows_sizes(&self) {
        self.table.shows_sizes();
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        self.table.snapshot()
    }

    /// Returns the counters of an instrumented method. Only the first lookup takes a lock.
    #[inline]
    pub(crate) fn method(&self, method: &Method) -> Arc<MethodCounters> {
        self.table.method(method)
    }

    /// Returns the counters with these labels. Guards and instrumented methods share them. `kind` applies only to a new
    /// method that is not instrumented.
    pub(crate) fn by_key(&self, key: MethodKey, kind: MethodKind) -> Arc<MethodCounters> {
        self.table.by_key(key, kind)
    }
}
