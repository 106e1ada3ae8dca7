//! The lines of the generated files that contain queries or labels.

use super::Vocabulary;

/// The ways in which a line of YAML has a query, in quotes.
const SELECTORS: [&str; 2] = ["- series: ", "- labels: "];
const EXPR: &str = "- expr: ";
/// The query is in the lines below, indented further.
const EXPR_BLOCK: &str = "expr: |";

impl Vocabulary {
    /// Translates a dashboard, which is JSON as Grafana exports it: with a value a line.
    pub(in super::super) fn dashboard(&self, dashboard: &str) -> String {
        lines(dashboard, |line| self.dashboard_line(line))
    }

    fn dashboard_line(&self, line: &str) -> Option<String> {
        let (before, after) = line.split_once("\": ")?;
        let key = before.trim_start().strip_prefix('"')?;
        // Of a table's column: its place or its name.
        if ["service", "method", "slo"].contains(&key) {
            return Some(line.replacen(key, self.label(key), 1));
        }
        let (value, end) = after.strip_prefix('"')?.rsplit_once('"')?;
        let value = unescaped(value);
        let translated = match key {
            "expr" => self.query(&value),
            "query" => self.values(&value),
            "legendFormat" => self.legend(&value),
            "description" => self.prose(&value),
            _ => return None,
        };
        Some(format!("{before}\": \"{}\"{end}", escaped(&translated)))
    }

    /// Translates `label_values(selector, label)`, with which a variable finds its values.
    fn values(&self, query: &str) -> String {
        let inside = query.strip_prefix("label_values(").and_then(|rest| rest.strip_suffix(')'));
        let Some((selector, label)) = inside.and_then(|inside| inside.rsplit_once(", ")) else {
            return query.to_owned();
        };
        format!("label_values({}, {})", self.selector(selector), self.label(label))
    }

    /// Translates rules, alerts or their tests.
    pub(in super::super) fn rules(&self, rules: &str) -> String {
        let mut block = None;
        lines(rules, |line| {
            let text = line.trim_start();
            let indent = line.len() - text.len();
            if block.is_some_and(|block| indent <= block) {
                block = None;
            }
            if block.is_some() {
                return Some(self.query(line));
            }
            if text == EXPR_BLOCK {
                block = Some(indent);
                return None;
            }
            Some(if text.starts_with('#') {
                self.prose(line)
            } else if text.starts_with(EXPR) {
                self.query(line)
            } else if SELECTORS.iter().any(|start| text.starts_with(start)) {
                self.selector(line)
            } else {
                self.legend(line)
            })
        })
    }

    /// Translates the configuration of an Alertmanager.
    pub(in super::super) fn alertmanager(&self, config: &str) -> String {
        lines(config, |line| {
            let (key, list) = line.split_once(": [")?;
            let of_labels = ["group_by", "equal"].contains(&key.trim_start());
            let list = list.strip_suffix(']').filter(|_| of_labels)?;
            let labels: Vec<_> = list.split(", ").map(|label| self.label(label)).collect();
            Some(format!("{key}: [{}]", labels.join(", ")))
        })
    }
}

/// Replaces lines. `None` keeps one.
fn lines(text: &str, mut replace: impl FnMut(&str) -> Option<String>) -> String {
    let lines: Vec<_> =
        text.split('\n').map(|line| replace(line).unwrap_or_else(|| line.to_owned())).collect();
    lines.join("\n")
}

/// Returns the text of a JSON string. Other characters than these two are not escaped in a dashboard.
fn unescaped(json: &str) -> String {
    let mut text = String::new();
    let mut chars = json.chars();
    while let Some(c) = chars.next() {
        text.extend(if c == '\\' { chars.next() } else { Some(c) });
    }
    text
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"")
}
