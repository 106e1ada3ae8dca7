#[tonic::async_trait]
#[instrument_grpc]
impl Greeter for MyGreeter {
    #[tracing::instrument(skip(self), err)]
    async fn say_hello(&self, request: Request<HelloRequest>) -> Result<Response<HelloReply>, Status> {
        self.greet(request)
    }
}
