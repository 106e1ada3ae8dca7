//! Contract, section C: what services and methods are called. Two impls with one label are programs of
//! their own: see `inventory.rs`.

use std::collections::BTreeMap;

use grpc_metrics_runtime::prometheus::Registry;
use grpc_metrics_runtime::{GrpcMetrics, MethodSnapshot, instrument_grpc};
use support::bed::own_metrics;
use support::pb::names::bare_server::Bare;
use support::pb::names::{
    Nothing, bare_server, constant_server, deep_in_module_server, in_module_server, literal_server,
    named_server, odd_server, renamed_server as renamed,
};
use support::scrape::Scrape;
use support::server::Server;
use tokio_stream::{Empty, Iter, empty, iter};
use tonic::client::Grpc;
use tonic::server::NamedService;
use tonic::service::Routes;
use tonic::{Code, Request, Response, Status, Streaming};
use tonic_prost::ProstCodec;

type Answer = Result<Response<Nothing>, Status>;
type Nothings = Iter<std::array::IntoIter<Result<Nothing, Status>, 1>>;

#[derive(Clone)]
struct Impl {
    metrics: GrpcMetrics,
}

#[instrument_grpc(service = "a literal, whatever it says", metrics = self.metrics)]
#[tonic::async_trait]
impl literal_server::Literal for Impl {
    async fn say(&self, request: Request<Nothing>) -> Answer {
        Ok(Response::new(request.into_inner()))
    }
}

#[instrument_grpc(service = constant_server::SERVICE_NAME, metrics = self.metrics)]
#[tonic::async_trait]
impl constant_server::Constant for Impl {
    async fn say(&self, request: Request<Nothing>) -> Answer {
        Ok(Response::new(request.into_inner()))
    }
}

#[instrument_grpc(
    service = <named_server::NamedServer<()> as NamedService>::NAME,
    metrics = self.metrics,
)]
#[tonic::async_trait]
impl named_server::Named for Impl {
    async fn say(&self, request: Request<Nothing>) -> Answer {
        Ok(Response::new(request.into_inner()))
    }
}

#[instrument_grpc(metrics = self.metrics)]
#[tonic::async_trait]
impl in_module_server::InModule for Impl {
    async fn say(&self, request: Request<Nothing>) -> Answer {
        Ok(Response::new(request.into_inner()))
    }
}

#[instrument_grpc(metrics = self.metrics)]
#[tonic::async_trait]
impl ::support::pb::names::deep_in_module_server::DeepInModule for Impl {
    async fn say(&self, request: Request<Nothing>) -> Answer {
        Ok(Response::new(request.into_inner()))
    }
}

#[instrument_grpc(metrics = self.metrics)]
#[tonic::async_trait]
impl Bare for Impl {
    async fn say(&self, request: Request<Nothing>) -> Answer {
        Ok(Response::new(request.into_inner()))
    }
}

/// The module's last name does not end in `_server` here.
#[instrument_grpc(metrics = self.metrics)]
#[tonic::async_trait]
impl renamed::Renamed for Impl {
    async fn say(&self, request: Request<Nothing>) -> Answer {
        Ok(Response::new(request.into_inner()))
    }
}

#[instrument_grpc(metrics = self.metrics)]
#[tonic::async_trait]
impl odd_server::Odd for Impl {
    async fn plain_name(&self, request: Request<Nothing>) -> Answer {
        Ok(Response::new(request.into_inner()))
    }

    async fn get_v2_item(&self, request: Request<Nothing>) -> Answer {
        Ok(Response::new(request.into_inner()))
    }

    #[rpc(name = "GetKV")]
    async fn get_kv(&self, request: Request<Nothing>) -> Answer {
        Ok(Response::new(request.into_inner()))
    }

    /// Without its name, to see what comes of that.
    async fn set_kv(&self, request: Request<Nothing>) -> Answer {
        Ok(Response::new(request.into_inner()))
    }

