//! The schema of an instance: names, types, labels and help of its families. Exporters, rules and the dashboard read
//! it.

use tonic::Code;

use crate::catalog::Side;
use crate::counters::SIZE_BOUNDS;
use crate::grpc::{ALL_CODES, CODES, CodeSet, FAULT_CODES};
use crate::instance::Settings;

/// The labels that every series has, in front of its family's own.
pub(crate) const METHOD_LABELS: [&str; 2] = ["service", "method"];

/// The label of client series whose program has named the upstream.
pub(crate) const TARGET_LABEL: &str = "target";

/// The identity of a family, independent of its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FamilyId {
    Requests,
    Errors,
    Duration,
    InFlight,
    MethodInfo,
    MessagesSent,
    MessagesReceived,
    RequestSize,
    ResponseSize,
    SloEvents,
    SloBadEvents,
    SloObjective,
    EdgeRequests,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FamilyType {
    Counter,
    Gauge,
    Histogram,
}

impl FamilyType {
    /// Returns the name of the type in both text formats.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// A row of the table.
#[derive(Debug)]
struct Row {
    side: Side,
    id: FamilyId,
    /// The name without the prefix.
    suffix: &'static str,
    ty: FamilyType,
    /// The labels after [`METHOD_LABELS`].
    labels: &'static [&'static str],
    help: &'static str,
}

/// Those of the server first, in the order of [`FamilyId`].
static ROWS: [Row; 19] = [
    Row {
        side: Side::Server,
        id: FamilyId::Requests,
        suffix: "requests_total",
        ty: FamilyType::Counter,
        labels: &["code"],
        help: "RPCs that ended, by gRPC status code.",
    },
    Row {
        side: Side::Server,
        id: FamilyId::Errors,
        suffix: "errors_total",
        ty: FamilyType::Counter,
        labels: &["code", "error"],
        help: "RPCs that ended with an error whose cause is known, by gRPC status code and cause.",
    },
    Row {
        side: Side::Server,
        id: FamilyId::Duration,
        suffix: "request_duration_seconds",
        ty: FamilyType::Histogram,
        labels: &[],
        help: "Time from the start of an RPC to its end; for a response stream, until the stream ends.",
    },
    Row {
        side: Side::Server,
        id: FamilyId::InFlight,
        suffix: "in_flight_requests",
        ty: FamilyType::Gauge,
        labels: &[],
        help: "RPCs that have started and not ended.",
    },
    Row {
        side: Side::Server,
        id: FamilyId::MethodInfo,
        suffix: "method_info",
        ty: FamilyType::Gauge,
        labels: &["type"],
        help: "1 for every method, with its kind: unary, client_stream, server_stream or bidi_stream.",
    },
    Row {
        side: Side::Server,
        id: FamilyId::MessagesSent,
        suffix: "stream_messages_sent_total",
        ty: FamilyType::Counter,
        labels: &[],
        help: "Messages sent on response streams.",
    },
    Row {
        side: Side::Server,
        id: FamilyId::MessagesReceived,
        suffix: "stream_messages_received_total",
        ty: FamilyType::Counter,
        labels: &[],
        help: "Messages received by request streams.",
    },
    Row {
        side: Side::Server,
        id: FamilyId::RequestSize,
        suffix: "request_size_bytes",
        ty: FamilyType::Histogram,
        labels: &[],
        help: "Bytes of an RPC's request messages as they travel.",
    },
    Row {
        side: Side::Server,
        id: FamilyId::ResponseSize,
        suffix: "response_size_bytes",
        ty: FamilyType::Histogram,
        labels: &[],
        help: "Bytes of an RPC's response messages as they travel.",
    },
    Row {
        side: Side::Server,
        id: FamilyId::SloEvents,
        suffix: "slo_events_total",
        ty: FamilyType::Counter,
        labels: &["slo"],
        help: "RPCs that ended, of methods with an objective.",
    },
    Row {
        side: Side::Server,
        id: FamilyId::SloBadEvents,
        suffix: "slo_bad_events_total",
        ty: FamilyType::Counter,
        labels: &["slo"],
        help: "RPCs that ended and missed the objective.",
    },
    Row {
        side: Side::Server,
        id: FamilyId::SloObjective,
        suffix: "slo_objective_ratio",
        ty: FamilyType::Gauge,
        labels: &["slo"],
        help: "The objective: the ratio of RPCs that have to be good.",
    },
    Row {
        side: Side::Client,
        id: FamilyId::Requests,
        suffix: "requests_total",
        ty: FamilyType::Counter,
        labels: &["code"],
        help: "Calls that ended, by gRPC status code.",
    },
    Row {
        side: Side::Client,
        id: FamilyId::Duration,
        suffix: "request_duration_seconds",
        ty: FamilyType::Histogram,
        labels: &[],
        help: "Time from the start of a call to its end; for a response stream, until the stream ends.",
    },
    Row {
        side: Side::Client,
        id: FamilyId::InFlight,
        suffix: "in_flight_requests",
        ty: FamilyType::Gauge,
        labels: &[],
        help: "Calls that have started and not ended.",
    },
    Row {
        side: Side::Client,
        id: FamilyId::MethodInfo,
        suffix: "method_info",
        ty: FamilyType::Gauge,
        labels: &["type"],
        help: "1 for every method that is called, with its kind: unary, client_stream, server_stream or bidi_stream.",
    },
    Row {
        side: Side::Client,
        id: FamilyId::MessagesSent,
        suffix: "stream_messages_sent_total",
        ty: FamilyType::Counter,
        labels: &[],
        help: "Messages sent on request streams.",
    },
    Row {
        side: Side::Client,
        id: FamilyId::MessagesReceived,
        suffix: "stream_messages_received_total",
        ty: FamilyType::Counter,
        labels: &[],
        help: "Messages received on response streams.",
    },
    Row {
        side: Side::Client,
        id: FamilyId::EdgeRequests,
        suffix: "edge_requests_total",
        ty: FamilyType::Counter,
        labels: &["caller_service", "caller_method", "code"],
        help: "Calls that ended, by the handler that made them and gRPC status code.",
    },
];

