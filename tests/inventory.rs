//! Contract, section D: what is known before the first call; and C3, which needs programs like D1 and D4.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use grpc_metrics_runtime::{GrpcMetrics, MethodSnapshot, instrument_grpc};
use support::bed::{Bed, own_metrics};
use support::clients::Kind;
use support::pb::names::odd_client::OddClient;
use support::pb::names::{Nothing, bare_server, odd_server};
use support::process::output_in_time;
use support::programs::build_release;
use support::scrape::Scrape;
use support::script::{fail, script};
use support::scripted::SERVICE;
use support::server::Server;
use tokio_stream::{Iter, StreamExt, iter};
use tonic::service::Routes;
use tonic::{Code, Request, Response, Status, Streaming};

/// What a program has printed.
struct Output {
    default_registry: Scrape,
    own_registry: Scrape,
    stderr: Vec<String>,
}

fn run(program: impl AsRef<Path>, task: &str) -> Output {
    run_with(program, &[task])
}

fn run_with(program: impl AsRef<Path>, task: &[&str]) -> Output {
    let output = output_in_time(Command::new(program.as_ref()).args(task));
    let (stdout, stderr) =
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert!(output.status.success(), "{task:?}: {stdout}\n{stderr}");
    let (default, own) = stdout.split_once("--\n").unwrap_or(("", ""));
    Output {
        default_registry: Scrape::parse(default.to_owned()),
        own_registry: Scrape::parse(own.to_owned()),
        stderr: stderr.lines().map(str::to_owned).collect(),
    }
}

const ECHO: &str = env!("CARGO_BIN_EXE_program_echo");
const TWINS: &str = env!("CARGO_BIN_EXE_program_twins");
const WARNED: &str = env!("CARGO_BIN_EXE_program_warned");

/// The methods of the echo program, and whether they answer with a stream.
const METHODS: [(&str, &str, &str, bool); 8] = [
    ("names.v1.Bare", "Say", "unary", false),
    ("names.v1.Odd", "GetKV", "unary", false),
    ("names.v1.Odd", "GetURL", "server_stream", true),
    ("names.v1.Odd", "GetV2Item", "unary", false),
    ("names.v1.Odd", "ListIDs", "server_stream", true),
    ("names.v1.Odd", "ListUsers", "bidi_stream", true),
    ("names.v1.Odd", "PlainName", "unary", false),
    ("names.v1.Odd", "Type", "unary", false),
];

const SCRIPTED: [(&str, &str, &str, bool); 4] = [
    (SERVICE, "Chat", "bidi_stream", true),
    (SERVICE, "Unary", "unary", false),
    (SERVICE, "Upload", "client_stream", false),
    (SERVICE, "Watch", "server_stream", true),
];

/// The process-wide instance shows those of `metrics = …` too: it may be the one that this gives.
fn all_methods() -> Vec<(&'static str, &'static str, &'static str, bool)> {
    METHODS.into_iter().chain(SCRIPTED).collect()
}

