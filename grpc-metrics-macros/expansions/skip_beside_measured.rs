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
    __grpc::submit! {
        __grpc::service(__SERVICE, "Greeter for MyGreeter", false, & [& __RPC_watch])
        .with_skipped(& ["Tail", "Count"])
    }
    impl Greeter for MyGreeter {
        type WatchStream = <BoxStream<
            Event,
        > as __grpc::StreamType<
            { __grpc::DeclaredStream::<BoxStream<Event>>::__GRPC_IS_BOXED },
        >>::InImpl;
        async fn watch(
            &self,
            __request: Request<A>,
        ) -> __grpc::StatusReturn<Result<Response<Self::WatchStream>, Status>> {
            __grpc::named_after_trait!(__SERVICE, "Greeter for MyGreeter");
            __grpc::measure(
                    __grpc::ReturnedStream::<
                        Result<Response<__grpc::Declared<Self::WatchStream>>, Status>,
                    >::__GRPC_END,
                    __grpc::rpc::<Request<A>>(&__RPC_watch, &__request),
                    async move {
                        if let __grpc::Option::Some(__ret) = __grpc::Option::None::<
                            Result<Response<__grpc::Declared<Self::WatchStream>>, Status>,
                        > {
                            return __ret;
                        }
                        let request = __request;
                        let __ret: Result<
                            Response<__grpc::Declared<Self::WatchStream>>,
                            Status,
                        > = { self.events(request) };
                        #[allow(unreachable_code)] __ret
                    },
                )
                .await
        }
        type TailStream = __grpc::Declared<Self::WatchStream>;
        async fn tail(
            &self,
            request: Request<A>,
        ) -> Result<Response<Self::TailStream>, Status> {
            let events: __grpc::Declared<Self::WatchStream> = self.all(request);
            Ok(Response::new(events))
        }
        fn count(&self, events: Self::WatchStream) -> usize {
            events.count()
        }
    }
};
