//! What the programs that read the format make of it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::middleware::map_response;
use axum::response::Response;
use axum::routing::get;
use grpc_metrics_runtime::{GrpcMetrics, http, openmetrics};
use support::prometheus::{JOB, Prometheus};
use support::python;
use support::wait::until;
use tokio::net::TcpListener;
use tokio::task::spawn_blocking;

use super::open::both;
use super::others::{all_kinds, ours, ours_with, twins};

fn now() -> i64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970");
    i64::try_from(now.as_millis()).expect("it fits")
}

#[test]
#[ignore = "needs python3 and the PyPI package prometheus-client"]
fn i1_pythons_parser_reads_the_same_series() {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("openmetrics");
    let python = python::with_packages(
        "PROMETHEUS_CLIENT_PYTHON",
        &directory.join("prometheus-client"),
        &here.join("requirements.txt"),
    );
    let compare = |classic: &str, open: &str| {
        let paths = ["txt", "om"].map(|end| directory.join(format!("series.{end}")));
        for (path, text) in paths.iter().zip([classic, open]) {
            fs::write(path, text).unwrap();
        }
        let output = Command::new(&python).arg(here.join("parse.py")).args(paths).output().unwrap();
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        (output.status.success(), said)
    };
    let kinds = all_kinds(now());
    let alone = kinds.iter().cloned().chain([twins("twins")]);
    let alone = alone.map(|family| ours_with(vec![family]));
    for metrics in [ours(), ours_with(kinds.clone())].into_iter().chain(alone) {
        let (classic, open) = both(&metrics);
        let (agree, said) = compare(&classic, &open);
        assert!(agree, "{said}\n{open}");
    }
    // It would see another value, a name that clashes, and a missing end.
    let (classic, open) = both(&ours());
    let one = "in_flight_requests{zone=\"\\\"a\\\"\\n\\\\\",service=\"a.Service\",method=\"Get\"}";
    let wrong = open.replace(&format!("{one} 0"), &format!("{one} 1"));
    for (wrong, complaint) in [
        (wrong, "0.0 and 1.0"),
        (open.replace("# EOF", "# TYPE grpc_server_requests gauge\n# EOF"), "Clashing name"),
        (open.replace("# EOF\n", ""), "Missing # EOF"),
    ] {
        let (agree, said) = compare(&classic, &wrong);
        assert!(!agree && said.contains(complaint), "{said}");
    }
}

/// The series of a target, without what Prometheus adds itself.
fn of_target(prometheus: &Prometheus, target: &str) -> BTreeMap<String, String> {
    let query = format!("{{job=\"{JOB}\",instance=\"{target}\",__name__!~\"up|scrape_.*\"}}");
    let samples = prometheus.query(&query).into_iter().map(|(labels, value)| {
        let labels = labels.replace(&format!("instance=\"{target}\""), "instance=\"\"");
        (even(&labels), value.to_string())
    });
    samples.collect()
}

/// A series' name with its bound, if it has one, spelled as the classic text does.
fn even(series: &str) -> String {
    let Some((before, rest)) = series.split_once("le=\"") else { return series.to_owned() };
    let (bound, after) = rest.split_once('"').expect(series);
    format!("{before}le=\"{}\"{after}", bound.parse::<f64>().expect(series))
}

/// A server of these metrics, and the types of its answers.
async fn serve(router: Router) -> (String, Arc<Mutex<Vec<String>>>) {
    let types = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&types);
    let router = router.layer(map_response(move |response: Response| {
        let of_answer = response.headers()[CONTENT_TYPE].to_str().expect("text").to_owned();
        seen.lock().unwrap().push(of_answer);
        async { response }
    }));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(axum::serve(listener, router).into_future());
    (address, types)
}

fn classic_only(metrics: &GrpcMetrics) -> Router {
    let metrics = metrics.clone();
    Router::new().route("/metrics", get(async move || metrics.encode().expect("text")))
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the prometheus and promtool programs"]
async fn i1_prometheus_has_the_same_series_from_both_formats() {
    let metrics = ours_with(all_kinds(now()));
    let (open, types) = serve(http::router_of(metrics.registry())).await;
    let (classic, _) = serve(classic_only(&metrics)).await;
    let targets = [open.clone(), classic.clone()];
    let start = move || {
        let targets = targets.each_ref().map(String::as_str);
        Prometheus::start_with(env!("CARGO_TARGET_TMPDIR"), &targets, "")
    };
    let prometheus = spawn_blocking(start).await.unwrap();
    assert!(types.lock().unwrap().iter().all(|of_answer| of_answer == openmetrics::CONTENT_TYPE));

    let theirs = of_target(&prometheus, &classic);
    assert!(theirs.len() > 100, "{theirs:#?}");
    until(|| of_target(&prometheus, &open), |ours| ours.len() == theirs.len()).await;
    assert_eq!(of_target(&prometheus, &open), theirs);
}
