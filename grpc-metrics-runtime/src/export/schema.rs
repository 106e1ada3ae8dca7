//! The schema of an instance: its families in its naming. Exporters, rules and the dashboard read it.

use std::collections::BTreeSet;

use tonic::Code;

#[cfg(feature = "otlp")]
use super::dialects::Convention;
use super::dialects::{DEFAULT_TARGET, Dialect, dialect};
use super::families::{CODE, FamilyId, FamilyType, METHOD, ROWS, Row, SERVICE, TYPE};
use crate::catalog::Side;
use crate::counters::SIZE_BOUNDS;
use crate::grpc::{ALL_CODES, CODES, CodeSet, FAULT_CODES};
use crate::instance::{LabelSettings, NamingSettings, Settings};

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

/// The families with an instance's settings applied.
#[derive(Debug)]
pub(crate) struct Schema {
    families: Vec<Family>,
    dialect: &'static Dialect,
    naming: NamingSettings,
    label: Option<LabelSettings>,
    const_labels: Vec<(String, String)>,
    /// Upper bounds of the duration's buckets in seconds, without the unbounded one.
    bounds: Vec<f64>,
    /// The codes with their labels, sorted by label.
    codes: [(Code, &'static str); CODES],
    /// The codes whose series start at 0: OK and the server-fault codes. For a counter that starts at 1, `rate()`
    /// misses the first increase.
    starts_at_zero: CodeSet,
    faults: CodeSet,
}

/// A family in the instance's naming.
#[derive(Debug)]
pub(crate) struct Family {
    pub(crate) name: String,
    row: &'static Row,
    /// Whether the naming defines the family.
    is_dialects: bool,
    /// Whether RPCs are told apart by code.
    has_code: bool,
    /// Whether RPCs are told apart by the program's label.
    has_label: bool,
    method_labels: Vec<String>,
    labels: Vec<String>,
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

    /// Returns the unit of the values as UCUM spells it; `""` for counts.
    #[cfg(feature = "otlp")]
    pub(crate) fn unit(&self) -> &'static str {
        match self.id() {
            FamilyId::Duration | FamilyId::CallDuration => "s",
            FamilyId::RequestSize | FamilyId::ResponseSize => "By",
            FamilyId::SloObjective => "1",
            _ => "",
        }
    }

    /// Returns whether the naming defines the family.
    pub(crate) fn is_dialects(&self) -> bool {
        self.is_dialects
    }

    /// Returns whether RPCs are told apart by code.
    pub(crate) fn has_code(&self) -> bool {
        self.has_code
    }

    /// Returns whether RPCs are told apart by the program's label, which is the last one.
    pub(crate) fn has_label(&self) -> bool {
        self.has_label
    }

    /// Returns the labels that tell methods apart. The last ones are those of the client's upstream, which not all
    /// series have.
    pub(crate) fn method_labels(&self) -> &[String] {
        &self.method_labels
    }

    /// Returns the labels after those of the method.
    pub(crate) fn labels(&self) -> &[String] {
        &self.labels
    }
}

impl Schema {
    pub(crate) fn new(settings: &Settings) -> Self {
        let naming = settings.naming.clone();
        let dialect = dialect(naming.naming);
        let const_labels = settings.const_labels.iter();
        let mut codes = ALL_CODES.map(|code| (code, settings.code_label.spell(code)));
        codes.sort_by_key(|(_, label)| *label);
        // Includes the default fault codes, so that the setting removes no series.
        let faults = settings.fault_codes.iter().chain(FAULT_CODES);
        let others = naming.codes_at_zero.into_iter().flat_map(CodeSet::iter);
        let mut schema = Self {
            families: Vec::new(),
            dialect,
            const_labels: const_labels.map(|(name, value)| (name.clone(), value.clone())).collect(),
            bounds: settings.buckets.clone(),
            codes,
            starts_at_zero: faults.chain(others).chain([Code::Ok]).collect(),
            faults: settings.fault_codes,
            label: settings.label.clone(),
            naming,
        };
        let prefixes = [settings.prefix.clone(), settings.client_prefix()];
        schema.families = ROWS.iter().filter_map(|row| schema.family_of(row, &prefixes)).collect();
        schema
    }

