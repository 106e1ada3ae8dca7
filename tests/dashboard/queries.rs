//! The queries of the dashboard, and what Grafana puts into them.

use serde_json::Value;

use super::dashboard;

/// What Grafana puts in where a query has a variable.
#[derive(Clone, Copy)]
pub(crate) struct Variables {
    pub(crate) job: &'static str,
    pub(crate) service: &'static str,
    pub(crate) method: &'static str,
    pub(crate) rate_interval: &'static str,
    pub(crate) range: &'static str,
}

/// "All" of every variable.
pub(crate) const ALL: Variables =
    Variables { job: ".+", service: ".+", method: ".+", rate_interval: "1m", range: "10m" };

impl Variables {
    pub(crate) fn put_into(&self, text: &str) -> String {
        let filled = text
            .replace("$__rate_interval", self.rate_interval)
            .replace("$__range", self.range)
            // "All" of those that only some dashboards have.
            .replace("$namespace", ".*")
            .replace("$cluster", ".*")
            .replace("$job", self.job)
            .replace("$service", self.service)
            .replace("$method", self.method);
        // The first group of a regular expression is for Prometheus.
        assert!(!filled.replace("\"$1\"", "").contains('$'), "unknown variable: {filled}");
        filled
    }
}

/// One query of a panel.
pub(crate) struct Query {
    pub(crate) panel: String,
    pub(crate) ref_id: String,
    pub(crate) expr: String,
    pub(crate) legend: String,
}

impl Query {
    /// The panel and the query in it.
    pub(crate) fn name(&self) -> String {
        format!("{} {}", self.panel, self.ref_id)
    }

    /// Without requests there is no duration, so these answer with nothing then.
    pub(crate) fn is_of_durations(&self) -> bool {
        self.expr.contains("histogram_quantile")
    }

    /// Only measured clients count it, so these answer with nothing without one.
    pub(crate) fn is_of_clients(&self) -> bool {
        self.expr.contains("grpc_client_") && !self.expr.contains("grpc_server_")
    }

    /// Only a server layer counts it, so these answer with nothing without one.
    pub(crate) fn is_of_the_layer(&self) -> bool {
        let of_it = ["_size_bytes_", "service=\"other\""];
        of_it.iter().any(|part| self.expr.contains(part))
    }
}

pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}

pub(crate) fn list(value: &Value) -> &[Value] {
    value.as_array().unwrap_or_else(|| panic!("no list: {value}"))
}

/// All panels but the headings of rows.
pub(crate) fn panels() -> Vec<Value> {
    panels_of(&dashboard())
}

pub(crate) fn panels_of(dashboard: &Value) -> Vec<Value> {
    let panels = list(&dashboard["panels"]).iter().filter(|panel| panel["type"] != "row");
    panels.cloned().collect()
}

pub(crate) fn queries() -> Vec<Query> {
    queries_of(&dashboard())
}

pub(crate) fn queries_of(dashboard: &Value) -> Vec<Query> {
    let of_panel = |panel: Value| {
        let query = |target: &Value| Query {
            panel: text(&panel["title"]),
            ref_id: text(&target["refId"]),
            expr: text(&target["expr"]),
            legend: text(&target["legendFormat"]),
        };
        list(&panel["targets"]).iter().map(query).collect::<Vec<_>>()
    };
    panels_of(dashboard).into_iter().flat_map(of_panel).collect()
}

/// The queries that fill the lists of the variables: selector and label of `label_values`.
pub(crate) fn variable_queries() -> Vec<(String, String)> {
    variable_queries_of(&dashboard())
}

pub(crate) fn variable_queries_of(dashboard: &Value) -> Vec<(String, String)> {
    let variables = list(&dashboard["templating"]["list"]).iter();
    let queries = variables.filter(|variable| variable["type"] == "query").map(|variable| {
        let query = text(&variable["query"]["query"]);
        let inside = query.strip_prefix("label_values(").and_then(|rest| rest.strip_suffix(')'));
        let (selector, label) = inside.and_then(|inside| inside.rsplit_once(", ")).expect(&query);
        (selector.to_owned(), label.to_owned())
    });
    queries.collect()
}
