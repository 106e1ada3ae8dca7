//! The Grafana dashboard.

/// Made for the prefix below, so that it can be opened, and taken out of Grafana, as it is.
const TEMPLATE: &str = include_str!("dashboard.json");
const TEMPLATE_PREFIX: &str = "grpc_server";
/// With a hyphen, which no prefix has.
const TEMPLATE_UID: &str = "grpc-server";

/// The dashboard of the metrics with this prefix, which is letters, digits, `_` and `:`.
pub(super) fn dashboard(prefix: &str) -> String {
    TEMPLATE.replace(TEMPLATE_PREFIX, prefix).replace(TEMPLATE_UID, &uid(prefix))
}

/// Grafana knows dashboards by this: prefixes that differ have dashboards beside each other.
fn uid(prefix: &str) -> String {
    // What Grafana takes: letters, digits, `-`, `_`, and no more of them than 40.
    let swapped = prefix.chars().map(|c| match c {
        '_' => '-',
        ':' => '_',
        c => c,
    });
    swapped.take(40).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_prefix_gives_the_template() {
        assert_eq!(dashboard(TEMPLATE_PREFIX), TEMPLATE);
    }

    #[test]
    fn another_prefix_stands_everywhere() {
        for prefix in ["shop:grpc", "a"] {
            let dashboard = dashboard(prefix);
            assert!(!dashboard.contains(TEMPLATE_PREFIX) && !dashboard.contains(TEMPLATE_UID));
            let of = |name: &str| format!("{name}_requests_total");
            let times = |text: &str, name| text.matches(&of(name)).count();
            assert!(times(TEMPLATE, TEMPLATE_PREFIX) > 0);
            assert_eq!(times(&dashboard, prefix), times(TEMPLATE, TEMPLATE_PREFIX));
        }
    }

    #[test]
    fn a_prefix_may_hold_the_default_one() {
        let twice = dashboard("my_grpc_server");
        assert!(twice.contains("\"uid\": \"my-grpc-server\""));
        assert!(twice.contains("(my_grpc_server_requests_total") && !twice.contains("my_my"));
    }

    #[test]
    fn a_uid_is_one_that_grafana_takes() {
        assert_eq!(uid("a_b:c9"), "a-b_c9");
        assert_eq!(uid(&"a".repeat(60)).len(), 40);
    }
}
