#[tonic::async_trait]
#[::grpc_metrics_runtime::__private::instrument_grpc_last(service = "pkg.Greeter")]
impl Greeter for MyGreeter {
    #[skip_metrics]
    async fn say_hello(
        &self,
        request: Request<HelloRequest>,
    ) -> Result<Response<HelloReply>, Status> {
        self.greet(request)
    }
}
