#[instrument_grpc]
impl Greeter for MyGreeter {
    #[cached]
    fn at_once<'a>(&'a self, request: Request<A>) -> Pin<Box<dyn Future<Output = Result<Response<B>, Status>> + Send + 'a>> {
        Box::pin(async move { self.answer(request) })
    }

    #[cached]
    fn after_more<'a>(&'a self, request: Request<A>) -> Pin<Box<dyn Future<Output = Result<Response<B>, Status>> + Send + 'a>> {
        let request = self.log(request);
        Box::pin(async move { self.answer(request) })
    }

    #[cached]
    async fn natively(&self, request: Request<A>) -> Result<Response<B>, Status> {
        self.answer(request)
    }
}
