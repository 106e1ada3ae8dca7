//! The visitor of a snapshot's series, shared by all exporters.

use std::borrow::Cow;
use std::mem;

use tonic::Code;

use super::families::FamilyId;
use super::schema::{Family, Schema};
use crate::catalog::Side;
#[cfg(feature = "opentelemetry")]
use crate::counters::Exemplar;
#[cfg(feature = "native-histograms")]
use crate::counters::NativeCounts;
use crate::counters::{Counts, EdgeCount, LabelValue};
use crate::grpc::MethodKind;
use crate::instance::{MethodSnapshot, Snapshot};

/// The labels of a series, without constant labels and the registry's labels.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Labels<'a> {
    family: &'a Family,
    method: &'a [Cow<'a, str>],
    own: &'a [&'a str],
    is_first: bool,
}

impl<'a> Labels<'a> {
    /// Returns the labels of the method, then the family's own.
    pub(crate) fn pairs(self) -> impl Iterator<Item = (&'a str, &'a str)> {
        let own = self.family.labels().iter().zip(self.own);
        self.of_method().chain(own.map(|(name, value)| (name.as_str(), *value)))
    }

    /// Returns the labels of the method.
    pub(crate) fn of_method(self) -> impl Iterator<Item = (&'a str, &'a str)> {
        let method = self.family.method_labels().iter().zip(self.method);
        method.map(|(name, value)| (name.as_str(), &**value))
    }

    /// Returns the values of the family's own labels.
    pub(crate) fn own(self) -> &'a [&'a str] {
        self.own
    }

    /// Returns whether the series is the first one of its method in this visit. The others have the same labels of the
    /// method.
    pub(crate) fn are_first_of_method(self) -> bool {
        self.is_first
    }

    /// Returns whether labels of the client's upstream are missing.
    pub(super) fn lack_upstream(self) -> bool {
        self.method.len() < self.family.method_labels().len()
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
    /// If the instance has native buckets.
    #[cfg(feature = "native-histograms")]
    pub(crate) native: Option<&'a NativeCounts>,
}

impl Histogram<'_> {
    /// Returns the exemplar of a bucket that has counted.
    #[cfg(feature = "opentelemetry")]
    pub(crate) fn exemplar(&self, bucket: usize) -> Option<Exemplar> {
        let below = bucket.checked_sub(1).map_or(0, |before| self.cumulative[before]);
        // Exemplars are read after the counts, so an RPC that ended in between may have one in an empty bucket.
        let is_empty = self.cumulative[bucket] == below;
        self.exemplars.get(bucket).copied().flatten().filter(|_| !is_empty)
    }

    pub(crate) fn count(&self) -> u64 {
        self.cumulative.last().copied().unwrap_or(0)
    }
}

impl Schema {
    /// Calls `visit` for each series of the family, sorted as in a scrape: by the labels of the method, and the
    /// family's own labels.
    pub(crate) fn visit(
        &self,
        family: &Family,
        snapshot: &Snapshot,
        mut visit: impl FnMut(Labels<'_>, Value<'_>),
    ) {
        for labelled in self.labelled(family, snapshot) {
            self.visit_method(family, labelled.method, labelled.values(), &mut visit);
        }
    }

    /// Returns whether the family has any series.
    pub(super) fn has_series(&self, family: &Family, snapshot: &Snapshot) -> bool {
        // In any order: the first one that is found is enough.
        snapshot.of_side(family.side()).iter().any(|method| {
            let mut any = false;
            self.visit_method(family, method, &[], |_, _| any = true);
            any
        })
    }

