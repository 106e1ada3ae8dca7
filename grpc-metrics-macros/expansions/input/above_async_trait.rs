/// Documented.
#[instrument_grpc(service = "pkg.Greeter")]
#[tonic::async_trait]
impl Greeter for MyGreeter {
    #[skip_metrics]
    async fn say_hello(&self, request: Request<HelloRequest>) -> Result<Response<HelloReply>, Status> {
        self.greet(request)
    }
}
