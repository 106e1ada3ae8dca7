//! What changed between two snapshots, for tests.

use std::collections::BTreeMap;
use std::fmt;

use tonic::Code;

use super::snapshot::{MethodSnapshot, Snapshot};
use crate::catalog::{MethodKey, Side};
use crate::grpc::ALL_CODES;

/// What was counted between two snapshots, for tests of your own metrics; made by [`Snapshot::since`].
///
/// ```
/// use grpc_metrics_runtime::{GrpcMetrics, prometheus::Registry, tonic::Code};
///
/// # fn main() -> Result<(), grpc_metrics_runtime::Error> {
/// let metrics = GrpcMetrics::builder().registry(&Registry::new()).build()?;
/// let before = metrics.snapshot();
///
/// // In your test, a call of your client.
/// metrics.guard("shop.Orders", "Get").complete(Code::NotFound);
///
/// let diff = metrics.snapshot().since(&before);
/// assert_eq!(diff.requests(), [("shop.Orders", "Get", Code::NotFound, 1)]);
/// assert_eq!(diff.in_flight(), []);
/// # Ok(())
/// # }
/// ```
///
/// It holds only what changed. Each method returns its rows sorted, in the order of their fields. `Debug` and `Display`
/// have one line per change, so that `assert!(diff.is_empty(), "{diff}")` says what is wrong.
///
/// # An instance for each test
///
/// Tests of one program run in parallel, and without `metrics = …` they count in the same process-wide instance. So
/// give the service an instance as a field, and set `#[instrument_grpc(metrics = self.metrics)]`. Clients have
/// [`GrpcMetrics::client_layer`](crate::GrpcMetrics::client_layer). Otherwise, run each test in a process of its own, as
/// `cargo nextest` does, or one at a time.
///
/// # When an RPC is counted
///
/// A client that has got an RPC's status from the server finds it counted, including its cause. For a client that cancels
/// the RPC, drops its response stream, or gives up after a timeout of its own (tonic's client does with
/// `Request::set_timeout`), await [`GrpcMetrics::settled`](crate::GrpcMetrics::settled).
#[derive(Clone, PartialEq, Eq)]
pub struct SnapshotDiff {
    changes: BTreeMap<(MethodKey, Count), i64>,
}

