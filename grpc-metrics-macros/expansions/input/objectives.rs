#[instrument_grpc(slo(availability = 99.9, latency = "200ms", percentile = 95))]
impl Greeter for MyGreeter {
    async fn as_the_impl(&self, request: Request<A>) -> Result<Response<B>, Status> {
        self.answer(request)
    }

    #[rpc(slo(latency = "2s"))]
    async fn slower(&self, request: Request<A>) -> Result<Response<B>, Status> {
        self.answer(request)
    }

    #[rpc(slo(percentile = 50))]
    async fn fewer(&self, request: Request<A>) -> Result<Response<B>, Status> {
        self.answer(request)
    }

    #[rpc(slo(availability = 99))]
    async fn less(&self, request: Request<A>) -> Result<Response<B>, Status> {
        self.answer(request)
    }

    #[rpc(slo = false)]
    async fn nothing(&self, request: Request<A>) -> Result<Response<B>, Status> {
        self.answer(request)
    }
}
