#[tonic::async_trait]
#[instrument_grpc]
impl Greeter for MyGreeter {
    async fn say_hello(&self, request: Request<HelloRequest>) -> Result<Response<HelloReply>, Status> {
        let message = self.greet(&request.into_inner().name)?;
        Ok(Response::new(HelloReply { message }))
    }
}
