//! The text that is written at once is the one that `TextEncoder` makes of the gathered families.

use std::collections::HashMap;

use grpc_metrics_runtime::prometheus::core::{Collector, Desc};
use grpc_metrics_runtime::prometheus::proto::{LabelPair, Metric, MetricFamily};
use grpc_metrics_runtime::prometheus::{
    Counter, IntCounter, IntCounterVec, Opts, Registry, TextEncoder,
};
use grpc_metrics_runtime::{CodeLabel, GrpcMetrics, encode_registry, instrument_grpc};
use support::pb::scripted_server::Scripted;
use support::pb::{Reply, Script};
use support::rng::Rng;
use tokio_stream::Empty;
use tonic::{Code, Request, Response, Status, Streaming};

struct Service {
    metrics: GrpcMetrics,
}

#[instrument_grpc(service = "text.Service", metrics = self.metrics)]
#[tonic::async_trait]
impl Scripted for Service {
    async fn unary(&self, _: Request<Script>) -> Result<Response<Reply>, Status> {
        Ok(Response::new(Reply::default()))
    }

    async fn upload(&self, _: Request<Streaming<Script>>) -> Result<Response<Reply>, Status> {
        Ok(Response::new(Reply::default()))
    }

    type WatchStream = Empty<Result<Reply, Status>>;

    async fn watch(&self, _: Request<Script>) -> Result<Response<Self::WatchStream>, Status> {
        Ok(Response::new(tokio_stream::empty()))
    }

    type ChatStream = Empty<Result<Reply, Status>>;

    async fn chat(
        &self,
        _: Request<Streaming<Script>>,
    ) -> Result<Response<Self::ChatStream>, Status> {
        Ok(Response::new(tokio_stream::empty()))
    }
}

/// Counts RPCs of several methods, awkward labels among them.
async fn count(metrics: &GrpcMetrics, rng: &mut Rng) {
    let service = Service { metrics: metrics.clone() };
    service.unary(Request::new(Script::default())).await.expect("it always succeeds");
    let _unfinished = service.watch(Request::new(Script::default())).await;
    for (service, method) in [
        ("b.Service", "Get"),
        ("a.Service", "Put"),
        ("quote\"d", "back\\slash"),
        ("line\nbreak", "ü"),
    ] {
        for _ in 0..rng.below(40) {
            let code = i32::try_from(rng.below(17)).expect("small");
            metrics.guard(service, method).complete(Code::from_i32(code));
        }
    }
}

fn assert_same(metrics: &GrpcMetrics) {
    let expected =
        TextEncoder::new().encode_to_string(&metrics.registry().gather()).expect("it is text");
    assert!(expected.contains("_requests_total{"), "{expected}");
    let text = metrics.encode().expect("it is text");
    for (ours, theirs) in text.lines().zip(expected.lines()) {
        assert_eq!(ours, theirs);
    }
    assert!(text == expected, "{} and {} bytes", text.len(), expected.len());
    // The registry itself is as before.
    let again =
        TextEncoder::new().encode_to_string(&metrics.registry().gather()).expect("it is text");
    assert!(again == expected);
}

#[tokio::test]
async fn the_same_text_with_all_settings() {
    let mut rng = Rng::new(7);
    let plain = GrpcMetrics::builder().registry(&Registry::new()).build().expect("right");
    let custom = GrpcMetrics::builder()
        .registry(&Registry::new())
        .prefix("zzz:grpc")
        .const_label("zone", "a \"b\" \\c\n")
        .const_label("app", "shop")
        .buckets([0.000_000_1, 0.1, 7.0, 1e9])
        .code_label(CodeLabel::Name)
        .build()
        .expect("right");
    for metrics in [&plain, &custom] {
        assert_same(metrics);
        count(metrics, &mut rng).await;
        assert_same(metrics);
    }
}

#[tokio::test]
async fn the_same_text_beside_other_collectors_and_in_a_registry_with_prefix_and_labels() {
    let mut rng = Rng::new(8);
    let labels = HashMap::from([("cluster".to_owned(), "x\"y".to_owned())]);
    let registry = Registry::new_custom(Some("outer".to_owned()), Some(labels)).expect("legal");
    for name in ["aaa_total", "grpc_server_other_total", "zzz_total"] {
        let counter = IntCounter::new(name, "Somebody else's.").expect("legal");
        registry.register(Box::new(counter)).expect("new");
    }
    let vector = IntCounterVec::new(Opts::new("mmm", "Somebody else's."), &["a"]).expect("legal");
    vector.with_label_values(&["\n"]).inc();
    registry.register(Box::new(vector)).expect("new");
    let metrics = GrpcMetrics::builder().registry(&registry).build().expect("right");
    count(&metrics, &mut rng).await;
    assert_same(&metrics);
}

