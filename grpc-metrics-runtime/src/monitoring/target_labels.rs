//! The target labels that distinguish deployments.

use std::collections::BTreeSet;

use super::template::quoted;
use crate::Error;
use crate::export::Schema;
use crate::instance::Settings;
use crate::metrics::invalid_label_reason;

const TOPOLOGY: &str = "is a label of the dashboard's topology";

/// Names that the rules, the alerts and the dashboard use themselves, and why they can't be target labels.
const RESERVED: [(&str, &str); 9] = [
    ("job", "distinguishes deployments already"),
    ("instance", "identifies one process, but alerts are about deployments"),
    ("alertname", "is a label of the alerts themselves"),
    ("alertstate", "is a label of the alerts themselves"),
    ("severity", "is a label of the alerts themselves"),
    ("datasource", "is a variable of the dashboard itself"),
    ("id", TOPOLOGY),
    ("title", TOPOLOGY),
    ("source", TOPOLOGY),
];

/// Words that queries do not accept as label names, in any case.
const KEYWORDS: [&str; 3] = ["inf", "nan", "without"];

/// Validated target labels, in the order given.
#[derive(Clone, Debug, Default)]
pub(super) struct TargetLabels(Vec<String>);

impl TargetLabels {
    /// Validates the labels, which must not be those of the metrics.
    pub(super) fn new(labels: Vec<String>, schema: &Schema) -> Result<Self, Error> {
        let mut seen = BTreeSet::new();
        for name in &labels {
            let reason = invalid_reason(name, schema);
            let reason = reason.or_else(|| (!seen.insert(name)).then_some("is given twice"));
            if let Some(reason) = reason {
                return Err(Error::InvalidTargetLabel { name: name.clone(), reason });
            }
        }
        Ok(Self(labels))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns `job` and all labels as a list in a query.
    pub(super) fn identity(&self) -> String {
        self.append_to("job", |label| format!(", {label}"))
    }

    /// Returns `job` and all labels as a YAML list.
    pub(super) fn identity_yaml(&self) -> String {
        // Quoted, because YAML reads a bare `null` as no string.
        self.append_to("job", |label| format!(", {}", quoted(label)))
    }

    /// Returns the labels to follow the job in an alert's text.
    pub(super) fn alert_text(&self) -> String {
        self.append_to("", |label| format!(", {label} {{{{ $labels.{label} }}}}"))
    }

    /// Returns the labels to follow a name in an alert's title.
    pub(super) fn title_suffix(&self) -> String {
        match self.alert_text().strip_prefix(", ") {
            Some(labels) => format!(" ({labels})"),
            None => String::new(),
        }
    }

    /// Returns a part of the names of series that record where a service was. Series recorded before the labels were
    /// set lack them, so with the same name every service would seem to be gone.
    pub(super) fn record_prefix(&self) -> String {
        self.append_to("", |label| format!("{label}_"))
    }

    /// Appends each label, formatted by `form`, to `first`.
    pub(super) fn append_to(&self, first: &str, form: impl Fn(&str) -> String) -> String {
        self.iter().fold(first.to_owned(), |text, label| text + &form(label))
    }
}

fn invalid_reason(name: &str, schema: &Schema) -> Option<&'static str> {
    let reserved = RESERVED.iter().find(|(reserved, _)| *reserved == name);
    let own = schema.label_names();
    invalid_label_reason(name, &own).or(reserved.map(|(_, reason)| *reason)).or_else(|| {
        if KEYWORDS.iter().any(|word| name.eq_ignore_ascii_case(word)) {
            Some("is a keyword of PromQL; rename it by relabeling")
        } else if schema.const_labels().iter().any(|(label, _)| label == name) {
            Some("is a constant label of the metrics, which up does not have; set it on the target instead")
        } else if Schema::new(&Settings::default()).label_names().contains(name) {
            // The templates are in that naming.
            Some("is a label of the metrics in the default naming; rename it by relabeling")
        } else {
            None
        }
    })
}
