/// Generated client implementations.
pub mod greeter_client {
    #![allow(dead_code)]
    use tonic::codegen::*;
    #[derive(Debug, Clone)]
    pub struct GreeterClient<T> {
        inner: tonic::client::Grpc<T>,
    }
    impl<T> GreeterClient<T>
    where
        T: tonic::client::GrpcService<tonic::body::Body>,
    {
        pub fn new(inner: T) -> Self {
            let inner = tonic::client::Grpc::new(inner);
            Self { inner }
        }
        pub async fn say_hello(
            &mut self,
            request: tonic::Request<super::HelloRequest>,
        ) -> Result<tonic::Response<super::HelloReply>, tonic::Status> {
            let mut call = self.prepare(request).await?;
            call.insert(GrpcMethod::new("pkg.Greeter", "SayHello"));
            call.send().await
        }
    }
    const _: () = {
        ::grpc_metrics_runtime::__private::submit! {
            ::grpc_metrics_runtime::__private::unmeasured_client("greeter_client",
            "the method `say_hello`")
        }
    };
}
