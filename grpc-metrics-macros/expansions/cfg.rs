#[cfg(unix)]
const _: () = {
    #[allow(unused_imports)]
    use ::grpc_metrics_runtime::__private::{
        self as __grpc_metrics, ReturnsMessage as _, TakesMessage as _,
    };
    const __SERVICE: &::core::primitive::str = "Greeter";
    #[cfg(feature = "polite")]
    static __RPC_SAY_HELLO: __grpc_metrics::Method = __grpc_metrics::Method::new(
        __SERVICE,
        "SayHELLO",
        __grpc_metrics::MethodKind::new(
            __grpc_metrics::Argument::<Request<HelloRequest>>::STREAMS,
            __grpc_metrics::Returned::<Result<Response<HelloReply>, Status>>::STREAMS,
        ),
    );
    #[cfg(not(feature = "polite"))]
    static __RPC_SAY_HELLO: __grpc_metrics::Method = __grpc_metrics::Method::new(
        __SERVICE,
        "SayHELLO",
        __grpc_metrics::MethodKind::new(
            __grpc_metrics::Argument::<Request<HelloRequest>>::STREAMS,
            __grpc_metrics::Returned::<Result<Response<HelloReply>, Status>>::STREAMS,
        ),
    );
    __grpc_metrics::submit! {
        __grpc_metrics::Service { name : __SERVICE, implementation :
        "Greeter for MyGreeter", file : __grpc_metrics::file!(), line :
        __grpc_metrics::line!(), chooses_instance : false, methods : & [#[cfg(feature =
        "polite")] & __RPC_SAY_HELLO, #[cfg(not(feature = "polite"))] & __RPC_SAY_HELLO],
        }
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
                    Output = Result<Response<HelloReply>, Status>,
                > + ::core::marker::Send + 'async_trait,
            >,
        >
        where
            'life0: 'async_trait,
            Self: 'async_trait,
        {
            Box::pin(
                __grpc_metrics::Returned::<
                    Result<Response<HelloReply>, Status>,
                >::instrument(
                    __grpc_metrics::rpc::<
                        Request<HelloRequest>,
                    >(&__RPC_SAY_HELLO, &request),
                    async move {
                        if let ::core::option::Option::Some(__ret) = ::core::option::Option::None::<
                            Result<Response<HelloReply>, Status>,
                        > {
                            #[allow(unreachable_code)] return __ret;
                        }
                        let __self = self;
                        let request = request;
                        let __ret: Result<Response<HelloReply>, Status> = {
                            __self.greet(request)
                        };
                        #[allow(unreachable_code)] __ret
                    },
                ),
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
                    Output = Result<Response<HelloReply>, Status>,
                > + ::core::marker::Send + 'async_trait,
            >,
        >
        where
            'life0: 'async_trait,
            Self: 'async_trait,
        {
            Box::pin(
                __grpc_metrics::Returned::<
                    Result<Response<HelloReply>, Status>,
                >::instrument(
                    __grpc_metrics::rpc::<
                        Request<HelloRequest>,
                    >(&__RPC_SAY_HELLO, &request),
                    async move {
                        if let ::core::option::Option::Some(__ret) = ::core::option::Option::None::<
                            Result<Response<HelloReply>, Status>,
                        > {
                            #[allow(unreachable_code)] return __ret;
                        }
                        let __self = self;
                        let request = request;
                        let __ret: Result<Response<HelloReply>, Status> = {
                            __self.shout(request)
                        };
                        #[allow(unreachable_code)] __ret
                    },
                ),
            )
        }
    }
};
