const _: () = {
    use ::grpc_metrics_runtime::__private::{
        self as __grpc, DeclaresStream as _, ReturnsMessage as _, ReturnsStream as _,
        TakesMessage as _,
    };
    const __SERVICE: &::core::primitive::str = greeter_server::SERVICE_NAME;
    static __RPC_watch: __grpc::Method = __grpc::method(
            __SERVICE,
            "Watch",
            __grpc::Argument::<Request<WatchRequest>>::__GRPC_STREAMS,
            true,
        )
        .build();
    static __RPC_tail: __grpc::Method = __grpc::method(
            __SERVICE,
            "Tail",
            __grpc::Argument::<Request<WatchRequest>>::__GRPC_STREAMS,
            true,
        )
        .build();
    __grpc::submit! {
        __grpc::service(__SERVICE, "greeter_server::Greeter for MyGreeter", false, & [&
        __RPC_watch, & __RPC_tail])
    }
    impl greeter_server::Greeter for MyGreeter {
        type WatchStream = <ReceiverStream<
            Result<Event, Status>,
        > as __grpc::StreamType<
            {
                __grpc::DeclaredStream::<
                    ReceiverStream<Result<Event, Status>>,
                >::__GRPC_IS_BOXED
            },
        >>::InImpl;
        #[allow(clippy::type_complexity)]
        fn watch<'life0, 'async_trait>(
            &'life0 self,
            __arg1: Request<WatchRequest>,
        ) -> ::core::pin::Pin<
            Box<
                dyn ::core::future::Future<
                    Output = __grpc::StatusReturn<
                        Result<Response<Self::WatchStream>, Status>,
                    >,
                > + ::core::marker::Send + 'async_trait,
            >,
        >
        where
            'life0: 'async_trait,
            Self: 'async_trait,
        {
            __grpc::measure_boxed(
                __grpc::ReturnedStream::<
                    Result<Response<__grpc::Declared<Self::WatchStream>>, Status>,
                >::__GRPC_END,
                __grpc::rpc::<Request<WatchRequest>>(&__RPC_watch, &__arg1),
                async move {
                    if let ::core::option::Option::Some(__ret) = ::core::option::Option::None::<
                        Result<Response<__grpc::Declared<Self::WatchStream>>, Status>,
                    > {
                        #[allow(unreachable_code)] return __ret;
                    }
                    let __arg1 = __arg1;
                    let __ret: Result<
                        Response<__grpc::Declared<Self::WatchStream>>,
                        Status,
                    > = {
                        let stream: __grpc::Declared<Self::WatchStream> = self.events();
                        Ok(Response::new(stream))
                    };
                    #[allow(unreachable_code)] __ret
                },
            )
        }
        type TailStream = <__grpc::Declared<
            Self::WatchStream,
        > as __grpc::StreamType<
            {
                __grpc::DeclaredStream::<
                    __grpc::Declared<Self::WatchStream>,
                >::__GRPC_IS_BOXED
            },
        >>::InImpl;
        #[allow(clippy::type_complexity)]
        fn tail<'life0, 'async_trait>(
            &'life0 self,
            request: Request<WatchRequest>,
        ) -> ::core::pin::Pin<
            Box<
                dyn ::core::future::Future<
                    Output = __grpc::WrappedReturn<
                        Result<Response<ReceiverStream<Result<Event, Status>>>, Status>,
                        Self::TailStream,
                    >,
                > + ::core::marker::Send + 'async_trait,
            >,
        >
        where
            'life0: 'async_trait,
            Self: 'async_trait,
        {
            __grpc::measure_boxed(
                __grpc::ReturnedStream::<
                    Result<Response<ReceiverStream<Result<Event, Status>>>, Status>,
                >::__GRPC_END,
                __grpc::rpc::<Request<WatchRequest>>(&__RPC_tail, &request),
                async move {
                    if let ::core::option::Option::Some(__ret) = ::core::option::Option::None::<
                        Result<Response<ReceiverStream<Result<Event, Status>>>, Status>,
                    > {
                        #[allow(unreachable_code)] return __ret;
                    }
                    let request = request;
                    let __ret: Result<
                        Response<ReceiverStream<Result<Event, Status>>>,
                        Status,
                    > = {
                        Ok(
                            Response::new(
                                __grpc::Declared::<
                                    Self::TailStream,
                                >::new(self.open(request)?),
                            ),
                        )
                    };
                    #[allow(unreachable_code)] __ret
                },
            )
        }
    }
};