/// [`SIZE_BOUNDS`] as samples have them.
#[allow(clippy::cast_precision_loss)] // they are powers of two
static SIZES: [f64; SIZE_BOUNDS.len()] = {
    let mut sizes = [0.0; SIZE_BOUNDS.len()];
    let mut i = 0;
    while i < sizes.len() {
        sizes[i] = SIZE_BOUNDS[i] as f64;
        i += 1;
    }
    sizes
};

/// The table with an instance's settings applied.
#[derive(Debug)]
pub(crate) struct Schema {
    families: [Family; ROWS.len()],
    const_labels: Vec<(String, String)>,
    /// Upper bounds of the duration's buckets in seconds, without the unbounded one.
    bounds: Vec<f64>,
    /// The codes with their labels, sorted by label.
    codes: [(Code, &'static str); CODES],
    /// The codes whose series start at 0: OK and the server-fault codes. For a counter that starts at 1, `rate()`
    /// misses the first increase.
    starts_at_zero: CodeSet,
}

/// A family with its full name.
#[derive(Debug)]
pub(crate) struct Family {
    pub(crate) name: String,
    row: &'static Row,
}

impl Family {
    /// Returns whose series the family has.
    pub(crate) fn side(&self) -> Side {
        self.row.side
    }

    pub(crate) fn id(&self) -> FamilyId {
        self.row.id
    }

    pub(crate) fn ty(&self) -> FamilyType {
        self.row.ty
    }

    pub(crate) fn help(&self) -> &'static str {
        self.row.help
    }

    /// Returns the labels after [`METHOD_LABELS`].
    pub(crate) fn labels(&self) -> &'static [&'static str] {
        self.row.labels
    }
}

impl Schema {
    pub(crate) fn new(settings: &Settings) -> Self {
        let family = |row: &'static Row| {
            let prefix = match row.side {
                Side::Server => settings.prefix.clone(),
                Side::Client => settings.client_prefix(),
            };
            Family { name: format!("{prefix}_{}", row.suffix), row }
        };
        let const_labels = settings.const_labels.iter();
        let mut codes = ALL_CODES.map(|code| (code, settings.code_label.spell(code)));
        codes.sort_by_key(|(_, label)| *label);
        // Includes the default fault codes, so that the setting removes no series.
        let faults = settings.fault_codes.iter().chain(FAULT_CODES);
        Self {
            families: ROWS.each_ref().map(family),
            const_labels: const_labels.map(|(name, value)| (name.clone(), value.clone())).collect(),
            bounds: settings.buckets.clone(),
            codes,
            starts_at_zero: faults.chain([Code::Ok]).collect(),
        }
    }

    pub(crate) fn families(&self) -> &[Family] {
        &self.families
    }

    /// Returns a family of the server's.
    #[cfg(feature = "monitoring")]
    pub(crate) fn family(&self, id: FamilyId) -> &Family {
        &self.families[id as usize]
    }

    /// Returns a family of the client's.
    ///
    /// # Panics
    ///
    /// Panics if the client has no such family. The rules and the dashboard ask for those that it has.
    #[cfg(feature = "monitoring")]
    pub(crate) fn client_family(&self, id: FamilyId) -> &Family {
        let mut families = self.families.iter();
        let family = families.find(|family| family.side() == Side::Client && family.id() == id);
        family.expect("a family of the client's")
    }

    pub(crate) fn const_labels(&self) -> &[(String, String)] {
        &self.const_labels
    }

    /// The upper bounds of a histogram's buckets, without the unbounded one.
    pub(crate) fn bounds(&self, family: &Family) -> &[f64] {
        match family.id() {
            FamilyId::RequestSize | FamilyId::ResponseSize => &SIZES,
            _ => &self.bounds,
        }
    }

    pub(super) fn codes(&self) -> &[(Code, &'static str)] {
        &self.codes
    }

    pub(super) fn starts_at_zero(&self, code: Code) -> bool {
        self.starts_at_zero.contains(code)
    }
}

#[cfg(all(test, feature = "monitoring"))]
mod tests {
    use super::*;

    #[test]
    fn a_family_is_found_by_its_id() {
        let schema = Schema::new(&Settings::default());
        for family in schema.families() {
            let found = match family.side() {
                Side::Server => schema.family(family.id()),
                Side::Client => schema.client_family(family.id()),
            };
            assert_eq!(found.name, family.name);
        }
    }
}
