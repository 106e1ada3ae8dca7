#[tonic::async_trait]
#[instrument_grpc(service = greeter_server::SERVICE_NAME)]
impl Greeter for MyGreeter {
    async fn say_all(&self, request: Request<Streaming<HelloRequest>>) -> Result<Response<HelloReply>, Status> {
        self.greet_all(request.into_inner()).await
    }
}