    async fn r#type(&self, request: Request<Nothing>) -> Answer {
        Ok(Response::new(request.into_inner()))
    }

    type GetURLStream = Nothings;

    async fn get_url(&self, request: Request<Nothing>) -> Result<Response<Nothings>, Status> {
        Ok(Response::new(iter([Ok(request.into_inner())])))
    }

    type ListUsersStream = Empty<Result<Nothing, Status>>;

    async fn list_users(
        &self,
        _: Request<Streaming<Nothing>>,
    ) -> Result<Response<Self::ListUsersStream>, Status> {
        Ok(Response::new(empty()))
    }

    type ListIDsStream = Nothings;

    #[rpc(name = "what the user says")]
    async fn list_i_ds(
        &self,
        request: Request<Nothing>,
    ) -> Result<Response<Self::ListIDsStream>, Status> {
        Ok(Response::new(iter([Ok(request.into_inner())])))
    }
}

/// A server with all of them.
async fn start() -> (Server, Registry) {
    let (registry, metrics) = own_metrics(|builder| builder);
    let all = Impl { metrics };
    let routes = Routes::new(literal_server::LiteralServer::new(all.clone()))
        .add_service(constant_server::ConstantServer::new(all.clone()))
        .add_service(named_server::NamedServer::new(all.clone()))
        .add_service(in_module_server::InModuleServer::new(all.clone()))
        .add_service(deep_in_module_server::DeepInModuleServer::new(all.clone()))
        .add_service(bare_server::BareServer::new(all.clone()))
        .add_service(renamed::RenamedServer::new(all.clone()))
        .add_service(odd_server::OddServer::new(all));
    (Server::start(routes).await, registry)
}

/// Calls by path, and gives the service and method labels of what was counted.
async fn labels_of(path: &str) -> (String, String) {
    let (server, registry) = start().await;
    let mut client = Grpc::new(server.connect().await);
    client.ready().await.unwrap();
    let codec = ProstCodec::<Nothing, Nothing>::default();
    let request = Request::new(iter([Nothing {}]));
    let answer = client.streaming(request, path.parse().unwrap(), codec).await;
    let mut stream = answer.unwrap().into_inner();
    while stream.message().await.unwrap().is_some() {}
    let scrape = Scrape::of(&registry);
    let requests = scrape.named("grpc_server_requests_total");
    let mut counted = requests.filter(|(_, value)| *value > 0.0);
    let (labels, value) = counted.next().expect("nothing was counted");
    assert_eq!((value, &*labels["code"]), (1.0, "0"));
    assert_eq!(counted.next(), None);
    (labels["service"].clone(), labels["method"].clone())
}

async fn assert_service(path: &str, label: &str) {
    let expected = (label.to_owned(), "Say".to_owned());
    assert_eq!(labels_of(path).await, expected);
}

async fn assert_method(path: &str, label: &str) {
    let expected = ("names.v1.Odd".to_owned(), label.to_owned());
    assert_eq!(labels_of(path).await, expected);
}

#[tokio::test]
async fn c1_service_is_a_literal() {
    assert_service("/names.v1.Literal/Say", "a literal, whatever it says").await;
}

#[tokio::test]
async fn c1_service_is_the_generated_constant() {
    assert_service("/names.v1.Constant/Say", "names.v1.Constant").await;
}

#[tokio::test]
async fn c1_service_is_the_name_of_the_server_type() {
    assert_service("/names.v1.Named/Say", "names.v1.Named").await;
}

#[tokio::test]
async fn c2_service_name_of_the_server_module() {
    assert_service("/names.v1.InModule/Say", "names.v1.InModule").await;
    assert_service("/names.v1.DeepInModule/Say", "names.v1.DeepInModule").await;
}

#[tokio::test]
async fn c3_trait_name_otherwise() {
    assert_service("/names.v1.Bare/Say", "Bare").await;
    assert_service("/names.v1.Renamed/Say", "Renamed").await;
}

#[tokio::test]
async fn c4_upper_camel_case_of_the_rust_name() {
    assert_method("/names.v1.Odd/PlainName", "PlainName").await;
    assert_method("/names.v1.Odd/GetV2Item", "GetV2Item").await;
    assert_method("/names.v1.Odd/Type", "Type").await;
    assert_method("/names.v1.Odd/SetKV", "SetKv").await;
}