#[tokio::test]
async fn the_same_text_with_several_instances_in_one_registry() {
    let mut rng = Rng::new(9);
    let registry = Registry::new();
    let build =
        |name| GrpcMetrics::builder().registry(&registry).const_label("shard", name).build();
    // A registry collects them in an order that differs from run to run.
    let names = ["f", "a", "10", "2", "", "c", "b", "1", "e", "d", "3", "\""];
    let instances = names.map(|name| build(name).expect("right"));
    for instance in &instances {
        count(instance, &mut rng).await;
    }
    assert_same(&instances[0]);
    let text = instances[0].encode().expect("it is text");
    assert_eq!(text.matches("# TYPE grpc_server_requests_total").count(), 1);
}

/// A collector that does what a registry can't forbid.
struct Rogue(fn() -> Vec<MetricFamily>, Desc);

impl Rogue {
    fn boxed(collect: fn() -> Vec<MetricFamily>) -> Box<dyn Collector> {
        let desc = Desc::new("rogue".to_owned(), "rogue".to_owned(), Vec::new(), HashMap::new());
        Box::new(Self(collect, desc.expect("legal")))
    }
}

impl Collector for Rogue {
    fn desc(&self) -> Vec<&Desc> {
        vec![&self.1]
    }

    fn collect(&self) -> Vec<MetricFamily> {
        (self.0)()
    }
}

#[tokio::test]
async fn another_collector_with_our_names_is_shown_as_the_registry_shows_it() {
    let metrics = GrpcMetrics::builder().registry(&Registry::new()).build().expect("right");
    count(&metrics, &mut Rng::new(10)).await;
    let impostor = Rogue::boxed(|| {
        let counter = IntCounter::new("grpc_server_requests_total", "An impostor.").expect("legal");
        counter.collect()
    });
    metrics.registry().register(impostor).expect("its descriptor is another's");
    let text = metrics.encode().expect("it is text");
    assert!(text.lines().any(|line| line == "grpc_server_requests_total 0"), "{text}");
    assert!(!text.contains('\0'), "no placeholder is left");
}

#[tokio::test]
async fn a_collector_that_panics_leaves_nothing_behind() {
    let metrics = GrpcMetrics::builder().registry(&Registry::new()).build().expect("right");
    count(&metrics, &mut Rng::new(11)).await;
    let healthy = metrics.encode().expect("it is text");
    metrics.registry().register(Rogue::boxed(|| panic!("on purpose"))).expect("new");
    let encoding = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| metrics.encode()));
    assert!(encoding.is_err());
    // On the same thread: the families are the whole ones again.
    let families = metrics.collect();
    let text = TextEncoder::new().encode_to_string(&families).expect("it is text");
    assert_eq!(text.lines().count(), healthy.lines().count());
    metrics.registry().unregister(Rogue::boxed(Vec::new)).expect("registered");
    assert!(metrics.encode().expect("it is text") == healthy);
}

/// A collector that makes one counter of whatever it looks at.
struct Looking<F>(Desc, F);

impl<F: Fn() -> f64> Looking<F> {
    fn new(name: &str, look: F) -> Self {
        let desc = Desc::new(name.to_owned(), name.to_owned(), vec![], HashMap::new());
        Self(desc.expect("a legal name"), look)
    }
}

impl<F: Fn() -> f64 + Send + Sync> Collector for Looking<F> {
    fn desc(&self) -> Vec<&Desc> {
        vec![&self.0]
    }

    fn collect(&self) -> Vec<MetricFamily> {
        let counter = Counter::new(&self.0.fq_name, &self.0.help).expect("a legal name");
        counter.inc_by((self.1)());
        counter.collect()
    }
}

#[test]
fn the_same_text_beside_a_collector_that_looks_at_another_registry() {
    let (outer, inner) = (Registry::new(), Registry::new());
    let metrics = GrpcMetrics::builder().registry(&outer).build().expect("right");
    let other = GrpcMetrics::builder().registry(&inner).prefix("inner").build().expect("right");
    for metrics in [&metrics, &other] {
        metrics.guard("service", "Method").complete(Code::Ok);
    }
    // Its text, in the midst of ours; and its families, whose values somebody adds up.
    let text =
        move || f64::from(u16::try_from(other.encode().expect("text").len()).expect("short"));
    outer.register(Box::new(Looking::new("a_text_bytes", text))).expect("new");
    let requests = move || {
        let text = TextEncoder::new().encode_to_string(&inner.gather()).expect("it is text");
        let requests = text.lines().filter(|line| line.starts_with("inner_requests_total{"));
        let values = requests.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok());
        values.sum()
    };
    outer.register(Box::new(Looking::new("b_requests_total", requests))).expect("new");
    assert_same(&metrics);
    let text = metrics.encode().expect("it is text");
    assert!(text.contains("\nb_requests_total 1\n"), "{text}");
    assert!(!text.contains("\na_text_bytes 0\n"), "{text}");
}

