const _: () = {
    use ::grpc_metrics_runtime::__private::{
        self as __grpc, DeclaresStream as _, ReturnsMessage as _, ReturnsStream as _,
        TakesMessage as _,
    };
    const __SERVICE: &::core::primitive::str = "Greeter";
    static __RPC_watch: __grpc::Method = __grpc::method(
            __SERVICE,
            "Watch",
            __grpc::Argument::<Request<WatchRequest>>::__GRPC_STREAMS,
            true,
        )
        .until_return()
        .build();
    __grpc::submit! {
        __grpc::service(__SERVICE, "Greeter for MyGreeter", false, & [& __RPC_watch])
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
            __grpc::named_after_trait!(__SERVICE, "Greeter for MyGreeter");
            __grpc::measure_boxed(
                __grpc::at_return::<Result<Response<Self::WatchStream>, Status>>(),
                __grpc::rpc::<Request<WatchRequest>>(&__RPC_watch, &request),
                async move {
                    if let ::core::option::Option::Some(__ret) = ::core::option::Option::None::<
                        Result<Response<Self::WatchStream>, Status>,
                    > {
                        #[allow(unreachable_code)] return __ret;
                    }
                    let request = request;
                    let __ret: Result<Response<Self::WatchStream>, Status> = {
                        Ok(Response::new(Box::pin(self.events())))
                    };
                    #[allow(unreachable_code)] __ret
                },
            )
        }
    }
};
