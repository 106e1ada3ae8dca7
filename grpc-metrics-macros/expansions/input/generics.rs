#[tonic::async_trait]
#[instrument_grpc(service = "pkg.Greeter")]
impl<'a, T: Store<Item = M>, M, const N: usize> Greeter<M> for MyGreeter<'a, T, N>
where
    M: Message,
{
    async fn say_hello(&self, request: Request<M>) -> Result<Response<T::Reply>, Status> {
        self.store.answer(request).await
    }
}