/// Returns a registry with metrics, and one with a collector that passes them on after this change.
fn passing_on(
    change: impl Fn(&mut Vec<MetricFamily>) + Send + Sync + 'static,
) -> (GrpcMetrics, Registry) {
    let (outer, inner) = (Registry::new(), Registry::new());
    let builder = GrpcMetrics::builder().registry(&inner);
    let metrics = builder.const_label("zone", "a").build().expect("right");
    for method in ["Get", "Put"] {
        metrics.guard("service", method).complete(Code::Ok);
    }
    outer
        .register(Box::new(PassingOn(Looking::new("any", || 0.0).0, move || {
            let mut families = inner.gather();
            change(&mut families);
            families
        })))
        .expect("new");
    (metrics, outer)
}

struct PassingOn<F>(Desc, F);

impl<F: Fn() -> Vec<MetricFamily> + Send + Sync> Collector for PassingOn<F> {
    fn desc(&self) -> Vec<&Desc> {
        vec![&self.0]
    }

    fn collect(&self) -> Vec<MetricFamily> {
        (self.1)()
    }
}

fn each_metric(change: impl Fn(&mut Metric)) -> impl Fn(&mut Vec<MetricFamily>) {
    move |families| families.iter_mut().for_each(|f| f.mut_metric().iter_mut().for_each(&change))
}

fn each_label(change: impl Fn(&mut Vec<LabelPair>)) -> impl Fn(&mut Vec<MetricFamily>) {
    each_metric(move |metric| {
        let mut labels = metric.take_label();
        change(&mut labels);
        metric.set_label(labels);
    })
}

fn assert_same_text(registry: &Registry, what: &str) {
    let expected = TextEncoder::new().encode_to_string(&registry.gather()).expect("it is text");
    let text = encode_registry(registry).expect("it is text");
    let mut lines = text.lines().zip(expected.lines());
    let differs = lines.find(|(ours, theirs)| ours != theirs);
    assert!(text == expected, "{what}: {differs:?}");
}

type Change = Box<dyn Fn(&mut Vec<MetricFamily>) + Send + Sync>;

#[test]
fn the_same_text_beside_a_collector_that_passes_families_on_changed() {
    let named = |name: &'static str| move |label: &LabelPair| label.name() == name;
    let changes: [(&str, Change); 7] = [
        ("unchanged", Box::new(|_| {})),
        (
            "names",
            Box::new(|all| all.iter_mut().for_each(|f| f.set_name(format!("x_{}", f.name())))),
        ),
        ("help", Box::new(|all| all.iter_mut().for_each(|f| f.set_help("Other help.".to_owned())))),
        ("timestamps", Box::new(each_metric(|metric| metric.set_timestamp_ms(5_000)))),
        ("fewer labels", Box::new(each_label(move |labels| labels.retain(|l| !named("zone")(l))))),
        (
            "a renamed label",
            Box::new(each_label(move |labels| {
                let mut all = labels.iter_mut();
                all.find(|label| label.name() == "service").expect("ours").set_name("svc".into());
            })),
        ),
        (
            "other values of a label",
            Box::new(each_label(|labels| {
                let mut all = labels.iter_mut();
                all.find(|label| label.name() == "method").expect("ours").set_value("any".into());
            })),
        ),
    ];
    for (what, change) in changes {
        let (_metrics, registry) = passing_on(change);
        assert_same_text(&registry, what);
    }
}

#[test]
fn the_same_text_with_an_instance_collected_twice() {
    let metrics = GrpcMetrics::builder().registry(&Registry::new()).build().expect("right");
    for method in ["Get", "Put"] {
        metrics.guard("service", method).complete(Code::Ok);
    }
    let desc = Looking::new("any", || 0.0).0;
    let again = metrics.clone();
    let again = Box::new(PassingOn(desc, move || again.collect()));
    metrics.registry().register(again).expect("new");
    assert_same_text(metrics.registry(), "twice");
}
