const _: () = {
    use ::grpc_metrics_runtime::__private::{
        self as __grpc, DeclaresStream as _, ReturnsMessage as _, ReturnsStream as _,
        TakesMessage as _,
    };
    const __SERVICE: &::core::primitive::str = "Greeter";
    static __RPC_watch: __grpc::Method = __grpc::method(
            __SERVICE,
            "Watch",
            __grpc::Argument::<Request<A>>::__GRPC_STREAMS,
            true,
        )
        .build();
    static __RPC_watch_again: __grpc::Method = __grpc::method(
            __SERVICE,
            "WatchAgain",
            __grpc::Argument::<Request<A>>::__GRPC_STREAMS,
            true,
        )
        .build();
    static __RPC_nothing: __grpc::Method = __grpc::method(
            __SERVICE,
            "Nothing",
            __grpc::Argument::<Request<A>>::__GRPC_STREAMS,
            false,
        )
        .build();
    __grpc::submit! {
        __grpc::service(__SERVICE, "Greeter for MyGreeter", false, & [& __RPC_watch, &
        __RPC_watch_again, & __RPC_nothing])
    }
    impl Greeter for MyGreeter {
        type WatchStream = <BoxStream<
            Event,
        > as __grpc::StreamType<
            { __grpc::DeclaredStream::<BoxStream<Event>>::__GRPC_IS_BOXED },
        >>::InImpl;
        fn watch<'a>(
            &'a self,
            __request: Request<A>,
        ) -> __grpc::WrappedFuture<
            BoxFuture<'a, __grpc::Declared<Self::WatchStream>>,
            Self::WatchStream,
        > {
            __grpc::named_after_trait!(__SERVICE, "Greeter for MyGreeter");
            let __rpc = __grpc::rpc::<Request<A>>(&__RPC_watch, &__request);
            let request = __request;
            __grpc::measure_future(
                __grpc::ReturnedStream::<
                    BoxFuture<'a, __grpc::Declared<Self::WatchStream>>,
                >::__GRPC_END,
                __rpc,
                move || -> BoxFuture<'a, __grpc::Declared<Self::WatchStream>> {
                    self.greet(request)
                },
            )
        }
        #[tracing::instrument]
        #[__grpc::instrument_method_last(
            stream_by_type(
                __grpc::rpc::<Request<A>>(&__RPC_watch_again, &request)
            )(BoxFuture<'a, __grpc::Declared::<Self::WatchStream>>)()
        )]
        fn watch_again<'a>(
            &'a self,
            request: Request<A>,
        ) -> __grpc::WrappedFuture<
            BoxFuture<'a, __grpc::Declared<Self::WatchStream>>,
            Self::WatchStream,
        > {
            self.greet(request)
        }
        async fn nothing(&self, __request: Request<A>) {
            __grpc::measure(
                    __grpc::Returned::<()>::__GRPC_END,
                    __grpc::rpc::<Request<A>>(&__RPC_nothing, &__request),
                    async move {
                        if let __grpc::Option::Some(__ret) = __grpc::Option::None::<()> {
                            return __ret;
                        }
                        let request = __request;
                        let __ret: () = {};
                        #[allow(unreachable_code)] __ret
                    },
                )
                .await
        }
    }
};
