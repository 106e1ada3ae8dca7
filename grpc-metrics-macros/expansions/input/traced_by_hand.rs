#[instrument_grpc]
impl Greeter for MyGreeter {
    #[tracing::instrument(skip_all)]
    fn after_more<'a>(&'a self, request: Request<A>) -> Pin<Box<dyn Future<Output = Result<Response<B>, Status>> + Send + 'a>> {
        let request = self.log(request);
        Box::pin(async move { self.answer(request) })
    }

    #[tracing::instrument(skip_all)]
    fn guarded<'a>(&'a self, _: Request<A>) -> Pin<Box<dyn Future<Output = Result<Response<B>, Status>> + Send + 'a>> {
        if CLOSED { return closed() }
        Box::pin(async move { Err(Status::aborted("always")) })
    }
}