/// Asserts that the series are those of these methods before any call, and nothing else. The process-wide instance has
/// also those of the generated client.
fn assert_at_zero(scrape: &Scrape, methods: &[(&str, &str, &str, bool)]) {
    type Series = BTreeMap<(String, BTreeMap<String, String>), f64>;
    let mut expected = Series::new();
    let bounds = grpc_metrics_runtime::DEFAULT_BUCKETS.iter().map(f64::to_string);
    let bounds: Vec<String> = bounds.collect();
    let is_global = methods.iter().any(|(service, ..)| METHODS.iter().any(|(s, ..)| s == service));
    let called = if is_global { &SCRIPTED[..] } else { &[] };
    let sides = [("grpc_server", methods), ("grpc_client", called)];
    for (prefix, methods) in sides {
        let mut add = |name: &str, labels: &[(&str, &str)], value: f64| {
            let labels = labels.iter().map(|(k, v)| ((*k).into(), (*v).into()));
            let key = (format!("{prefix}_{name}"), labels.collect());
            expected.insert(key, value);
        };
        for (service, method, kind, server_streams) in methods {
            let of = [("service", *service), ("method", *method)];
            let with = |name, value| [of[0], of[1], (name, value)];
            for code in ["0", "2", "4", "12", "13", "14", "15"] {
                add("requests_total", &with("code", code), 0.0);
            }
            for bound in bounds.iter().map(String::as_str).chain(["+Inf"]) {
                let labels = with("le", bound);
                add("request_duration_seconds_bucket", &labels, 0.0);
            }
            add("request_duration_seconds_count", &of, 0.0);
            add("request_duration_seconds_sum", &of, 0.0);
            add("in_flight_requests", &of, 0.0);
            add("method_info", &with("type", kind), 1.0);
            let is_server = prefix == "grpc_server";
            let client_streams = ["client_stream", "bidi_stream"].contains(kind);
            if if is_server { *server_streams } else { client_streams } {
                add("stream_messages_sent_total", &of, 0.0);
            }
            if !is_server && *server_streams {
                add("stream_messages_received_total", &of, 0.0);
            }
        }
    }
    assert_eq!(scrape.series, expected, "{}", scrape.text);
}

/// The RPCs of a scrape, by service, method and code.
fn counted(scrape: &Scrape) -> Vec<(&str, &str, &str, f64)> {
    let requests = scrape.named("grpc_server_requests_total");
    requests
        .filter(|(_, value)| *value > 0.0)
        .map(|(labels, value)| {
            let label = |name: &str| labels[name].as_str();
            (label("service"), label("method"), label("code"), value)
        })
        .collect()
}

const ONE_SAY: [(&str, &str, &str, f64); 1] = [("names.v1.Bare", "Say", "0", 1.0)];

#[test]
fn d1_every_method_is_exposed_at_zero_before_its_first_call() {
    let output = run(ECHO, "scrape before any call");
    assert_at_zero(&output.default_registry, &all_methods());
    assert!(output.stderr.is_empty(), "{:?}", output.stderr);
}

/// The program never mentions the service, which is in a library that it links.
#[test]
fn d1_services_of_libraries_are_known_too() {
    let output = run(ECHO, "own instance");
    assert_at_zero(&output.own_registry, &SCRIPTED);
}

#[test]
fn d1_an_instance_of_one_s_own_shows_what_may_report_to_it() {
    let output = run(ECHO, "install and call");
    let methods = output.own_registry.label_values("grpc_server_method_info", "method");
    let expected = all_methods().into_iter().map(|(_, method, ..)| method);
    assert_eq!(methods, expected.collect::<BTreeSet<_>>());
}

#[tokio::test]
async fn d1_other_codes_appear_when_they_are_first_seen() {
    let bed = Bed::new().await;
    let codes = |kind: Kind| {
        let scrape = bed.scrape();
        let labels = [("service", SERVICE), ("method", kind.method())];
        let requests = scrape.with("grpc_server_requests_total", &labels);
        let codes = requests.map(|(labels, _)| labels["code"].parse::<u8>().unwrap());
        codes.collect::<BTreeSet<_>>()
    };
    let at_zero = BTreeSet::from([0, 2, 4, 12, 13, 14, 15]);
    assert_eq!(codes(Kind::Unary), at_zero);
    bed.call(Kind::Unary, script([fail(Code::NotFound)], [])).await;
    assert_eq!(codes(Kind::Unary), &at_zero | &[5].into());
    assert_eq!(codes(Kind::Upload), at_zero);
}

/// Optimised, a linker has more of a reason to leave out what nobody calls.
#[test]
#[ignore = "builds a program with optimisations"]
fn d1_release_builds_too() {
    let program = build_release("program_echo");
    let output = run(&program, "scrape before any call");
    assert_at_zero(&output.default_registry, &all_methods());
    let output = run(&program, "own instance");
    assert_at_zero(&output.own_registry, &SCRIPTED);
}

type Nothings = Iter<std::array::IntoIter<Result<Nothing, Status>, 1>>;

#[derive(Clone)]
struct Skipping {
    metrics: GrpcMetrics,
}