    /// Returns the family of a row, unless the naming has none.
    fn family_of(&self, row: &'static Row, [server, client]: &[String; 2]) -> Option<Family> {
        let (side, id) = (row.side, row.id);
        let defined = self.dialect.family(side, id);
        let set = self.naming.metrics.iter().find(|(default, _)| default == row.suffix);
        let set = set.map(|(_, name)| name.as_str());
        let is_shown = match id {
            FamilyId::Started => defined.or(set).is_some(),
            FamilyId::CallDuration => defined.is_some(),
            FamilyId::RequestSize | FamilyId::ResponseSize if side == Side::Client => {
                defined.is_some()
            }
            FamilyId::Requests => self.counts_requests(side),
            _ => true,
        };
        if !is_shown {
            return None;
        }
        let prefix = if side == Side::Server { server } else { client };
        let suffix = set.or(defined).unwrap_or(row.suffix);
        let has_code = row.labels.contains(&CODE) || self.splits_by_code(row);
        let mut labels: Vec<_> = row
            .labels
            .iter()
            .filter(|label| **label != TYPE || !self.naming.form.type_on_all)
            .map(|label| self.label(label).to_owned())
            .collect();
        if self.splits_by_code(row) {
            labels.push(self.label(CODE).to_owned());
            labels.extend(self.error_type(id).map(str::to_owned));
        }
        let label = self.label.as_ref().filter(|label| self.has_label(row, label));
        labels.extend(label.map(|label| label.name.clone()));
        Some(Family {
            name: format!("{prefix}_{suffix}"),
            row,
            is_dialects: defined.is_some(),
            has_code,
            has_label: label.is_some(),
            method_labels: self.method_labels(side, defined.is_some()),
            labels,
        })
    }

    /// Returns whether there is a counter of requests. Elsewhere the count of durations is that of requests.
    fn counts_requests(&self, side: Side) -> bool {
        let id = FamilyId::Requests;
        let is_requests = |row: &&Row| (row.side, row.id) == (side, id);
        let suffix = ROWS.iter().find(is_requests).map(|row| row.suffix);
        let is_set = || self.naming.metrics.iter().any(|(default, _)| Some(&**default) == suffix);
        !self.counts_by_durations() || self.dialect.family(side, id).is_some() || is_set()
    }

    /// Returns whether a family has the program's label.
    fn has_label(&self, row: &Row, label: &LabelSettings) -> bool {
        match (row.side, row.id) {
            (Side::Server, FamilyId::Requests) => true,
            (Side::Server, FamilyId::Duration) => {
                label.on_durations || !self.counts_requests(row.side)
            }
            _ => false,
        }
    }

    /// Returns whether durations are by code, and so by the naming count the requests.
    fn counts_by_durations(&self) -> bool {
        self.dialect.form.code_on_durations && self.naming.form.code_on_durations
    }

    /// Returns whether a histogram has the code as a label.
    fn splits_by_code(&self, row: &Row) -> bool {
        match row.id {
            FamilyId::Duration | FamilyId::CallDuration => self.naming.form.code_on_durations,
            FamilyId::RequestSize | FamilyId::ResponseSize => self.dialect.code_on_sizes,
            _ => false,
        }
    }

    /// Returns the label of a histogram's failed calls.
    pub(super) fn error_type(&self, id: FamilyId) -> Option<&'static str> {
        self.dialect.error_type.filter(|_| id == FamilyId::Duration)
    }

    fn method_labels(&self, side: Side, is_dialects: bool) -> Vec<String> {
        let system = self.dialect.system.filter(|_| is_dialects).map(|[name, _]| name);
        let service = (!self.is_full_method_alone(is_dialects)).then(|| self.label(SERVICE));
        let method = self.label(METHOD);
        let ty = self.naming.form.type_on_all.then(|| self.label(TYPE));
        let target = if side == Side::Client { self.dialect.target } else { &[] };
        let target = target.iter().map(|name| self.label(name));
        let labels = system.into_iter().chain(service).chain([method]).chain(ty).chain(target);
        labels.map(str::to_owned).collect()
    }

    /// Returns whether a method's series have no label of the service alone.
    pub(super) fn is_full_method_alone(&self, is_dialects: bool) -> bool {
        self.naming.form.full_methods && is_dialects
    }

    /// Returns the label's name by its default name.
    pub(crate) fn label<'a>(&'a self, default: &'a str) -> &'a str {
        let set = self.naming.labels.iter().find(|(known, _)| known == default);
        let set = set.map(|(_, name)| name.as_str());
        set.or_else(|| self.dialect.label(default)).unwrap_or(default)
    }

    /// Returns the names of all labels, without constant ones.
    pub(crate) fn label_names(&self) -> BTreeSet<&str> {
        let all = self
            .families
            .iter()
            .flat_map(|family| family.method_labels.iter().chain(&family.labels));
        all.map(String::as_str).collect()
    }

