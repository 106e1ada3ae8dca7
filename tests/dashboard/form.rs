//! The dashboard's JSON is what Grafana opens without edits.

use std::collections::BTreeSet;

use super::queries::{list, panels, text};
use super::{DASHBOARD, dashboard};

const DATA_SOURCE: &str = "${datasource}";

#[test]
fn it_has_what_grafana_needs() {
    let dashboard = dashboard();
    // Grafana 11.6, the oldest that knows it.
    assert_eq!(dashboard["schemaVersion"], 41);
    assert!(!text(&dashboard["title"]).is_empty());
    let uid = text(&dashboard["uid"]);
    assert!(uid.len() <= 40 && uid.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c)));
    // Grafana gives these itself, and takes no file that brings those of another.
    for key in ["id", "version", "__inputs", "__requires"] {
        assert!(dashboard.get(key).is_none(), "{key}");
    }
}

#[test]
fn its_variables_need_no_edits() {
    let dashboard = dashboard();
    let variables = list(&dashboard["templating"]["list"]);
    let names: Vec<_> = variables.iter().map(|variable| text(&variable["name"])).collect();
    assert_eq!(names, ["datasource", "job", "service", "method"]);
    assert_eq!(variables[0]["type"], "datasource");
    assert_eq!(variables[0]["query"], "prometheus");
    for variable in &variables[1..] {
        let name = text(&variable["name"]);
        assert_eq!(variable["multi"], true, "{name}");
        assert_eq!(variable["includeAll"], true, "{name}");
        assert_eq!(variable["allValue"], ".+", "{name}");
        assert_eq!(variable["current"]["value"][0], "$__all", "{name}");
        // Lists follow the time that is shown.
        assert_eq!(variable["refresh"], 2, "{name}");
        assert_eq!(variable["datasource"]["uid"], DATA_SOURCE, "{name}");
    }
}

#[test]
fn every_panel_says_what_it_shows() {
    for panel in panels() {
        let title = text(&panel["title"]);
        assert!(!title.is_empty() && !text(&panel["description"]).is_empty(), "{title}");
        assert_eq!(panel["datasource"]["uid"], DATA_SOURCE, "{title}");
        let defaults = &panel["fieldConfig"]["defaults"];
        assert!(!text(&defaults["unit"]).is_empty(), "{title}");
        let steps = list(&defaults["thresholds"]["steps"]);
        assert!(steps[0]["value"].is_null(), "{title}: no colour below the first threshold");
        let bounds: Vec<_> =
            steps[1..].iter().map(|step| step["value"].as_f64().unwrap()).collect();
        assert!(bounds.is_sorted(), "{title}: {bounds:?}");

        let refs: Vec<_> = list(&panel["targets"]).iter().map(|t| text(&t["refId"])).collect();
        let distinct: BTreeSet<_> = refs.iter().collect();
        assert!(!refs.is_empty() && distinct.len() == refs.len(), "{title}: {refs:?}");
        for target in list(&panel["targets"]) {
            assert_eq!(target["datasource"]["uid"], DATA_SOURCE, "{title}");
            let instant = target["instant"].as_bool().unwrap();
            assert_eq!(target["range"], !instant, "{title}");
            match panel["type"].as_str().unwrap() {
                "timeseries" => assert!(!instant && !text(&target["legendFormat"]).is_empty()),
                "table" | "nodeGraph" => {
                    assert!(instant && target["format"] == "table", "{title}");
                }
                "bargauge" | "stat" => {}
                other => panic!("{title}: {other}"),
            }
        }
    }
}

/// A column that is renamed or coloured under a name that no column has is not, and nothing says so.
#[test]
fn the_columns_of_tables_are_those_of_their_queries() {
    let tables = panels().into_iter().filter(|panel| panel["type"] == "table");
    for panel in tables {
        let title = text(&panel["title"]);
        let transformations = list(&panel["transformations"]);
        let organize = transformations.iter().find(|one| one["id"] == "organize").unwrap();
        let renamed = organize["options"]["renameByName"].as_object().unwrap();
        for target in list(&panel["targets"]) {
            let column = format!("Value #{}", text(&target["refId"]));
            assert!(renamed.contains_key(&column), "{title}: {column}");
        }
        let placed = organize["options"]["indexByName"].as_object().unwrap();
        assert!(renamed.keys().eq(placed.keys()), "{title}");
        let columns: BTreeSet<_> = renamed.values().map(text).collect();
        let overrides = list(&panel["fieldConfig"]["overrides"]).iter();
        let matched = overrides.map(|one| text(&one["matcher"]["options"]));
        let sorted = list(&panel["options"]["sortBy"]).iter().map(|one| text(&one["displayName"]));
        for name in matched.chain(sorted) {
            assert!(columns.contains(&name), "{title}: {name}");
        }
    }
}

#[test]
fn no_panel_hides_another() {
    let dashboard = dashboard();
    let panels = list(&dashboard["panels"]);
    let ids: BTreeSet<_> = panels.iter().map(|panel| panel["id"].as_u64().unwrap()).collect();
    assert_eq!(ids.len(), panels.len(), "an id is there twice");
    let mut taken = BTreeSet::new();
    for panel in panels {
        let at = |key: &str| panel["gridPos"][key].as_u64().unwrap();
        assert!(at("x") + at("w") <= 24, "{}", panel["title"]);
        for x in at("x")..at("x") + at("w") {
            for y in at("y")..at("y") + at("h") {
                assert!(taken.insert((x, y)), "{} lies on another", panel["title"]);
            }
        }
    }
}

/// A window that is set by hand is too short for a slow scrape, or too long to see anything.
#[test]
fn rates_are_over_grafanas_interval() {
    // Those of the alerts have to be the alerts' own; a budget is that of the time shown.
    let windows = ["$__rate_interval", "$__range", "5m", "1h"];
    for (_, rest) in DASHBOARD.match_indices("rate(").map(|(at, _)| DASHBOARD.split_at(at)) {
        let (_, rest) = rest.split_once('[').unwrap();
        let (window, _) = rest.split_once(']').unwrap();
        assert!(windows.contains(&window), "{window}");
    }
}

/// Each panel of durations over time asks once: the same traces belong to all its quantiles.
#[test]
fn panels_of_durations_ask_for_traces() {
    for panel in panels() {
        let title = text(&panel["title"]);
        let targets = list(&panel["targets"]);
        let of_durations = text(&targets[0]["expr"]).contains("histogram_quantile");
        let asking = targets.iter().filter(|target| target["exemplar"] == true).count();
        let expected = usize::from(of_durations && panel["type"] == "timeseries");
        assert_eq!(asking, expected, "{title}");
    }
}
