#[instrument_grpc]
impl Greeter for MyGreeter {
    type WatchStream = BoxStream<Event>;

    async fn watch(&self, request: Request<A>) -> Result<Response<Self::WatchStream>, Status> {
        self.events(request)
    }

    type TailStream = Self::WatchStream;

    #[skip_metrics]
    async fn tail(&self, request: Request<A>) -> Result<Response<Self::TailStream>, Status> {
        let events: Self::WatchStream = self.all(request);
        Ok(Response::new(events))
    }

    #[skip_metrics]
    fn count(&self, events: Self::WatchStream) -> usize {
        events.count()
    }
}