/// What is counted of a method. Codes are numbers, which have an order.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Count {
    Requests(i32),
    ByLabel(String, i32),
    Error(i32, &'static str),
    Edge([&'static str; 2], i32),
    Started,
    InFlight,
    MessagesSent,
    MessagesReceived,
}

impl Snapshot {
    /// Returns what was counted since an earlier snapshot of the same instance.
    ///
    /// Methods that the earlier snapshot lacks had counted nothing. Counts that are lower than in the earlier snapshot
    /// are left out, except for RPCs in flight. So if the snapshots are swapped, the diff has no requests.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> SnapshotDiff {
        let earlier: BTreeMap<_, _> = counts(earlier).collect();
        let changes = counts(self).filter_map(|(count, now)| {
            let before = earlier.get(&count).copied().unwrap_or(0);
            // Counts are far from the bounds of these types.
            let change = now.wrapping_sub(before).cast_signed();
            let changed = change > 0 || change < 0 && count.1 == Count::InFlight;
            changed.then_some((count, change))
        });
        SnapshotDiff { changes: changes.collect() }
    }

    /// Returns the number of RPCs of all methods, served and called, that have started and not ended.
    pub(crate) fn in_flight(&self) -> u64 {
        self.methods.iter().map(MethodSnapshot::in_flight).sum()
    }

    /// Returns the number of RPCs of all methods, served and called, that have started.
    pub(crate) fn started(&self) -> u64 {
        self.methods.iter().map(MethodSnapshot::started).sum()
    }
}

fn counts(snapshot: &Snapshot) -> impl Iterator<Item = ((MethodKey, Count), u64)> {
    snapshot.methods.iter().flat_map(|method| {
        let key = method.key;
        counts_of(method).into_iter().map(move |(count, n)| ((key, count), n))
    })
}

fn counts_of(method: &MethodSnapshot) -> Vec<(Count, u64)> {
    let mut counts = vec![
        (Count::Started, method.started()),
        (Count::InFlight, method.in_flight()),
        (Count::MessagesSent, method.messages_sent()),
        (Count::MessagesReceived, method.messages_received().unwrap_or(0)),
    ];
    let requests = ALL_CODES.map(|code| (Count::Requests(code as i32), method.requests(code)));
    counts.extend(requests);
    counts.extend(
        method
            .requests_by_label()
            .map(|(value, code, n)| (Count::ByLabel(value.to_owned(), code as i32), n)),
    );
    let errors = method.errors().iter();
    counts.extend(errors.map(|error| (Count::Error(error.code as i32, error.cause), error.count)));
    counts.extend(method.edges().iter().map(|edge| {
        let caller = [edge.caller_service, edge.caller_method];
        (Count::Edge(caller, edge.code as i32), edge.count)
    }));
    counts
}

/// Service and method.
type Labels = (&'static str, &'static str);

impl SnapshotDiff {
    /// Returns whether nothing changed.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// Keeps only the calls to the upstream with this name. Without it, the calls of a method to all upstreams are added
    /// up.
    #[must_use]
    pub fn of_target(mut self, target: &str) -> Self {
        self.changes.retain(|(key, _), _| key.target() == Some(target));
        self
    }

    /// Returns the RPCs that ended: service, method, code, number.
    pub fn requests(&self) -> Vec<(&'static str, &'static str, Code, u64)> {
        self.requests_of(Side::Server)
    }

    /// Returns the RPCs that ended, by the value of the program's [label](crate::GrpcMetricsBuilder::label): service,
    /// method, value, code, number. Empty if there is no label.
    pub fn requests_by_label(&self) -> Vec<(&'static str, &'static str, &str, Code, u64)> {
        let rows = self.rows(Side::Server, |count| match count {
            Count::ByLabel(value, code) => Some((&**value, Code::from(*code))),
            _ => None,
        });
        let row =
            |((service, method), (value, code), n)| (service, method, value, code, unsigned(n));
        rows.map(row).collect()
    }

    /// Returns the RPCs that ended with an error whose cause is known: service, method, code, cause, number.
    pub fn errors(&self) -> Vec<(&'static str, &'static str, Code, &'static str, u64)> {
        let rows = self.rows(Side::Server, |count| match count {
            Count::Error(code, cause) => Some((Code::from(*code), *cause)),
            _ => None,
        });
        let row =
            |((service, method), (code, cause), n)| (service, method, code, cause, unsigned(n));
        rows.map(row).collect()
    }

    /// Returns the RPCs that started: service, method, number.
    pub fn started(&self) -> Vec<(&'static str, &'static str, u64)> {
        self.of_methods(Side::Server, &Count::Started, unsigned)
    }

    /// Returns by how much the number of RPCs in flight changed: service, method, change.
    pub fn in_flight(&self) -> Vec<(&'static str, &'static str, i64)> {
        self.of_methods(Side::Server, &Count::InFlight, |change| change)
    }

    /// Returns the messages sent on response streams: service, method, number.
    pub fn messages_sent(&self) -> Vec<(&'static str, &'static str, u64)> {
        self.of_methods(Side::Server, &Count::MessagesSent, unsigned)
    }

    /// Returns the messages received on request streams, which the [server layer](crate::server_layer) counts: service,
    /// method, number.
    pub fn messages_received(&self) -> Vec<(&'static str, &'static str, u64)> {
        self.of_methods(Side::Server, &Count::MessagesReceived, unsigned)
    }

    /// Returns the [calls](crate::client) that ended: service, method, code, number.
    pub fn client_requests(&self) -> Vec<(&'static str, &'static str, Code, u64)> {
        self.requests_of(Side::Client)
    }

    /// Returns the calls that started: service, method, number.
    pub fn client_started(&self) -> Vec<(&'static str, &'static str, u64)> {
        self.of_methods(Side::Client, &Count::Started, unsigned)
    }

    /// Returns by how much the number of calls in flight changed: service, method, change.
    pub fn client_in_flight(&self) -> Vec<(&'static str, &'static str, i64)> {
        self.of_methods(Side::Client, &Count::InFlight, |change| change)
    }

    /// Returns the messages sent on request streams of calls: service, method, number.
    pub fn client_messages_sent(&self) -> Vec<(&'static str, &'static str, u64)> {
        self.of_methods(Side::Client, &Count::MessagesSent, unsigned)
    }

    /// Returns the messages received on response streams of calls: service, method, number.
    pub fn client_messages_received(&self) -> Vec<(&'static str, &'static str, u64)> {
        self.of_methods(Side::Client, &Count::MessagesReceived, unsigned)
    }

    /// Returns the calls that a handler made and that ended: the handler's service and method, service, method, code,
    /// number.
    #[allow(clippy::type_complexity)] // a row, to be compared with a literal
    pub fn edges(
        &self,
    ) -> Vec<(&'static str, &'static str, &'static str, &'static str, Code, u64)> {
        let rows = self.rows(Side::Client, |count| match count {
            Count::Edge(caller, code) => Some((*caller, Code::from(*code))),
            _ => None,
        });
        let row = |((service, method), (caller, code), n): (Labels, ([_; 2], _), _)| {
            let [caller_service, caller_method] = caller;
            (caller_service, caller_method, service, method, code, unsigned(n))
        };
        let mut edges: Vec<_> = rows.map(row).collect();
        edges.sort_by_key(|(caller, of, service, method, ..)| (*caller, *of, *service, *method));
        edges
    }

    fn requests_of(&self, side: Side) -> Vec<(&'static str, &'static str, Code, u64)> {
        let rows = self.rows(side, |count| match count {
            Count::Requests(code) => Some(Code::from(*code)),
            _ => None,
        });
        rows.map(|((service, method), code, n)| (service, method, code, unsigned(n))).collect()
    }

    /// Returns the changes of a count that a method has one of.
    fn of_methods<N>(
        &self,
        side: Side,
        of: &Count,
        number: fn(i64) -> N,
    ) -> Vec<(&'static str, &'static str, N)> {
        let rows = self.rows(side, |count| (count == of).then_some(()));
        rows.map(|((service, method), (), n)| (service, method, number(n))).collect()
    }

    /// Returns the changes of the counts for which `pick` returns their fields, sorted, of all targets together.
    fn rows<'a, T>(
        &'a self,
        side: Side,
        pick: impl Fn(&'a Count) -> Option<T>,
    ) -> impl Iterator<Item = (Labels, T, i64)> {
        let mut sums: BTreeMap<_, i64> = BTreeMap::new();
        for ((key, count), change) in &self.changes {
            if key.side == side {
                *sums.entry((key.service, key.method, count)).or_default() += change;
            }
        }
        let changed = sums.into_iter().filter(|(_, change)| *change != 0);
        changed.filter_map(move |((service, method, count), change)| {
            Some(((service, method), pick(count)?, change))
        })
    }
}

/// All counts but those of RPCs in flight only grow.
fn unsigned(change: i64) -> u64 {
    change.unsigned_abs()
}

/// One line per change.
impl fmt::Display for SnapshotDiff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return f.write_str("no change");
        }
        for (i, ((key, count), change)) in self.changes.iter().enumerate() {
            if i > 0 {
                f.write_str("\n")?;
            }
            let MethodKey { side, service, method, .. } = key;
            if *side == Side::Client {
                f.write_str("client ")?;
            }
            write!(f, "{service}/{method}")?;
            if let Some(target) = key.target() {
                write!(f, " at {target}")?;
            }
            write!(f, ": {count} {change:+}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Requests(code) => write!(f, "requests {:?}", Code::from(*code)),
            Self::ByLabel(value, code) => {
                write!(f, "requests {:?} labelled {value:?}", Code::from(*code))
            }
            Self::Error(code, cause) => write!(f, "errors {:?} {cause}", Code::from(*code)),
            Self::Edge([service, method], code) => {
                write!(f, "requests {:?} by {service}/{method}", Code::from(*code))
            }
            Self::Started => f.write_str("started"),
            Self::InFlight => f.write_str("in flight"),
            Self::MessagesSent => f.write_str("messages sent"),
            Self::MessagesReceived => f.write_str("messages received"),
        }
    }
}

/// As `Display`, since that is what a failed `assert_eq!` shows.
impl fmt::Debug for SnapshotDiff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SnapshotDiff")?;
        self.to_string().lines().try_for_each(|line| write!(f, "\n    {line}"))
    }
}
