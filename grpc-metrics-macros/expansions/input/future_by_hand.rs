#[instrument_grpc]
impl Greeter for MyGreeter {
    fn say_hello<'a>(&'a self, request: Request<HelloRequest>) -> BoxFuture<'a, HelloReply> {
        if self.closed() {
            return Box::pin(ready(Err(Status::unavailable("closed"))));
        }
        self.greet(request)
    }

    fn say_again<'a>(&'a self, _: Request<Borrowed<'a>>) -> BoxFuture<'a, HelloReply> {
        std::boxed::Box::pin(async move { todo!() })
    }
}
