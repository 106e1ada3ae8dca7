#[tonic::async_trait]
#[instrument_grpc]
#[cfg(unix)]
impl Greeter for MyGreeter {
    #[cfg(feature = "polite")]
    #[rpc(name = "SayHELLO")]
    async fn say_hello(&self, request: Request<HelloRequest>) -> Result<Response<HelloReply>, Status> {
        self.greet(request)
    }

    #[cfg(not(feature = "polite"))]
    #[rpc(name = "SayHELLO")]
    async fn say_hello(&self, request: Request<HelloRequest>) -> Result<Response<HelloReply>, Status> {
        self.shout(request)
    }
}
