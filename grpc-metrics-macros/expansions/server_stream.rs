const _: () = {
    #[allow(unused_imports)]
    use ::grpc_metrics_runtime::__private::{
        self as __grpc_metrics, ReturnsMessage as _, TakesMessage as _,
    };
    const __SERVICE: &::core::primitive::str = greeter_server::SERVICE_NAME;
    static __RPC_WATCH: __grpc_metrics::Method = __grpc_metrics::Method::new(
        __SERVICE,
        "Watch",
        __grpc_metrics::MethodKind::new(
            __grpc_metrics::Argument::<Request<WatchRequest>>::STREAMS,
            true,
        ),
    );
    static __RPC_TAIL: __grpc_metrics::Method = __grpc_metrics::Method::new(
        __SERVICE,
        "Tail",
        __grpc_metrics::MethodKind::new(
            __grpc_metrics::Argument::<Request<WatchRequest>>::STREAMS,
            true,
        ),
    );
    __grpc_metrics::submit! {
        __grpc_metrics::Service { name : __SERVICE, implementation :
        "greeter_server::Greeter for MyGreeter", file : __grpc_metrics::file!(), line :
        __grpc_metrics::line!(), chooses_instance : false, methods : & [& __RPC_WATCH, &
        __RPC_TAIL], }
    }
    impl greeter_server::Greeter for MyGreeter {
        type WatchStream = __grpc_metrics::ResponseStream<
            ReceiverStream<Result<Event, Status>>,
        >;
        #[allow(clippy::type_complexity)]
        fn watch<'life0, 'async_trait>(
            &'life0 self,
            __arg1: Request<WatchRequest>,
        ) -> ::core::pin::Pin<
            Box<
                dyn ::core::future::Future<
                    Output = Result<Response<Self::WatchStream>, Status>,
                > + ::core::marker::Send + 'async_trait,
            >,
        >
        where
            'life0: 'async_trait,
            Self: 'async_trait,
        {
            Box::pin(
                __grpc_metrics::streaming::<
                    Result<
                        Response<<Self::WatchStream as __grpc_metrics::Wrapped>::Stream>,
                        Status,
                    >,
                    _,
                >(
                    __grpc_metrics::rpc::<Request<WatchRequest>>(&__RPC_WATCH, &__arg1),
                    async move {
                        if let ::core::option::Option::Some(__ret) = ::core::option::Option::None::<
                            Result<
                                Response<
                                    <Self::WatchStream as __grpc_metrics::Wrapped>::Stream,
                                >,
                                Status,
                            >,
                        > {
                            #[allow(unreachable_code)] return __ret;
                        }
                        let __self = self;
                        let __arg1 = __arg1;
                        let __ret: Result<
                            Response<
                                <Self::WatchStream as __grpc_metrics::Wrapped>::Stream,
                            >,
                            Status,
                        > = {
                            let stream: <Self::WatchStream as __grpc_metrics::Wrapped>::Stream = __self
                                .events();
                            Ok(Response::new(stream))
                        };
                        #[allow(unreachable_code)] __ret
                    },
                ),
            )
        }
        type TailStream = __grpc_metrics::ResponseStream<
            <Self::WatchStream as __grpc_metrics::Wrapped>::Stream,
        >;
        #[allow(clippy::type_complexity)]
        fn tail<'life0, 'async_trait>(
            &'life0 self,
            request: Request<WatchRequest>,
        ) -> ::core::pin::Pin<
            Box<
                dyn ::core::future::Future<
                    Output = <Result<
                        Response<ReceiverStream<Result<Event, Status>>>,
                        Status,
                    > as __grpc_metrics::HandlerReturn>::Wrapped,
                > + ::core::marker::Send + 'async_trait,
            >,
        >
        where
            'life0: 'async_trait,
            Self: 'async_trait,
        {
            Box::pin(
                __grpc_metrics::streaming::<
                    Result<Response<ReceiverStream<Result<Event, Status>>>, Status>,
                    _,
                >(
                    __grpc_metrics::rpc::<Request<WatchRequest>>(&__RPC_TAIL, &request),
                    async move {
                        if let ::core::option::Option::Some(__ret) = ::core::option::Option::None::<
                            Result<
                                Response<ReceiverStream<Result<Event, Status>>>,
                                Status,
                            >,
                        > {
                            #[allow(unreachable_code)] return __ret;
                        }
                        let __self = self;
                        let request = request;
                        let __ret: Result<
                            Response<ReceiverStream<Result<Event, Status>>>,
                            Status,
                        > = {
                            Ok(
                                Response::new(
                                    <<Self::TailStream as __grpc_metrics::Wrapped>::Stream>::new(
                                        __self.open(request)?,
                                    ),
                                ),
                            )
                        };
                        #[allow(unreachable_code)] __ret
                    },
                ),
            )
        }
    }
};