#[instrument_grpc(service = "skipping.Odd", metrics = self.metrics)]
#[tonic::async_trait]
impl odd_server::Odd for Skipping {
    async fn plain_name(&self, request: Request<Nothing>) -> Result<Response<Nothing>, Status> {
        Ok(Response::new(request.into_inner()))
    }

    #[skip_metrics]
    async fn get_v2_item(&self, request: Request<Nothing>) -> Result<Response<Nothing>, Status> {
        Ok(Response::new(request.into_inner()))
    }

    #[grpc_metrics_runtime::skip_metrics]
    async fn get_kv(&self, _: Request<Nothing>) -> Result<Response<Nothing>, Status> {
        Err(Status::not_found("skipped"))
    }

    #[cfg(not(test))]
    #[rpc(name = "CompiledOut")]
    async fn set_kv(&self, request: Request<Nothing>) -> Result<Response<Nothing>, Status> {
        Ok(Response::new(request.into_inner()))
    }

    #[cfg(test)]
    #[rpc(name = "CompiledIn")]
    async fn set_kv(&self, request: Request<Nothing>) -> Result<Response<Nothing>, Status> {
        Ok(Response::new(request.into_inner()))
    }

    #[cfg(not(test))]
    async fn absent(&self, request: Request<Nothing>) -> Result<Response<Nothing>, Status> {
        Ok(Response::new(request.into_inner()))
    }

    #[skip_metrics]
    async fn r#type(&self, _: Request<Nothing>) -> Result<Response<Nothing>, Status> {
        panic!("scripted panic")
    }

    type GetURLStream = Nothings;

    #[skip_metrics]
    async fn get_url(
        &self,
        request: Request<Nothing>,
    ) -> Result<Response<Self::GetURLStream>, Status> {
        let stream: Self::GetURLStream = iter([Ok(request.into_inner())]);
        Ok(Response::new(stream))
    }

    type ListUsersStream = Nothings;

    #[grpc_metrics_runtime::skip_metrics]
    async fn list_users(
        &self,
        _: Request<Streaming<Nothing>>,
    ) -> Result<Response<Self::ListUsersStream>, Status> {
        Ok(Response::new(iter([Err(Status::aborted("skipped"))])))
    }

    type ListIDsStream = Nothings;

    async fn list_i_ds(
        &self,
        request: Request<Nothing>,
    ) -> Result<Response<Self::ListIDsStream>, Status> {
        Ok(Response::new(iter([Ok(request.into_inner())])))
    }
}

/// The methods of `Skipping` that a scrape shows in any family.
fn methods_of_skipping(scrape: &Scrape) -> BTreeSet<&str> {
    let labels = scrape.series.keys().map(|(_, labels)| labels);
    labels
        .filter(|labels| labels["service"] == "skipping.Odd")
        .map(|labels| labels["method"].as_str())
        .collect()
}

#[tokio::test]
async fn d2_a_skipped_method_works_and_leaves_no_trace() {
    support::faults::expect_panics();
    let (registry, metrics) = own_metrics(|builder| builder);
    let service = odd_server::OddServer::new(Skipping { metrics });
    let server = Server::start(Routes::new(service)).await;
    let before = Scrape::of(&registry);
    assert_eq!(methods_of_skipping(&before), ["CompiledIn", "ListIDs", "PlainName"].into());
    let mut client = OddClient::new(server.connect().await);
    client.get_v2_item(Nothing {}).await.unwrap();
    let status = client.get_kv(Nothing {}).await.unwrap_err();
    assert_eq!(status.code(), Code::NotFound);
    client.r#type(Nothing {}).await.unwrap_err();
    let stream = client.get_url(Nothing {}).await.unwrap().into_inner();
    assert_eq!(stream.collect::<Vec<_>>().await.len(), 1);
    let stream = client.list_users(iter([Nothing {}])).await.unwrap();
    let status = stream.into_inner().message().await.unwrap_err();
    assert_eq!(status.code(), Code::Aborted);
    assert_eq!(Scrape::of(&registry), before);
    // The others do count.
    client.plain_name(Nothing {}).await.unwrap();
    let scrape = Scrape::of(&registry);
    let counted = counted(&scrape);
    assert_eq!(counted, [("skipping.Odd", "PlainName", "0", 1.0)]);
}

