//! Queries in other namings.

use super::*;

fn family(name: &str, has_service: bool) -> FamilyName {
    FamilyName { name: name.to_owned(), has_service }
}

/// Other labels, and another prefix for some families.
fn split() -> Vocabulary {
    let families = [
        ("grpc_server_requests_total", "grpc_server_handled_total"),
        ("grpc_server_request_duration_seconds", "grpc_server_handling_seconds"),
        ("grpc_server_method_info", "grpc_server_method_info"),
    ];
    let labels = ["service", "method", "code", "type"];
    Vocabulary {
        families: families.map(|(name, new)| (name.to_owned(), family(new, true))).into(),
        labels: labels.map(|label| (label.to_owned(), format!("grpc_{label}"))).into(),
        full_method: None,
    }
}

/// Full methods, and requests as the histogram's count.
fn full() -> Vocabulary {
    let families = [
        ("grpc_server_requests_total", "rpc_call_seconds_count", false),
        ("grpc_server_request_duration_seconds", "rpc_call_seconds", false),
        ("grpc_server_method_info", "grpc_server_method_info", true),
        ("grpc_server_in_flight_requests", "shop_in_flight", true),
    ];
    let labels = [("service", "rpc_service"), ("method", "rpc_method"), ("code", "status")];
    let families =
        families.map(|(name, new, has_service)| (name.to_owned(), family(new, has_service)));
    Vocabulary {
        families: families.into(),
        labels: labels.map(|(label, new)| (label.to_owned(), new.to_owned())).into(),
        full_method: Some(FullMethod { other: "_OTHER".to_owned() }),
    }
}

