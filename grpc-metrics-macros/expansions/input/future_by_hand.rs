#[instrument_grpc]
impl Greeter for MyGreeter {
    fn say_hello<'a>(&'a self, request: Request<HelloRequest>) -> BoxFuture<'a, HelloReply> {
        if self.closed() {
            return Box::pin(ready(Err(Status::unavailable("closed"))));
        }
        self.greet(request)
    }

    fn say_again<'a>(&'a self, _: Request<Borrowed<'a>>) -> BoxFuture<'a, HelloReply> {
        std::boxed::Box::pin(async move { Err(Status::aborted("always")) })
    }

    fn at_once<'a>(&'a self, request: Request<A>) -> Pin<Box<dyn Future<Output = Result<Response<B>, Status>> + Send + 'a>> {
        std::boxed::Box::pin(async move { self.answer(request) })
    }

    fn after_more<'a>(&'a self, request: Request<A>) -> Pin<Box<dyn Future<Output = Result<Response<B>, Status>> + Send + 'a>> {
        let request = self.log(request);
        Box::pin(async move { self.answer(request) })
    }

    fn by_return<'a>(&'a self, request: Request<A>) -> Pin<Box<dyn Future<Output = Result<Response<B>, Status>> + Send + 'a>> {
        return Box::pin(async move { self.answer(request) })
    }

    fn by_other_call<'a>(&'a self, request: Request<A>) -> Pin<Box<dyn Future<Output = Result<Response<B>, Status>> + Send + 'a>> {
        task::boxed(async move { self.answer(request) })
    }

    fn without_move<'a>(&'a self, _: Request<A>) -> Pin<Box<dyn Future<Output = Result<Response<B>, Status>> + Send + 'a>> {
        Box::pin(async { Err(Status::aborted("always")) })
    }

    fn guarded<'a>(&'a self, _: Request<A>) -> Pin<Box<dyn Future<Output = Result<Response<B>, Status>> + Send + 'a>> {
        if CLOSED { return closed() }
        Box::pin(async move { Err(Status::aborted("always")) })
    }

    fn by_other_type<'a>(&'a self, request: Request<A>) -> Pin<Box<dyn Future<Output = Result<Response<B>, Status>> + Send + 'a>> {
        Other::pin(async move { self.answer(request) })
    }

    fn by_other_function<'a>(&'a self, request: Request<A>) -> Pin<Box<dyn Future<Output = Result<Response<B>, Status>> + Send + 'a>> {
        Box::new(async move { self.answer(request) })
    }

    fn by_other_brackets<'a>(&'a self, request: Request<A>) -> Pin<Box<dyn Future<Output = Result<Response<B>, Status>> + Send + 'a>> {
        Box::pin[async move { self.answer(request) }]
    }

    fn by_argument<'a>(&'a self, request: Request<A>) -> Pin<Box<dyn Future<Output = Result<Response<B>, Status>> + Send + 'a>> {
        task(Box::pin(async move { self.answer(request) }))
    }
}
