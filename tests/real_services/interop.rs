//! In the manner of gRPC's interop server: all four kinds, status codes that the request asks for, health
//! and reflection beside it.

use std::pin::Pin;

use grpc_metrics_runtime::instrument_grpc;
use real_services::interop::test_service_client::TestServiceClient;
use real_services::interop::test_service_server::{self, TestServiceServer};
use real_services::interop::{EchoStatus, Empty, SimpleRequest, SimpleResponse, StreamingRequest};
use support::shapes::{codes, counted, serve};
use tokio_stream::{Stream, StreamExt};
use tonic::service::Routes;
use tonic::{Code, Request, Response, Status, Streaming};

struct TestService;

type Stream_<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send + 'static>>;

fn echo(status: Option<EchoStatus>) -> Result<(), Status> {
    match status {
        Some(EchoStatus { code, message }) if code != 0 => {
            Err(Status::new(Code::from_i32(code), message))
        }
        _ => Ok(()),
    }
}

fn response(size: u32) -> SimpleResponse {
    SimpleResponse { payload: vec![0; size as usize] }
}

#[instrument_grpc]
#[tonic::async_trait]
impl test_service_server::TestService for TestService {
    async fn empty_call(&self, _request: Request<Empty>) -> Result<Response<Empty>, Status> {
        Ok(Response::new(Empty {}))
    }

    async fn unary_call(
        &self,
        request: Request<SimpleRequest>,
    ) -> Result<Response<SimpleResponse>, Status> {
        let SimpleRequest { response_size, response_status } = request.into_inner();
        echo(response_status)?;
        Ok(Response::new(response(response_size)))
    }

    type StreamingOutputCallStream = Stream_<SimpleResponse>;

    async fn streaming_output_call(
        &self,
        request: Request<StreamingRequest>,
    ) -> Result<Response<Self::StreamingOutputCallStream>, Status> {
        let StreamingRequest { response_sizes, response_status } = request.into_inner();
        let responses = response_sizes.into_iter().map(|size| Ok(response(size)));
        let end = echo(response_status).err().map(Err);
        Ok(Response::new(Box::pin(tokio_stream::iter(responses.chain(end)))))
    }

    async fn streaming_input_call(
        &self,
        request: Request<Streaming<SimpleRequest>>,
    ) -> Result<Response<SimpleResponse>, Status> {
        let mut requests = request.into_inner();
        let mut total = 0;
        while let Some(SimpleRequest { response_size, response_status }) =
            requests.try_next().await?
        {
            echo(response_status)?;
            total += response_size;
        }
        Ok(Response::new(response(total)))
    }

    type FullDuplexCallStream = Stream_<SimpleResponse>;

    async fn full_duplex_call(
        &self,
        request: Request<Streaming<StreamingRequest>>,
    ) -> Result<Response<Self::FullDuplexCallStream>, Status> {
        let mut requests = request.into_inner();
        let Some(first) = requests.message().await? else {
            return Ok(Response::new(Box::pin(tokio_stream::empty())));
        };
        echo(first.response_status)?;
        let rest = requests.map(|request| {
            let StreamingRequest { response_sizes, response_status } = request?;
            echo(response_status)?;
            Ok(response(response_sizes.into_iter().sum()))
        });
        let first = response(first.response_sizes.into_iter().sum());
        Ok(Response::new(Box::pin(tokio_stream::once(Ok(first)).chain(rest))))
    }

    #[skip_metrics]
    async fn unimplemented_call(&self, _: Request<Empty>) -> Result<Response<Empty>, Status> {
        Err(Status::unimplemented("on purpose"))
    }
}

fn asking(code: Code) -> EchoStatus {
    EchoStatus { code: code as i32, message: "asked for".to_owned() }
}

#[tokio::test]
async fn an_interop_server() {
    let (reporter, health) = tonic_health::server::health_reporter();
    reporter.set_serving::<TestServiceServer<TestService>>().await;
    let reflection = || {
        tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(real_services::INTEROP_DESCRIPTORS)
    };
    let routes = Routes::new(health)
        .add_service(reflection().build_v1().unwrap())
        .add_service(reflection().build_v1alpha().unwrap())
        .add_service(TestServiceServer::new(TestService));
    let channel = serve(routes).await;
    let mut client = TestServiceClient::new(channel.clone());

    client.empty_call(Empty {}).await.unwrap();
    assert!(client.unimplemented_call(Empty {}).await.is_err());
    for code in (0..=16).map(Code::from_i32) {
        let request = SimpleRequest { response_size: 1, response_status: Some(asking(code)) };
        let answered =
            client.unary_call(request.clone()).await.map_or_else(|s| s.code(), |_| Code::Ok);
        assert_eq!(answered, code);
        let requests = tokio_stream::iter([SimpleRequest::default(), request]);
        let answered = client.streaming_input_call(requests).await;
        assert_eq!(answered.map_or_else(|status| status.code(), |_| Code::Ok), code);
        let request =
            StreamingRequest { response_sizes: vec![1, 2], response_status: Some(asking(code)) };
        let mut stream = client.streaming_output_call(request.clone()).await.unwrap().into_inner();
        let ended = loop {
            match stream.message().await {
                Ok(Some(_)) => {}
                Ok(None) => break Code::Ok,
                Err(status) => break status.code(),
            }
        };
        assert_eq!(ended, code);
        let first = StreamingRequest { response_sizes: vec![1], response_status: None };
        let stream = client.full_duplex_call(tokio_stream::iter([first, request])).await.unwrap();
        let answers: Vec<_> = stream.into_inner().collect().await;
        assert_eq!(answers.len(), 2);
    }

    let health = tonic_health::pb::HealthCheckRequest { service: "interop.v1.TestService".into() };
    let mut health_client = tonic_health::pb::health_client::HealthClient::new(channel);
    let serving = health_client.check(health).await.unwrap().into_inner().status;
    assert_eq!(serving, tonic_health::pb::health_check_response::ServingStatus::Serving as i32);

    // Named by the package; without the attribute's help it would be `TestService`.
    let label = "interop.v1.TestService";
    let all: Vec<_> = (0..=16).map(|code| (Code::from_i32(code), 1)).collect();
    assert_eq!(codes(label, "EmptyCall"), [(Code::Ok, 1)]);
    for method in ["UnaryCall", "StreamingInputCall", "StreamingOutputCall", "FullDuplexCall"] {
        assert_eq!(codes(label, method), all, "{method}");
    }
    assert_eq!(counted(label, "StreamingOutputCall").messages_sent(), 2 * 17);
    let snapshot = grpc_metrics_runtime::GrpcMetrics::global().snapshot();
    assert!(snapshot.method(label, "UnimplementedCall").is_none());
    assert!(!snapshot.methods().iter().any(|method| method.service().starts_with("grpc.")));
}
