const _: () = {
    #[allow(unused_imports)]
    use ::grpc_metrics_runtime::__private::{
        self as __grpc_metrics, ReturnsMessage as _, TakesMessage as _,
    };
    const __SERVICE: &::core::primitive::str = "Greeter";
    static __RPC_WATCH: __grpc_metrics::Method = __grpc_metrics::Method::new(
        __SERVICE,
        "Watch",
        __grpc_metrics::MethodKind::new(
            __grpc_metrics::Argument::<Request<WatchRequest>>::STREAMS,
            true,
        ),
    );
    __grpc_metrics::submit! {
        __grpc_metrics::Service { name : __SERVICE, implementation :
        "Greeter for MyGreeter", file : __grpc_metrics::file!(), line :
        __grpc_metrics::line!(), chooses_instance : false, methods : & [& __RPC_WATCH], }
    }
    impl Greeter for MyGreeter {
        type WatchStream = BoxStream<Event>;
        #[allow(clippy::type_complexity)]
        fn watch<'life0, 'async_trait>(
            &'life0 self,
            request: Request<WatchRequest>,
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
                __grpc_metrics::until_return::<
                    Result<Response<Self::WatchStream>, Status>,
                    _,
                >(
                    __grpc_metrics::rpc::<Request<WatchRequest>>(&__RPC_WATCH, &request),
                    async move {
                        if let ::core::option::Option::Some(__ret) = ::core::option::Option::None::<
                            Result<Response<Self::WatchStream>, Status>,
                        > {
                            #[allow(unreachable_code)] return __ret;
                        }
                        let __self = self;
                        let request = request;
                        let __ret: Result<Response<Self::WatchStream>, Status> = {
                            Ok(Response::new(Box::pin(__self.events())))
                        };
                        #[allow(unreachable_code)] __ret
                    },
                ),
            )
        }
    }
};
