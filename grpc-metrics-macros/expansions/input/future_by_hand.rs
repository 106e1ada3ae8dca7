#[instrument_grpc]
impl Greeter for MyGreeter {
    fn say_hello<'a>(&'a self, request: Request<HelloRequest>) -> BoxFuture<'a, HelloReply> {
        if self.closed() {
            return Box::pin(ready(Err(Status::unavailable("closed"))));
        }
        self.greet(request)
    }
}
