//! The real Prometheus scrapes Nova's six processes: each edge has what the callee counted of its callers.

use std::collections::BTreeMap;
use std::time::SystemTime;

use support::bed::whole;
use support::nova::Nova;
use support::prometheus::Prometheus;
use support::wait::block_until;

use crate::prometheus::label;

/// By service and method.
type Calls = BTreeMap<(String, String), u64>;

/// A counter of the methods that have been called, by code.
fn counted(prometheus: &Prometheus, counter: &str) -> BTreeMap<(String, String, String), u64> {
    let sums = format!("sum by (service, method, code) ({counter}{{service=~\"nova.+\"}}) > 0");
    let samples = prometheus.query(&sums).into_iter().map(|(labels, count)| {
        let key = ["service", "method", "code"].map(|name| label(&labels, name));
        (key.into(), whole(count))
    });
    samples.collect()
}

/// By service, the instances at which it has counted something.
fn instances(prometheus: &Prometheus, service: &str, counter: &str) -> Vec<[String; 2]> {
    let query = format!("group by ({service}, instance) ({counter}{{{service}=~\"nova.+\"}} > 0)");
    let groups = prometheus.query(&query).into_iter();
    let mut found: Vec<_> =
        groups.map(|(labels, _)| [service, "instance"].map(|name| label(&labels, name))).collect();
    found.sort();
    found
}

/// A number of Nova's last table: `nova.user.v1.UserService GetUserProfile 0=12 5=3 from-load=7 from-services=8`.
fn column(lines: &[String], name: &str) -> Calls {
    let mut calls = Calls::new();
    for line in lines.iter().filter(|line| line.starts_with("nova.")) {
        let mut words = line.split_whitespace();
        let method = (words.next().unwrap().to_owned(), words.next().expect(line).to_owned());
        let mut numbers = words.filter_map(|word| word.split_once('='));
        let number = numbers.find(|(of, _)| *of == name).map_or(0, |(_, n)| n.parse().expect(line));
        calls.insert(method, number);
    }
    calls
}

/// Waits until every target has been scraped since now.
fn scraped_anew(prometheus: &Prometheus, targets: usize) {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs_f64();
    let since = format!("count(timestamp(up) > {now} and up == 1)");
    let all = |count: &Vec<(String, f64)>| count.iter().any(|(_, n)| whole(*n) == targets as u64);
    block_until(|| prometheus.query(&since), all);
}

#[test]
#[ignore = "needs the prometheus and promtool programs"]
fn l6_prometheus_has_for_each_edge_between_processes_what_the_callee_counted() {
    // With an outage, no call of a unary method is given up, and so all counts are exact.
    let nova = Nova::start(&["--processes", "--seconds", "5", "--outage", "1", "--linger", "300"]);
    let prometheus = Prometheus::start_with(env!("CARGO_TARGET_TMPDIR"), &nova.metrics, "");
    let lines = nova.output.until(|line| line == "traffic done");
    scraped_anew(&prometheus, 6);

    let served = counted(&prometheus, "grpc_server_requests_total");
    let called = counted(&prometheus, "grpc_client_edge_requests_total");
    // No call lacks its caller.
    assert_eq!(called, counted(&prometheus, "grpc_client_requests_total"));
    let (from_load, given_up) = (column(&lines, "from-load"), column(&lines, "given-up"));
    let (mut of_services, mut of_load) = (Calls::new(), Calls::new());
    for ((service, method, code), count) in &served {
        let key = (service.clone(), method.clone(), code.clone());
        let calls = called.get(&key).copied().unwrap_or(0);
        let rest = count.checked_sub(calls);
        let rest = rest.unwrap_or_else(|| panic!("{key:?}: {count} served, {calls} called"));
        let method = (key.0, key.1);
        *of_services.entry(method.clone()).or_default() += calls;
        *of_load.entry(method).or_default() += rest;
    }
    // What has callers among the services, and what the load alone calls.
    let internal: Vec<_> = of_services.iter().filter(|(_, calls)| **calls > 0).collect();
    assert_eq!(internal.len(), 6, "{internal:?}");
    for (method, calls) in internal {
        assert_eq!(given_up[method], 0, "{method:?}");
        assert_eq!(of_load[method], from_load[method], "{method:?}: {calls} calls of services");
    }
    let unserved: Vec<_> = called.keys().filter(|key| !served.contains_key(*key)).collect();
    assert!(unserved.is_empty(), "called, but not served: {unserved:?}");

    // Each service is an instance of its own, and that of an edge is its caller's.
    let places = instances(&prometheus, "service", "grpc_server_requests_total");
    let mut targets: Vec<_> = places.iter().map(|[_, instance]| instance.as_str()).collect();
    let mut expected: Vec<_> = nova.metrics.iter().map(String::as_str).collect();
    targets.sort_unstable();
    expected.sort_unstable();
    assert_eq!(targets, expected, "{places:?}");
    let callers = instances(&prometheus, "caller_service", "grpc_client_edge_requests_total");
    assert_eq!(callers.len(), 4, "{callers:?}");
    assert!(callers.iter().all(|caller| places.contains(caller)), "{callers:?} of {places:?}");

    // What Nova says of the codes, from which the sums above are taken.
    let verdict = lines.iter().find(|line| line.starts_with("checked ")).unwrap();
    assert!(verdict.ends_with("all agree"), "{verdict}");
    assert_eq!(nova.interrupt(), Some(0));
}
