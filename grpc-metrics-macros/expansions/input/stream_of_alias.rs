#[instrument_grpc]
impl Greeter for MyGreeter {
    type WatchStream = BoxStream<Event>;

    fn watch<'a>(&'a self, request: Request<A>) -> BoxFuture<'a, Self::WatchStream> {
        self.greet(request)
    }

    #[tracing::instrument]
    fn watch_again<'a>(&'a self, request: Request<A>) -> BoxFuture<'a, Self::WatchStream> {
        self.greet(request)
    }

    async fn nothing(&self, request: Request<A>) {}
}
