#[cfg(unix)]
const _: () = {
    use ::grpc_metrics_runtime::__private::{
        self as __grpc, DeclaresStream as _, ReturnsMessage as _, ReturnsStream as _,
        TakesMessage as _,
    };
    const __SERVICE: &::core::primitive::str = "Greeter";
    #[cfg(feature = "polite")]
    static __RPC_say_hello: __grpc::Method = __grpc::method(
            __SERVICE,
            "SayHELLO",
            __grpc::Argument::<Request<HelloRequest>>::__GRPC_STREAMS,
            __grpc::Returned::<Result<Response<HelloReply>, Status>>::__GRPC_STREAMS,
        )
        .build();
    #[cfg(not(feature = "polite"))]
    static __RPC_say_hello: __grpc::Method = __grpc::method(
            __SERVICE,
            "SayHELLO",
            __grpc::Argument::<Request<HelloRequest>>::__GRPC_STREAMS,
            __grpc::Returned::<Result<Response<HelloReply>, Status>>::__GRPC_STREAMS,
        )
        .build();
    __grpc::submit! {
        __grpc::service(__SERVICE, "Greeter for MyGreeter", false, & [#[cfg(feature =
        "polite")] & __RPC_say_hello, #[cfg(not(feature = "polite"))] & __RPC_say_hello])
    }
    #[cfg(unix)]
    impl Greeter for MyGreeter {
        #[cfg(feature = "polite")]
        #[allow(clippy::type_complexity)]
        fn say_hello<'life0, 'async_trait>(
            &'life0 self,
            request: Request<HelloRequest>,
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
                __grpc::rpc::<Request<HelloRequest>>(&__RPC_say_hello, &request),
                async move {
                    if let ::core::option::Option::Some(__ret) = ::core::option::Option::None::<
                        Result<Response<HelloReply>, Status>,
                    > {
                        #[allow(unreachable_code)] return __ret;
                    }
                    let request = request;
                    let __ret: Result<Response<HelloReply>, Status> = {
                        self.greet(request)
                    };
                    #[allow(unreachable_code)] __ret
                },
            )
        }
        #[cfg(not(feature = "polite"))]
        #[allow(clippy::type_complexity)]
        fn say_hello<'life0, 'async_trait>(
            &'life0 self,
            request: Request<HelloRequest>,
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
                __grpc::rpc::<Request<HelloRequest>>(&__RPC_say_hello, &request),
                async move {
                    if let ::core::option::Option::Some(__ret) = ::core::option::Option::None::<
                        Result<Response<HelloReply>, Status>,
                    > {
                        #[allow(unreachable_code)] return __ret;
                    }
                    let request = request;
                    let __ret: Result<Response<HelloReply>, Status> = {
                        self.shout(request)
                    };
                    #[allow(unreachable_code)] __ret
                },
            )
        }
    }
};
