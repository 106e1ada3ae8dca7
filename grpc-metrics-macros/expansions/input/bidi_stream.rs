#[tonic::async_trait]
#[instrument_grpc(metrics = self.metrics)]
impl Greeter for MyGreeter {
    type ChatStream = BoxStream<Message>;

    async fn chat(self: Arc<Self>, mut request: Request<Streaming<Message>>) -> tonic::Result<Response<Self::ChatStream>> {
        Ok(Response::new(Box::pin(self.echo(request.into_inner()))))
    }
}
