#[tonic::async_trait]
#[instrument_grpc(span = false)]
impl Greeter for MyGreeter {
    async fn say_hello(&self, request: Request<HelloRequest>) -> Result<Response<HelloReply>, Status> {
        self.greet(request)
    }

    #[rpc(span = true)]
    async fn say_more(&self, request: Request<HelloRequest>) -> Result<Response<HelloReply>, Status> {
        self.greet(request)
    }
}
