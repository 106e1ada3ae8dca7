const _: () = {
    use ::grpc_metrics_runtime::__private::{
        self as __grpc, DeclaresStream as _, ReturnsMessage as _, ReturnsStream as _,
        TakesMessage as _,
    };
    const __SERVICE: &::core::primitive::str = "Greeter";
    static __RPC_say_hello: __grpc::Method = __grpc::method(
            __SERVICE,
            "SayHello",
            __grpc::Argument::<Request<HelloRequest>>::__GRPC_STREAMS,
            __grpc::Returned::<Result<Response<HelloReply>, Status>>::__GRPC_STREAMS,
        )
        .build();
    __grpc::submit! {
        __grpc::service(__SERVICE, "Greeter for MyGreeter", false, & [& __RPC_say_hello])
    }
    impl Greeter for MyGreeter {
        async fn say_hello(
            &self,
            __request: Request<HelloRequest>,
        ) -> __grpc::StatusReturn<Result<Response<HelloReply>, Status>> {
            __grpc::named_after_trait!(__SERVICE, "Greeter for MyGreeter");
            __grpc::measure(
                    __grpc::Returned::<Result<Response<HelloReply>, Status>>::__GRPC_END,
                    __grpc::rpc::<Request<HelloRequest>>(&__RPC_say_hello, &__request),
                    async move {
                        if let __grpc::Option::Some(__ret) = __grpc::Option::None::<
                            Result<Response<HelloReply>, Status>,
                        > {
                            return __ret;
                        }
                        let request = __request;
                        let __ret: Result<Response<HelloReply>, Status> = {
                            self.greet(request)
                        };
                        #[allow(unreachable_code)] __ret
                    },
                )
                .await
        }
    }
};