#[tokio::test]
async fn d2_a_skipped_method_keeps_its_stream_type() {
    use odd_server::Odd;
    let (_registry, metrics) = own_metrics(|builder| builder);
    let service = Skipping { metrics };
    let request = Request::new(Nothing {});
    let stream: Nothings = service.get_url(request).await.unwrap().into_inner();
    drop(stream);
    let request = Request::new(Nothing {});
    let wrapped: grpc_metrics_runtime::ResponseStream<Nothings> =
        service.list_i_ds(request).await.unwrap().into_inner();
    drop(wrapped);
}

#[tokio::test]
async fn d3_cfg_of_a_method_holds_for_its_inventory_entry() {
    let (registry, metrics) = own_metrics(|builder| builder);
    let service = odd_server::OddServer::new(Skipping { metrics });
    let server = Server::start(Routes::new(service)).await;
    let mut client = OddClient::new(server.connect().await);
    client.set_kv(Nothing {}).await.unwrap();
    let scrape = Scrape::of(&registry);
    let counted = counted(&scrape);
    assert_eq!(counted, [("skipping.Odd", "CompiledIn", "0", 1.0)]);
    let methods = methods_of_skipping(&scrape);
    assert!(!methods.contains("CompiledOut") && !methods.contains("Absent"));
}

#[test]
fn d4_everything_goes_to_the_default_registry() {
    let output = run(ECHO, "call");
    assert_eq!(counted(&output.default_registry), ONE_SAY);
    assert!(output.own_registry.series.is_empty());
    assert!(output.stderr.is_empty(), "{:?}", output.stderr);
}

#[test]
fn d4_unless_the_program_installed_its_own_first() {
    let output = run(ECHO, "install and call");
    assert_eq!(counted(&output.own_registry), ONE_SAY);
    assert!(output.default_registry.series.is_empty());
    assert!(output.stderr.is_empty(), "{:?}", output.stderr);
}

#[test]
fn d4_installed_too_late_is_an_error_and_changes_nothing() {
    let output = run(ECHO, "install late");
    assert_eq!(counted(&output.default_registry), ONE_SAY);
    assert!(counted(&output.own_registry).is_empty());
    let output = run(ECHO, "install twice");
    assert_eq!(counted(&output.own_registry), ONE_SAY);
    assert!(output.default_registry.series.is_empty());
}

#[test]
fn d4_a_name_that_is_taken_is_one_line_on_stderr() {
    let output = run(ECHO, "call with a name taken");
    let [line] = &output.stderr[..] else {
        panic!("not one line: {:?}", output.stderr);
    };
    assert!(line.contains("grpc_server"), "{line}");
    let names: Vec<_> = output.default_registry.types.keys().collect();
    assert_eq!(names, ["grpc_server_in_flight_requests"]);
}

/// Each version of this crate has a process-wide instance, and one registry takes only one of them.
#[test]
fn d4_two_versions_of_this_crate_are_one_line_on_stderr() {
    // The registry says something else of each.
    for task in ["call beside another version", "call beside another version with a label"] {
        let output = run(ECHO, task);
        let [line] = &output.stderr[..] else {
            panic!("not one line: {:?}", output.stderr);
        };
        assert!(line.contains("two versions of grpc-metrics-runtime"), "{line}");
        assert!(line.contains("cargo tree --duplicates --invert grpc-metrics-runtime"), "{line}");
    }
}

#[derive(Clone)]
struct Chosen {
    metrics: std::sync::Arc<GrpcMetrics>,
}

#[instrument_grpc(service = "chosen.Bare", metrics = self.metrics)]
#[tonic::async_trait]
impl bare_server::Bare for Chosen {
    async fn say(&self, request: Request<Nothing>) -> Result<Response<Nothing>, Status> {
        Ok(Response::new(request.into_inner()))
    }
}

