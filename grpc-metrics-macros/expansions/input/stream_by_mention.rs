#[tonic::async_trait]
#[instrument_grpc]
impl Greeter for MyGreeter {
    type OtherStream = BoxStream<Event>;

    async fn odd_name(&self, request: Request<WatchRequest>) -> Result<Response<Self::OtherStream>, Status> {
        Ok(Response::new(Box::pin(self.events())))
    }
}
