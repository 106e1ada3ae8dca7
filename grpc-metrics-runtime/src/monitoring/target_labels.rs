//! The labels of targets that tell one deployment from another, as `job` does.

use std::collections::BTreeSet;

use super::template::quoted;
use crate::Error;
use crate::metrics::invalid_label_reason;

/// What the rules, the alerts and the dashboard have under these names themselves.
const RESERVED: [(&str, &str); 6] = [
    ("job", "tells deployments apart already"),
    ("instance", "is of one process, and alerts are of all that do the same"),
    ("alertname", "is a label that alerts have themselves"),
    ("alertstate", "is a label that alerts have themselves"),
    ("severity", "is a label that alerts have themselves"),
    ("datasource", "is a variable that the dashboard has itself"),
];

/// Words that Prometheus's queries take for no label's name, in any case.
const NO_LABELS: [&str; 3] = ["inf", "nan", "without"];

/// Checked, in the order given.
#[derive(Clone, Debug, Default)]
pub(super) struct TargetLabels(Vec<String>);

impl TargetLabels {
    /// `constant` are labels of the metrics that no target has.
    pub(super) fn checked(
        labels: Vec<String>,
        constant: &[(String, String)],
    ) -> Result<Self, Error> {
        let mut seen = BTreeSet::new();
        for name in &labels {
            let reason = why_wrong(name, constant);
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

    /// `job` and all labels, as a query lists them.
    pub(super) fn identity(&self) -> String {
        self.after("job", |label| format!(", {label}"))
    }

    /// The same as YAML lists them.
    pub(super) fn identity_in_yaml(&self) -> String {
        // Quoted, since YAML takes `null` for no string.
        self.after("job", |label| format!(", {}", quoted(label)))
    }

    /// What stands beside the job in an alert's text.
    pub(super) fn beside_job(&self) -> String {
        self.after("", |label| format!(", {label} {{{{ $labels.{label} }}}}"))
    }

    /// What stands behind a name in the title of an alert, where no job stands.
    pub(super) fn behind_name(&self) -> String {
        match self.beside_job().strip_prefix(", ") {
            Some(labels) => format!(" ({labels})"),
            None => String::new(),
        }
    }

    /// What stands in the names of series that tell where a service was. Those recorded before the labels were
    /// given have none of them, so under the same name all services would be gone.
    pub(super) fn in_names(&self) -> String {
        self.after("", |label| format!("{label}_"))
    }

    /// `first`, and each label as `form` has it.
    pub(super) fn after(&self, first: &str, form: impl Fn(&str) -> String) -> String {
        self.iter().fold(first.to_owned(), |text, label| text + &form(label))
    }
}

fn why_wrong(name: &str, constant: &[(String, String)]) -> Option<&'static str> {
    let reserved = RESERVED.iter().find(|(reserved, _)| *reserved == name);
    invalid_label_reason(name).or(reserved.map(|(_, reason)| *reason)).or_else(|| {
        if NO_LABELS.iter().any(|word| name.eq_ignore_ascii_case(word)) {
            Some("is a word that PromQL takes for no label; rename it by relabeling")
        } else if constant.iter().any(|(label, _)| label == name) {
            Some("is a constant label of the metrics, which up has not; give it to the target instead")
        } else {
            None
        }
    })
}