#[tokio::test]
async fn c4_the_name_that_is_given() {
    assert_method("/names.v1.Odd/GetKV", "GetKV").await;
    assert_method("/names.v1.Odd/ListIDs", "what the user says").await;
}

#[tokio::test]
async fn c4_the_name_of_the_stream_type() {
    assert_method("/names.v1.Odd/GetURL", "GetURL").await;
    assert_method("/names.v1.Odd/ListUsers", "ListUsers").await;
}

#[tokio::test]
async fn c4_each_method_has_one_name_from_the_first_scrape_on() {
    let (_server, registry) = start().await;
    let scrape = Scrape::of(&registry);
    let mut methods = BTreeMap::<_, Vec<_>>::new();
    for (labels, _) in scrape.named("grpc_server_method_info") {
        let method = labels["method"].as_str();
        methods.entry(labels["service"].as_str()).or_default().push(method);
    }
    let mut odd = methods.remove("names.v1.Odd").unwrap();
    odd.sort_unstable();
    assert_eq!(
        odd,
        [
            "GetKV",
            "GetURL",
            "GetV2Item",
            "ListUsers",
            "PlainName",
            "SetKv",
            "Type",
            "what the user says"
        ]
    );
    // What else is linked here has its own tests.
    for service in [
        "Bare",
        "Renamed",
        "a literal, whatever it says",
        "names.v1.Constant",
        "names.v1.DeepInModule",
        "names.v1.InModule",
        "names.v1.Named",
    ] {
        assert_eq!(methods.remove(service), Some(vec!["Say"]), "{service}");
    }
    let ours = |service: &&&str| service.starts_with("names.v1.");
    assert_eq!(methods.keys().find(ours), None);
}

/// A client that expects one message gets it too: the label is all that differs.
#[tokio::test]
async fn c4_a_name_does_not_change_the_path() {
    let (server, _registry) = start().await;
    let mut client = support::pb::names::odd_client::OddClient::new(server.connect().await);
    client.get_kv(Nothing {}).await.unwrap();
    client.r#type(Nothing {}).await.unwrap();
    let mut client = Grpc::new(server.connect().await);
    client.ready().await.unwrap();
    let codec = ProstCodec::<Nothing, Nothing>::default();
    let path = "/names.v1.Odd/what the user says".replace(' ', "%20");
    let unknown = client.unary(Request::new(Nothing {}), path.parse().unwrap(), codec);
    assert_eq!(unknown.await.unwrap_err().code(), Code::Unimplemented);
}

/// Of protos whose RPCs begin with a small letter; tonic makes the stream's type of the name as it stands.
#[allow(non_camel_case_types)]
#[tonic::async_trait]
trait Small {
    type watchThingStream: Send;
    async fn get_thing(&self, _: Request<Nothing>) -> Answer;
    async fn watch_thing(
        &self,
        _: Request<Nothing>,
    ) -> Result<Response<Self::watchThingStream>, Status>;
}

#[instrument_grpc(service = "names.Small")]
#[tonic::async_trait]
impl Small for () {
    type watchThingStream = Nothings;

    async fn get_thing(&self, request: Request<Nothing>) -> Answer {
        Ok(Response::new(request.into_inner()))
    }

    async fn watch_thing(&self, request: Request<Nothing>) -> Result<Response<Nothings>, Status> {
        Ok(Response::new(iter([Ok(request.into_inner())])))
    }
}

#[tokio::test]
async fn c4_a_method_follows_the_style_of_its_stream_siblings() {
    ().get_thing(Request::new(Nothing {})).await.unwrap();
    ().watch_thing(Request::new(Nothing {})).await.unwrap();
    let snapshot = GrpcMetrics::global().snapshot();
    let methods = snapshot.methods().iter().filter(|of| of.service() == "names.Small");
    assert_eq!(methods.map(MethodSnapshot::method).collect::<Vec<_>>(), ["getThing", "watchThing"]);
}
