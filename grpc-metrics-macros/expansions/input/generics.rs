#[tonic::async_trait]
#[instrument_grpc(service = "pkg.Greeter")]
impl<'a, T: Store<Item = M>, M, const N: usize> Greeter<M> for MyGreeter<'a, T, N>
where
    M: Message,
{
    async fn say_hello(&self, request: Request<M>) -> Result<Response<T::Reply>, Status> {
        self.store.answer(request).await
    }

    async fn say_all(&self, request: Request<Streaming<M>>) -> Result<Response<Summary>, Status> {
        self.store.answer_all(request).await
    }

    async fn say_own(&self, request: Request<Own<Self>>) -> Result<Response<Own<Self>>, Status> {
        self.store.own(request).await
    }
}
