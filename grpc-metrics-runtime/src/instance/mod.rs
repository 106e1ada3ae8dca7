//! One set of metrics: its settings, its counters and how to read them. Does not know the formats that show it.

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

/// What a [`GrpcMetrics`](crate::GrpcMetrics) counts, and with which settings.
#[derive(Debug)]
pub(crate) struct Instance {
    settings: Settings,
    table: Table,
}

impl Instance {
    /// The latency objectives of the program are added to the bucket bounds.
    pub(crate) fn new(settings: Settings) -> Self {
        let settings = settings.with_bounds(catalog::latency_objectives());
        let table = Table::new(&settings);
        Self { settings, table }
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Shows all instrumented methods from now on, since their RPCs may come here.
    pub(crate) fn becomes_global(&self) {
        self.table.becomes_global();
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        self.table.snapshot()
    }

    /// The counters of an instrumented method: a lock at the first call, none later.
    #[inline]
    pub(crate) fn method(&self, method: &Method) -> Arc<MethodCounters> {
        self.table.method(method)
    }

    /// The counters under these labels, of an instrumented method or of a guard: they may be the same. `kind` holds for a
    /// method that is new here and not instrumented.
    pub(crate) fn named(&self, key: MethodKey, kind: MethodKind) -> Arc<MethodCounters> {
        self.table.named(key, kind)
    }
}