#[tokio::test]
async fn d4_metrics_sends_an_impl_to_the_instance_that_it_says() {
    use support::pb::names::bare_client::BareClient;
    let (registries, servers) = {
        let (mut registries, mut servers) = (Vec::new(), Vec::new());
        for _ in 0..2 {
            let (registry, metrics) = own_metrics(|builder| builder);
            let metrics = std::sync::Arc::new(metrics);
            let service = bare_server::BareServer::new(Chosen { metrics });
            servers.push(Server::start(Routes::new(service)).await);
            registries.push(registry);
        }
        (registries, servers)
    };
    for (server, n) in servers.iter().zip([1, 2]) {
        let mut client = BareClient::new(server.connect().await);
        for _ in 0..n {
            client.say(Nothing {}).await.unwrap();
        }
    }
    for (registry, n) in registries.iter().zip([1.0, 2.0]) {
        let scrape = Scrape::of(registry);
        assert_eq!(counted(&scrape), [("chosen.Bare", "Say", "0", n)]);
    }
    let global = GrpcMetrics::global().snapshot();
    assert_eq!(global.method("chosen.Bare", "Say").map(MethodSnapshot::started), Some(0));
}

struct ToTheGlobal;

#[instrument_grpc(service = "to_the_global.Bare", metrics = GrpcMetrics::global())]
#[tonic::async_trait]
impl bare_server::Bare for ToTheGlobal {
    async fn say(&self, _: Request<Nothing>) -> Result<Response<Nothing>, Status> {
        Err(Status::internal("always"))
    }
}

#[tokio::test]
async fn d1_what_metrics_gives_may_be_the_process_wide_instance() {
    use bare_server::Bare;
    let says = || {
        let scrape = Scrape::parse(GrpcMetrics::global().encode().unwrap());
        let labels = [("service", "to_the_global.Bare"), ("code", "13")];
        scrape.value("grpc_server_requests_total", &labels)
    };
    assert_eq!(says(), Some(0.0));
    ToTheGlobal.say(Request::new(Nothing {})).await.unwrap_err();
    assert_eq!(says(), Some(1.0));
}

/// A full disk, a pipe that nobody reads.
#[test]
#[cfg(target_os = "linux")]
fn d4_a_stderr_that_takes_nothing_is_no_reason_to_fail() {
    for (program, task) in [(TWINS, "call"), (ECHO, "call with a name taken")] {
        let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
        let output = Command::new(program).arg(task).stderr(full).output().unwrap();
        assert!(output.status.success(), "{task}: {:?}", output.status);
    }
}

/// A macro's RPCs and a client of another shape are not measured, an alias is no service's name: none of them goes without
/// a word, which is said once.
#[test]
fn d7_what_is_not_as_one_would_think_is_a_line_on_stderr_and_data() {
    for task in ["build", "call"] {
        let output = output_in_time(Command::new(WARNED).arg(task));
        assert!(output.status.success(), "{output:?}");
        let stderr = String::from_utf8(output.stderr).unwrap();
        let stdout = String::from_utf8(output.stdout).unwrap();
        let ours = stderr.lines().filter_map(|line| line.strip_prefix("grpc-metrics-runtime: "));
        let ours: Vec<&str> = ours.collect();
        let [macro_call, alias, client] = &ours[..] else { panic!("{task}: {stderr}") };
        for part in ["Renamed for Calls (", "programs/warned.rs:", " rpcs!,", "#[skip_metrics]"] {
            assert!(macro_call.contains(part), "no {part} in: {macro_call}");
        }
        for part in [
            "Api for Aliased<T> (",
            "programs/warned.rs:",
            "\"Api\"",
            "::bare_server::Bare;",
            "#[instrument_grpc(service = bare_server::SERVICE_NAME)]",
        ] {
            assert!(alias.contains(part), "no {part} in: {alias}");
        }
        for part in ["odd_client (", "programs/warned.rs:", "`inner:", "client_layer()"] {
            assert!(client.contains(part), "no {part} in: {client}");
        }
        let (_, data) = stdout.split_once("--\n").unwrap();
        assert_eq!(data.lines().collect::<Vec<_>>(), ours);
    }
}

