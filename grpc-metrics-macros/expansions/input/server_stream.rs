#[tonic::async_trait]
#[instrument_grpc]
impl greeter_server::Greeter for MyGreeter {
    type WatchStream = ReceiverStream<Result<Event, Status>>;

    async fn watch(&self, _: Request<WatchRequest>) -> Result<Response<Self::WatchStream>, Status> {
        let stream: Self::WatchStream = self.events();
        Ok(Response::new(stream))
    }

    type TailStream = Self::WatchStream;

    async fn tail(&self, request: Request<WatchRequest>) -> Result<Response<ReceiverStream<Result<Event, Status>>>, Status> {
        Ok(Response::new(Self::TailStream::new(self.open(request)?)))
    }
}
