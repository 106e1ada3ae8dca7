//! The queries of the topology become the two tables that Grafana's node graph draws: nodes and edges.

use std::collections::BTreeSet;

use serde_json::Value;

use super::queries::{list, panels, text};

fn topology() -> Value {
    panels().into_iter().find(|panel| panel["type"] == "nodeGraph").expect("a node graph")
}

fn transformations<'a>(panel: &'a Value, id: &str) -> Vec<&'a Value> {
    list(&panel["transformations"]).iter().filter(|one| one["id"] == id).collect()
}

/// The node graph knows a field by its name. `organize` changes what is shown as the name only.
#[test]
fn h8_each_value_has_a_name_that_the_node_graph_knows() {
    let panel = topology();
    let mut fields = Vec::new();
    for one in transformations(&panel, "calculateField") {
        let query = text(&one["filter"]["options"]);
        assert_eq!(one["filter"]["id"], "byRefId");
        let options = &one["options"];
        assert_eq!(options["mode"], "reduceRow");
        assert_eq!(options["reduce"]["include"], serde_json::json!([format!("Value #{query}")]));
        assert_eq!(options["reduce"]["reducer"], "sum");
        fields.push((query, text(&options["alias"])));
    }
    let fields: Vec<_> = fields.iter().map(|(query, name)| (&**query, &**name)).collect();
    let expected = [
        ("A", "mainstat"),
        ("B", "arc__failed"),
        ("C", "arc__good"),
        ("D", "secondarystat"),
        ("E", "mainstat"),
        ("F", "secondarystat"),
        ("G", "detail__p95"),
    ];
    assert_eq!(fields, expected);
    let queries: Vec<_> = list(&panel["targets"]).iter().map(|one| text(&one["refId"])).collect();
    assert!(queries.iter().eq(expected.iter().map(|(query, _)| query)), "{queries:?}");

    // What is set for a field is set for one that there is.
    let names: BTreeSet<_> = expected.iter().map(|(_, name)| (*name).to_owned()).collect();
    let overrides = list(&panel["fieldConfig"]["overrides"]).iter();
    let overridden = overrides.map(|one| text(&one["matcher"]["options"]));
    let arcs = list(&panel["options"]["nodes"]["arcs"]).iter().map(|arc| text(&arc["field"]));
    for name in overridden.chain(arcs) {
        assert!(names.contains(&name), "{name}");
    }
}

/// A table with a field `source` has edges. The merged rows are those of the first query, which has all of them.
#[test]
fn h8_nodes_and_edges_are_two_tables() {
    let panel = topology();
    let merged = transformations(&panel, "merge");
    let merged: Vec<_> = merged.iter().map(|one| text(&one["filter"]["options"])).collect();
    assert_eq!(merged, ["/^[A-D]$/", "/^[E-G]$/"]);
    for target in list(&panel["targets"]) {
        let query = text(&target["refId"]);
        let expr = text(&target["expr"]);
        let joined: Vec<_> = ["id", "title", "source", "target"]
            .into_iter()
            .filter(|label| expr.contains(&format!(", \"{label}\", \" \", \"")))
            .collect();
        let expected: &[&str] = match &*query {
            "A" => &["id", "title"],
            "E" => &["id", "source", "target"],
            _ => &[],
        };
        assert_eq!(joined, expected, "{query}");
    }
}

/// Those that Grafana 11.6 has.
#[test]
fn transformations_are_known() {
    for panel in panels() {
        let Some(transformations) = panel["transformations"].as_array() else { continue };
        for one in transformations {
            let id = text(&one["id"]);
            assert!(["calculateField", "merge", "organize"].contains(&&*id), "{id}");
        }
    }
}
