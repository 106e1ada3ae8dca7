#[tonic::async_trait]
#[instrument_grpc(servce = "pkg.Greeter", streams = 1)]
impl Greeter for MyGreeter {
    #[rpc(name = "")]
    async fn say_hello(&self) -> Result<Response<HelloReply>, Status> {
        self.greet()
    }

    #[skip_metrics(always)]
    async fn ping(&self, _: Request<()>) -> Result<Response<()>, Status> {
        Ok(Response::new(()))
    }
}
