#[tonic::async_trait]
#[instrument_grpc]
impl Greeter for MyGreeter {
    type WatchStream = BoxStream<Event>;

    /// Not measured.
    #[skip_metrics]
    async fn watch(&self, request: Request<WatchRequest>) -> Result<Response<Self::WatchStream>, Status> {
        Ok(Response::new(Box::pin(self.events())))
    }
}