#[test]
fn m1_labels_are_renamed_wherever_they_stand() {
    for (query, expected) in [
        (
            r#"sum by (job, service, method) (rate(grpc_server_requests_total{job=~"$job", service=~"$service", code!="0"}[5m]))"#,
            r#"sum by (job, grpc_service, grpc_method) (rate(grpc_server_handled_total{job=~"$job", grpc_service=~"$service", grpc_code!="0"}[5m]))"#,
        ),
        (
            "a_bucket and on (service) group_left (type) grpc_server_request_duration_seconds_bucket",
            "a_bucket and on (grpc_service) group_left (grpc_type) grpc_server_handling_seconds_bucket",
        ),
        (
            r#"label_join(up, "target", " ", "service", "caller_service")"#,
            r#"label_join(up, "target", " ", "grpc_service", "caller_service")"#,
        ),
        (r#"{service="method"}"#, r#"{grpc_service="method"}"#),
        // Neither is a label.
        (r#"service / on () method{a="code"}"#, r#"service / on () method{a="code"}"#),
    ] {
        assert_eq!(split().query(query), expected);
    }
}

#[test]
fn m1_what_is_asked_of_a_service_is_asked_of_the_full_method() {
    for (selector, expected) in [
        (
            r#"grpc_server_requests_total{service=~"$service", service!="other", method=~"$method", code="0"}"#,
            r#"rpc_call_seconds_count{rpc_method=~"($service)(/.+)?", rpc_method!="_OTHER", rpc_method=~"$method", status="0"}"#,
        ),
        (
            r#"grpc_server_requests_total{service="other", method="other"}"#,
            r#"rpc_call_seconds_count{rpc_method="_OTHER"}"#,
        ),
        (
            r#"grpc_server_request_duration_seconds_sum{job="a", method="M", service="p.S"}"#,
            r#"rpc_call_seconds_sum{job="a", rpc_method="p.S/M"}"#,
        ),
        (
            r#"grpc_server_requests_total{service="p.S"}"#,
            r#"rpc_call_seconds_count{rpc_method=~"p\\.S/.+"}"#,
        ),
        (
            r#"grpc_server_requests_total{service!="p.S"}"#,
            r#"rpc_call_seconds_count{rpc_method!~"p\\.S/.+"}"#,
        ),
    ] {
        assert_eq!(full().selector(selector), expected);
    }
}

#[test]
fn m1_other_families_have_a_service_beside_the_full_method() {
    for (selector, expected) in [
        (
            r#"grpc_server_in_flight_requests{service=~"$service", service!="other", method=~"$method"}"#,
            r#"shop_in_flight{rpc_service=~"$service", rpc_service!="_OTHER", rpc_method=~"$method"}"#,
        ),
        (
            r#"ALERTS{service="S", slo="latency", method="M"}"#,
            r#"ALERTS{rpc_service="S", slo="latency", rpc_method="S/M"}"#,
        ),
        (r#"{service="S", method=""}"#, r#"{rpc_service="S", rpc_method=""}"#),
        (
            r#"up{service="other", method="other"}"#,
            r#"up{rpc_service="_OTHER", rpc_method="_OTHER"}"#,
        ),
    ] {
        assert_eq!(full().selector(selector), expected);
    }
}

#[test]
fn m1_a_query_gets_the_service_from_the_full_method() {
    let add = |leaf: &str| {
        format!(r#"label_replace({leaf}, "rpc_service", "$1", "rpc_method", "([^/]+)(/.+)?")"#)
    };
    let requests = "rate(rpc_call_seconds_count[5m])";
    let buckets = r#"rate(rpc_call_seconds_bucket{job="j"}[5m])"#;
    let one = |with: &str| with.replace("REQUESTS", requests).replace("BUCKETS", buckets);
    for (query, expected) in [
        (
            "sum by (service) (rate(grpc_server_requests_total[5m]))",
            format!("sum by (rpc_service) ({})", add(requests)),
        ),
        (
            "max(quantile_over_time(0.9, grpc_server_requests_total[5m]) > 1)",
            format!("max({} > 1)", add("quantile_over_time(0.9, rpc_call_seconds_count[5m])")),
        ),
        (
            r#"sum by (le) (rate(grpc_server_request_duration_seconds_bucket{job="j"}[5m]) and on (job, service, method) grpc_server_method_info)"#,
            format!(
                "sum by (le) ({} and on (job, rpc_service, rpc_method) grpc_server_method_info)",
                add(buckets)
            ),
        ),
        ("grpc_server_requests_total", add("rpc_call_seconds_count")),
        // The sum drops it.
        ("sum(rate(grpc_server_requests_total[5m]))", one("sum(REQUESTS)")),
        ("sum( rate(grpc_server_requests_total[5m]) )", one("sum( REQUESTS )")),
        ("sum by (code) (rate(grpc_server_requests_total[5m]))", one("sum by (status) (REQUESTS)")),
        (
            "sum without (code) (rate(grpc_server_requests_total[5m]))",
            format!("sum without (status) ({})", add(requests)),
        ),
        (
            "sum(grpc_server_requests_total) by (service)",
            format!("sum({}) by (rpc_service)", add("rpc_call_seconds_count")),
        ),
        // It is there.
        (
            "sum by (service) (grpc_server_in_flight_requests)",
            "sum by (rpc_service) (shop_in_flight)".to_owned(),
        ),
    ] {
        assert_eq!(full().query(query), expected);
    }
}

#[test]
fn m1_legends_have_the_full_method_once() {
    for (legend, labels, full_method) in [
        ("{{service}}", "{{grpc_service}}", "{{rpc_service}}"),
        (
            "sent {{service}} {{method}}",
            "sent {{grpc_service}} {{grpc_method}}",
            "sent {{rpc_method}}",
        ),
        ("{{zone}} {{slo}}", "{{zone}} {{slo}}", "{{zone}} {{slo}}"),
        (
            "{{ $value | humanize }} of {{ $labels.service }}/{{ $labels.method }}, {{ $labels.job }}",
            "{{ $value | humanize }} of {{ $labels.grpc_service }}/{{ $labels.grpc_method }}, {{ $labels.job }}",
            "{{ $value | humanize }} of {{ $labels.rpc_method }}, {{ $labels.job }}",
        ),
        ("a service {{", "a service {{", "a service {{"),
    ] {
        assert_eq!(split().legend(legend), labels);
        assert_eq!(full().legend(legend), full_method);
    }
}

#[test]
fn m1_texts_name_families_and_other_paths() {
    let text = r#"Of grpc_server_in_flight_requests, "other" is other."#;
    assert_eq!(full().prose(text), r#"Of shop_in_flight, "_OTHER" is other."#);
    assert_eq!(split().prose(text), text);
}

#[test]
fn what_is_no_query_stays() {
    for text in ["", "}", "{", "sum by (", "a{b=", "\"", "rate(up[", ") on ("] {
        assert_eq!(full().query(text), text);
    }
}
