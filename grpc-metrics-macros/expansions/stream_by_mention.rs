const _: () = {
    use ::grpc_metrics_runtime::__private::{
        self as __grpc, DeclaresStream as _, ReturnsMessage as _, ReturnsStream as _,
        TakesMessage as _,
    };
    const __SERVICE: &::core::primitive::str = "Greeter";
    static __RPC_odd_name: __grpc::Method = __grpc::method(
            __SERVICE,
            "OddName",
            __grpc::Argument::<Request<WatchRequest>>::__GRPC_STREAMS,
            true,
        )
        .build();
    __grpc::submit! {
        __grpc::service(__SERVICE, "Greeter for MyGreeter", false, & [& __RPC_odd_name])
    }
    impl Greeter for MyGreeter {
        type OtherStream = <BoxStream<
            Event,
        > as __grpc::StreamType<
            { __grpc::DeclaredStream::<BoxStream<Event>>::__GRPC_IS_BOXED },
        >>::InImpl;
        #[allow(clippy::type_complexity)]
        fn odd_name<'life0, 'async_trait>(
            &'life0 self,
            request: Request<WatchRequest>,
        ) -> ::core::pin::Pin<
            Box<
                dyn ::core::future::Future<
                    Output = __grpc::StatusReturn<
                        Result<Response<Self::OtherStream>, Status>,
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
                __grpc::ReturnedStream::<
                    Result<Response<__grpc::Declared<Self::OtherStream>>, Status>,
                >::__GRPC_END,
                __grpc::rpc::<Request<WatchRequest>>(&__RPC_odd_name, &request),
                async move {
                    if let ::core::option::Option::Some(__ret) = ::core::option::Option::None::<
                        Result<Response<__grpc::Declared<Self::OtherStream>>, Status>,
                    > {
                        #[allow(unreachable_code)] return __ret;
                    }
                    let request = request;
                    let __ret: Result<
                        Response<__grpc::Declared<Self::OtherStream>>,
                        Status,
                    > = { Ok(Response::new(Box::pin(self.events()))) };
                    #[allow(unreachable_code)] __ret
                },
            )
        }
    }
};
