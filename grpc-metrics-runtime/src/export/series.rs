//! The visitor of a snapshot's series, shared by all exporters.

use super::schema::{Family, FamilyId, METHOD_LABELS, Schema, TARGET_LABEL};
#[cfg(feature = "opentelemetry")]
use crate::counters::Exemplar;
use crate::counters::{EdgeCount, SizeCounts};
use crate::instance::{MethodSnapshot, Snapshot};

/// The labels of a series, without constant labels and the registry's labels.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Labels<'a> {
    method: &'a MethodSnapshot,
    names: &'static [&'static str],
    values: &'a [&'static str],
}

impl Labels<'_> {
    /// Returns the labels of all series of the method.
    pub(crate) fn method_pairs(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        let [service, method] = METHOD_LABELS;
        let labels = [(service, self.method.service()), (method, self.method.method())];
        labels.into_iter().chain(self.method.target().map(|target| (TARGET_LABEL, target)))
    }

    /// Returns the family's own labels.
    pub(crate) fn family_pairs(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        self.names.iter().copied().zip(self.values.iter().copied())
    }
}

/// The value of a series.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Value<'a> {
    Count(u64),
    Ratio(f64),
    Histogram(Histogram<'a>),
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Histogram<'a> {
    /// The cumulative counts of the buckets, the unbounded one last.
    pub(crate) cumulative: &'a [u64],
    /// The sum of durations in seconds.
    pub(crate) sum: f64,
    /// The exemplar of each bucket; empty if there are none.
    #[cfg(feature = "opentelemetry")]
    pub(crate) exemplars: &'a [Option<Exemplar>],
}

impl Histogram<'_> {
    pub(crate) fn count(&self) -> u64 {
        self.cumulative.last().copied().unwrap_or(0)
    }
}

impl Schema {
    /// Calls `visit` for each series of the family, sorted as in a scrape: by service, method, and the family's own
    /// labels.
    pub(crate) fn visit(
        &self,
        family: &Family,
        snapshot: &Snapshot,
        mut visit: impl FnMut(Labels<'_>, Value<'_>),
    ) {
        for method in snapshot.of_side(family.side()) {
            self.visit_method(family, method, &mut visit);
        }
    }

    /// Returns whether the family has any series.
    pub(super) fn has_series(&self, family: &Family, snapshot: &Snapshot) -> bool {
        snapshot.of_side(family.side()).iter().any(|method| {
            let mut any = false;
            self.visit_method(family, method, |_, _| any = true);
            any
        })
    }

    fn visit_method(
        &self,
        family: &Family,
        method: &MethodSnapshot,
        mut visit: impl FnMut(Labels<'_>, Value<'_>),
    ) {
        let names = family.labels();
        let mut series = |values: &[&'static str], value: Value<'_>| {
            visit(Labels { method, names, values }, value);
        };
        match family.id() {
            FamilyId::Requests => {
                for (code, label) in self.codes() {
                    let requests = method.requests(*code);
                    if requests > 0 || self.starts_at_zero(*code) {
                        series(&[label], Value::Count(requests));
                    }
                }
            }
            FamilyId::Errors => {
                for (code, label) in self.codes() {
                    for error in method.errors().iter().filter(|error| error.code == *code) {
                        series(&[label, error.cause], Value::Count(error.count));
                    }
                }
            }
            FamilyId::Duration => {
                let durations = method.durations();
                let cumulative = cumulative(durations.buckets().map(|(_, count)| count));
                let histogram = Histogram {
                    cumulative: &cumulative,
                    sum: durations.sum(),
                    #[cfg(feature = "opentelemetry")]
                    exemplars: method.exemplars(),
                };
                series(&[], Value::Histogram(histogram));
            }
            FamilyId::InFlight => series(&[], Value::Count(method.in_flight())),
            FamilyId::MethodInfo => {
                if let Some(kind) = method.known_kind() {
                    series(&[kind.as_str()], Value::Count(1));
                }
            }
            FamilyId::MessagesSent => {
                if method.counts_messages_sent() {
                    series(&[], Value::Count(method.messages_sent()));
                }
            }
            FamilyId::MessagesReceived => {
                if let Some(messages) = method.messages_received() {
                    series(&[], Value::Count(messages));
                }
            }
            id @ (FamilyId::RequestSize | FamilyId::ResponseSize) => {
                let is_request = id == FamilyId::RequestSize;
                let sizes =
                    if is_request { method.request_sizes() } else { method.response_sizes() };
                if let Some(SizeCounts { buckets, sum }) = sizes {
                    let cumulative = cumulative(buckets.iter().copied());
                    let histogram = Histogram {
                        cumulative: &cumulative,
                        sum: to_f64(*sum),
                        #[cfg(feature = "opentelemetry")]
                        exemplars: &[],
                    };
                    series(&[], Value::Histogram(histogram));
                }
            }
            FamilyId::EdgeRequests => {
                let caller = |edge: &EdgeCount| [edge.caller_service, edge.caller_method];
                for edges in method.edges().chunk_by(|a, b| caller(a) == caller(b)) {
                    for (code, label) in self.codes() {
                        for edge in edges.iter().filter(|edge| edge.code == *code) {
                            let [service, method] = caller(edge);
                            series(&[service, method, label], Value::Count(edge.count));
                        }
                    }
                }
            }
            id @ (FamilyId::SloEvents | FamilyId::SloBadEvents | FamilyId::SloObjective) => {
                for slo in method.slos() {
                    let value = match id {
                        FamilyId::SloEvents => Value::Count(slo.events),
                        FamilyId::SloBadEvents => Value::Count(slo.bad),
                        _ => Value::Ratio(slo.objective),
                    };
                    series(&[slo.slo.as_str()], value);
                }
            }
        }
    }
}

fn cumulative(counts: impl Iterator<Item = u64>) -> Vec<u64> {
    let mut below = 0;
    let cumulative = counts.map(|count| {
        below += count;
        below
    });
    cumulative.collect()
}

/// Exact below 2^53, which is how Prometheus stores every sample.
#[allow(clippy::cast_precision_loss)]
pub(super) fn to_f64(value: u64) -> f64 {
    value as f64
}