/// Other collectors of the registry may panic in a scrape, or use the metrics first of all.
#[test]
fn d5_no_collector_of_the_program_s_own_spoils_the_start() {
    for meddler in ["panics once", "asks for the metrics", "opens a guard"] {
        for (first, calls) in [("call", 1.0), ("scrape", 1.0), ("calls at once", 8.0)] {
            let output = run_with(ECHO, &[meddler, first]);
            let counted = counted(&output.default_registry);
            let says = ("names.v1.Bare", "Say", "0", calls);
            assert!(counted.contains(&says), "{meddler}, first a {first}: {counted:?}");
            let mut lines = output.stderr.iter();
            let ours = lines.find(|line| line.starts_with("grpc-metrics-runtime:"));
            assert_eq!(ours, None, "{meddler}, first a {first}");
        }
    }
}

struct Conditional;

#[instrument_grpc(service = "d3.conditional")]
#[tonic::async_trait]
impl bare_server::Bare for Conditional {
    #[cfg_attr(all(), cfg(all()), allow(clippy::unused_async))]
    async fn say(&self, _: Request<Nothing>) -> Result<Response<Nothing>, Status> {
        Ok(Response::new(Nothing {}))
    }

    #[cfg_attr(all(), cfg(any()))]
    async fn ghost(&self, _: Request<Nothing>) -> Result<Response<Nothing>, Status> {
        Ok(Response::new(Nothing {}))
    }
}

#[tokio::test]
async fn d3_cfg_in_a_cfg_attr_holds_too() {
    use bare_server::Bare;
    Conditional.say(Request::new(Nothing {})).await.unwrap();
    let snapshot = GrpcMetrics::global().snapshot();
    let methods = snapshot.methods().iter().filter(|of| of.service() == "d3.conditional");
    assert_eq!(methods.map(MethodSnapshot::method).collect::<Vec<_>>(), ["Say"]);
}

fn assert_names_the_duplicates(line: &str) {
    for part in [
        "\"Bare\"",
        "Bare for First",
        "Renamed for Second",
        "programs/twins.rs:",
        "#[instrument_grpc(service = ",
    ] {
        assert!(line.contains(part), "no {part} in: {line}");
    }
}

#[test]
fn c3_two_impls_with_one_label_are_an_error_of_the_builder() {
    let output = run(TWINS, "build");
    let [message] = &output.stderr[..] else {
        panic!("not one line: {:?}", output.stderr);
    };
    assert_names_the_duplicates(message);
}

#[test]
fn c3_two_impls_with_one_label_are_one_line_on_stderr() {
    let output = run(TWINS, "call");
    let [line] = &output.stderr[..] else {
        panic!("not one line: {:?}", output.stderr);
    };
    assert_names_the_duplicates(line);
    // Counted together, and not lost.
    let counted = counted(&output.default_registry);
    assert_eq!(counted, [("Bare", "Say", "0", 2.0), ("Bare", "Say", "5", 2.0)]);
}

/// Whichever of them is called first.
#[test]
fn h1_two_impls_with_one_label_share_their_objectives() {
    let output = run(TWINS, "call");
    for (slo, objective) in [("availability", 0.99), ("latency", 0.95)] {
        let labels = [("service", "Bare"), ("method", "Say"), ("slo", slo)];
        let shown = output.default_registry.value("grpc_server_slo_objective_ratio", &labels);
        assert_eq!(shown, Some(objective), "{slo}");
    }
}

#[test]
fn c3_two_impls_may_share_a_label_if_the_program_says_so() {
    let output = run(TWINS, "allow");
    let counted = counted(&output.own_registry);
    assert_eq!(counted, [("Bare", "Say", "0", 2.0), ("Bare", "Say", "5", 2.0)]);
    assert!(output.stderr.is_empty(), "{:?}", output.stderr);
}