    /// Returns a label that is given a name, and that no family has in this naming.
    pub(crate) fn unknown_label(&self) -> Option<&str> {
        let is_targets = |label: &str| DEFAULT_TARGET.contains(&label);
        let mut set = self.naming.labels.iter().map(|(default, _)| default.as_str());
        set.find(|label| is_targets(label) && !self.dialect.target.contains(label))
    }

    /// Returns a metric that is given a name, and that the naming does not have.
    pub(crate) fn unknown_family(&self) -> Option<&str> {
        let is_shown =
            |default: &str| self.families.iter().any(|family| family.row.suffix == default);
        let mut set = self.naming.metrics.iter().map(|(default, _)| default.as_str());
        set.find(|default| !is_shown(default))
    }

    /// Returns a label that a family has twice.
    pub(crate) fn duplicate_label(&self) -> Option<&str> {
        self.families.iter().find_map(|family| {
            let mut seen = BTreeSet::new();
            let mut labels = family.method_labels.iter().chain(&family.labels);
            labels.find(|label| !seen.insert(*label)).map(String::as_str)
        })
    }

    /// Returns the name that two families or their samples have.
    pub(crate) fn duplicate_family(&self) -> Option<String> {
        let mut seen = BTreeSet::new();
        let mut names = self.families.iter().flat_map(|Family { name, row, .. }| {
            let parts: &[_] = match row.ty {
                FamilyType::Histogram => &["", "_bucket", "_sum", "_count"],
                FamilyType::Counter | FamilyType::Gauge => &[""],
            };
            parts.iter().map(move |part| format!("{name}{part}"))
        });
        names.find(|name| !seen.insert(name.clone()))
    }

    /// Returns the full method of paths that the program does not know, if methods have their full names.
    #[cfg(feature = "monitoring")]
    pub(crate) fn other_as_full_method(&self) -> Option<&'static str> {
        self.naming.form.full_methods.then_some(self.dialect.other)
    }

    pub(super) fn naming(&self) -> &NamingSettings {
        &self.naming
    }

    pub(super) fn dialect(&self) -> &'static Dialect {
        self.dialect
    }

    pub(crate) fn families(&self) -> &[Family] {
        &self.families
    }

    /// Returns the family, unless the naming has none.
    #[cfg(feature = "monitoring")]
    pub(crate) fn find(&self, side: Side, id: FamilyId) -> Option<&Family> {
        self.families.iter().find(|family| (family.side(), family.id()) == (side, id))
    }

    /// Returns a family of the server's.
    ///
    /// # Panics
    ///
    /// Panics if the naming has none. The rules and the dashboard ask for those that all have.
    #[cfg(feature = "monitoring")]
    pub(crate) fn family(&self, id: FamilyId) -> &Family {
        self.find(Side::Server, id).expect("a family of the server's")
    }

    /// Returns the name under which queries find the counter or gauge: where there is no counter of requests, that is
    /// the count of durations.
    ///
    /// # Panics
    ///
    /// Panics if the naming has none.
    #[cfg(feature = "monitoring")]
    pub(crate) fn name_in_queries(&self, side: Side, id: FamilyId) -> String {
        match self.find(side, id) {
            None if id == FamilyId::Requests => {
                let durations = self.find(side, FamilyId::Duration).expect("all have durations");
                format!("{}_count", durations.name)
            }
            family => family.expect("a family of the naming").name.clone(),
        }
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

    /// Returns what OpenTelemetry's conventions call a metric or label, if the naming is theirs and they define it.
    #[cfg(feature = "otlp")]
    pub(crate) fn convention(&self, scraped: &str) -> Option<&'static Convention> {
        self.dialect.conventions.iter().find(|convention| convention.scraped == scraped)
    }

    pub(super) fn codes(&self) -> &[(Code, &'static str)] {
        &self.codes
    }

    pub(super) fn starts_at_zero(&self, code: Code) -> bool {
        self.starts_at_zero.contains(code)
    }

    /// Returns whether the code means that a call has failed.
    pub(super) fn is_failure(&self, side: Side, code: Code) -> bool {
        match side {
            Side::Server => self.faults.contains(code),
            Side::Client => code != Code::Ok,
        }
    }
}

#[cfg(all(test, feature = "monitoring"))]
mod tests {
    use super::*;

    #[test]
    fn a_family_is_found_by_its_id() {
        let schema = Schema::new(&Settings::default());
        for family in schema.families() {
            let found = schema.find(family.side(), family.id());
            assert_eq!(found.map(|found| &found.name), Some(&family.name));
        }
    }
}
