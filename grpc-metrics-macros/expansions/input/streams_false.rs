#[tonic::async_trait]
#[instrument_grpc(streams = false)]
impl Greeter for MyGreeter {
    type WatchStream = BoxStream<Event>;

    async fn watch(&self, request: Request<WatchRequest>) -> Result<Response<Self::WatchStream>, Status> {
        Ok(Response::new(Box::pin(self.events())))
    }
}