    fn visit_method(
        &self,
        family: &Family,
        method: &MethodSnapshot,
        values: &[Cow<'_, str>],
        mut visit: impl FnMut(Labels<'_>, Value<'_>),
    ) {
        let mut is_first = true;
        let mut series = |own: &[&str], value: Value<'_>| {
            let is_first = mem::take(&mut is_first);
            visit(Labels { family, method: values, own, is_first }, value);
        };
        match family.id() {
            FamilyId::Requests => {
                parts(family, method, |parts| self.requests(parts, &mut series));
            }
            FamilyId::Errors => {
                for (code, label) in self.codes() {
                    for error in method.errors().iter().filter(|error| error.code == *code) {
                        series(&[label, error.cause], Value::Count(error.count));
                    }
                }
            }
            FamilyId::Duration | FamilyId::CallDuration => {
                let exemplars = Exemplars::of(method);
                parts(family, method, |parts| {
                    self.histograms(family, parts, to_seconds, exemplars, &mut series);
                });
            }
            FamilyId::InFlight => series(&[], Value::Count(method.in_flight())),
            FamilyId::Started => series(&[], Value::Count(method.started())),
            FamilyId::MethodInfo => {
                if let Some(kind) = method.known_kind() {
                    series(&[kind.as_str()], Value::Count(1));
                }
            }
            FamilyId::MessagesSent | FamilyId::MessagesReceived => {
                if let Some(messages) = self.messages(family, method) {
                    series(&[], Value::Count(messages));
                }
            }
            FamilyId::RequestSize | FamilyId::ResponseSize => {
                if let Some(sizes) = method.sizes() {
                    let is_request = family.id() == FamilyId::RequestSize;
                    let counts = if is_request { &sizes.requests } else { &sizes.responses };
                    let parts = [Part { value: None, counts }];
                    self.histograms(family, &parts, to_f64, Exemplars::NONE, &mut series);
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

    /// Calls `series` for each code and part that has requests or starts at 0.
    fn requests(&self, parts: &[Part<'_>], mut series: impl FnMut(&[&str], Value<'_>)) {
        for (code, label) in self.codes() {
            for Part { value, counts } in parts {
                let requests = counts.with_code(*code as usize);
                if requests == 0 && !self.starts_at_zero(*code) {
                    continue;
                }
                match value {
                    None => series(&[label], Value::Count(requests)),
                    Some((_, text)) => series(&[label, text], Value::Count(requests)),
                }
            }
        }
    }

    /// Calls `series` for one histogram of each part, or one for each code and part.
    fn histograms(
        &self,
        family: &Family,
        parts: &[Part<'_>],
        unit: fn(u64) -> f64,
        exemplars: Exemplars<'_>,
        mut series: impl FnMut(&[&str], Value<'_>),
    ) {
        let mut cumulative = Vec::new();
        let mut histogram = |own: &[&str],
                             code: Option<Code>,
                             counts: &Counts,
                             (sum, buckets): (u64, &[u64]),
                             exemplars: Exemplars<'_>| {
            accumulate(buckets, &mut cumulative);
            #[cfg(feature = "native-histograms")]
            let native = counts.native(code.map(|code| code as usize));
            #[cfg(not(feature = "native-histograms"))]
            let _ = (code, counts);
            let histogram = Histogram {
                cumulative: &cumulative,
                sum: unit(sum),
                #[cfg(feature = "opentelemetry")]
                exemplars: exemplars.0,
                #[cfg(feature = "native-histograms")]
                native: native.as_ref(),
            };
            #[cfg(not(feature = "opentelemetry"))]
            let _ = exemplars;
            series(own, Value::Histogram(histogram));
        };
        if !family.has_code() {
            for Part { value, counts } in parts {
                let row = (counts.sum_nanos(), &*counts.per_bucket());
                let own: Vec<_> = value.iter().map(|(_, text)| *text).collect();
                let of_value = value.map(|(value, _)| value);
                exemplars.matching(None, of_value, |exemplars| {
                    histogram(&own, None, counts, row, exemplars);
                });
            }
            return;
        }
        let none = vec![0; self.bounds(family).len() + 1];
        for (code, label) in self.codes() {
            let error = if self.is_failure(family.side(), *code) { *label } else { "" };
            let error = self.error_type(family.id()).map(|_| error);
            for Part { value, counts } in parts {
                let row = counts.row(*code as usize);
                let (sum, buckets) = row.unwrap_or((0, &none));
                if !self.starts_at_zero(*code) && buckets.iter().all(|count| *count == 0) {
                    continue;
                }
                let text = value.map(|(_, text)| text);
                let own: Vec<_> = [Some(*label), error, text].into_iter().flatten().collect();
                let of_value = value.map(|(value, _)| value);
                exemplars.matching(Some(*code), of_value, |exemplars| {
                    histogram(&own, Some(*code), counts, (sum, buckets), exemplars);
                });
            }
        }
    }

    /// Returns the messages that a family of messages shows; `None` if they can't be counted or are not a stream's.
    fn messages(&self, family: &Family, method: &MethodSnapshot) -> Option<u64> {
        let side = family.side();
        let is_sent = family.id() == FamilyId::MessagesSent;
        let streamed = if is_sent {
            method.counts_messages_sent().then(|| method.messages_sent())
        } else {
            method.messages_received()
        };
        if !self.naming().all_messages {
            return streamed;
        }
        let is_request = is_sent == (side == Side::Client);
        // A kind that is not known counts as this side counts it.
        let kind = method.known_kind();
        let streams =
            if is_request { MethodKind::client_streams } else { MethodKind::server_streams };
        if kind.map_or(side == Side::Client, streams) {
            return streamed;
        }
        Some(match (is_request, method.sizes()) {
            // A layer sees whether they have come.
            (true, Some(sizes)) if side == Side::Server => sizes.messages_received(),
            (true, _) => method.started(),
            (false, _) => method.requests(Code::Ok),
        })
    }
}

/// The counts of a method, or those of one value of the program's label.
#[derive(Clone, Copy)]
struct Part<'a> {
    value: Option<(LabelValue, &'a str)>,
    counts: &'a Counts,
}

/// Calls `with` with the parts of a method that the family tells apart, sorted by value.
fn parts<'a>(family: &Family, method: &'a MethodSnapshot, with: impl FnOnce(&[Part<'a>])) {
    if !family.has_label() {
        return with(&[Part { value: None, counts: method.counts() }]);
    }
    let by_value = method.by_value();
    let parts = by_value.map(|(value, text, counts)| Part { value: Some((value, text)), counts });
    with(&parts.collect::<Vec<_>>());
}

/// The exemplars of a histogram's buckets.
#[derive(Clone, Copy)]
struct Exemplars<'a>(
    #[cfg(feature = "opentelemetry")] &'a [Option<Exemplar>],
    #[cfg(not(feature = "opentelemetry"))] std::marker::PhantomData<&'a ()>,
);

#[cfg(feature = "opentelemetry")]
impl<'a> Exemplars<'a> {
    const NONE: Self = Self(&[]);

    fn of(method: &'a MethodSnapshot) -> Self {
        Self(method.exemplars())
    }

    /// Calls `with` with those whose RPCs ended with this code and this value of the program's label, if given.
    fn matching(
        self,
        code: Option<Code>,
        value: Option<LabelValue>,
        with: impl FnOnce(Exemplars<'_>),
    ) {
        if code.is_none() && value.is_none() {
            return with(self);
        }
        let matches = |exemplar: &Exemplar| {
            code.is_none_or(|code| exemplar.code == code)
                && value.is_none_or(|value| exemplar.label == value)
        };
        let matching: Vec<_> = self.0.iter().map(|exemplar| exemplar.filter(matches)).collect();
        with(Exemplars(&matching));
    }
}

#[cfg(not(feature = "opentelemetry"))]
impl<'a> Exemplars<'a> {
    const NONE: Self = Self(std::marker::PhantomData);

    fn of(_: &'a MethodSnapshot) -> Self {
        Self::NONE
    }

    fn matching(self, _: Option<Code>, _: Option<LabelValue>, with: impl FnOnce(Self)) {
        with(self);
    }
}

/// Sums per code of nanoseconds are as exact as `f64` is.
fn to_seconds(nanos: u64) -> f64 {
    to_f64(nanos) / 1e9
}

/// Fills `cumulative`, whose memory is used again.
fn accumulate(counts: &[u64], cumulative: &mut Vec<u64>) {
    let mut below = 0;
    cumulative.clear();
    cumulative.extend(counts.iter().map(|count| {
        below += count;
        below
    }));
}

/// Exact below 2^53, which is how Prometheus stores every sample.
#[allow(clippy::cast_precision_loss)]
pub(super) fn to_f64(value: u64) -> f64 {
    value as f64
}
