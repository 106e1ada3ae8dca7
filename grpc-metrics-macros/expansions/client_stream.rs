const _: () = {
    use ::grpc_metrics_runtime::__private::{
        self as __grpc, DeclaresStream as _, ReturnsMessage as _, ReturnsStream as _,
        TakesMessage as _,
    };
    const __SERVICE: &::core::primitive::str = greeter_server::SERVICE_NAME;
    static __RPC_say_all: __grpc::Method = __grpc::method(
            __SERVICE,
            "SayAll",
            __grpc::Argument::<Request<Streaming<HelloRequest>>>::__GRPC_STREAMS,
            __grpc::Returned::<Result<Response<HelloReply>, Status>>::__GRPC_STREAMS,
        )
        .build();
    __grpc::submit! {
        __grpc::service(__SERVICE, "Greeter for MyGreeter", false, & [& __RPC_say_all])
    }
    impl Greeter for MyGreeter {
        #[allow(clippy::type_complexity)]
        fn say_all<'life0, 'async_trait>(
            &'life0 self,
            request: Request<Streaming<HelloRequest>>,
        ) -> ::core::pin::Pin<
            Box<
                dyn ::core::future::Future<
                    Output = __grpc::StatusReturn<Result<Response<HelloReply>, Status>>,
                > + ::core::marker::Send + 'async_trait,
            >,
        >
        where
            'life0: 'async_trait,
            Self: 'async_trait,
        {
            __grpc::measure_boxed(
                __grpc::Returned::<Result<Response<HelloReply>, Status>>::__GRPC_END,
                __grpc::rpc::<
                    Request<Streaming<HelloRequest>>,
                >(&__RPC_say_all, &request),
                async move {
                    if let ::core::option::Option::Some(__ret) = ::core::option::Option::None::<
                        Result<Response<HelloReply>, Status>,
                    > {
                        #[allow(unreachable_code)] return __ret;
                    }
                    let request = request;
                    let __ret: Result<Response<HelloReply>, Status> = {
                        self.greet_all(request.into_inner()).await
                    };
                    #[allow(unreachable_code)] __ret
                },
            )
        }
    }
};
