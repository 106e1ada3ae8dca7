const _: () = {
    use ::grpc_metrics_runtime::__private::{
        self as __grpc, DeclaresStream as _, ReturnsMessage as _, ReturnsStream as _,
        TakesMessage as _,
    };
    const __SERVICE: &::core::primitive::str = "Greeter";
    static __RPC_as_the_impl: __grpc::Method = __grpc::method(
            __SERVICE,
            "AsTheImpl",
            __grpc::Argument::<Request<A>>::__GRPC_STREAMS,
            __grpc::Returned::<Result<Response<B>, Status>>::__GRPC_STREAMS,
        )
        .availability(0.999)
        .latency(200000000u64, 0.95)
        .build();
    static __RPC_slower: __grpc::Method = __grpc::method(
            __SERVICE,
            "Slower",
            __grpc::Argument::<Request<A>>::__GRPC_STREAMS,
            __grpc::Returned::<Result<Response<B>, Status>>::__GRPC_STREAMS,
        )
        .availability(0.999)
        .latency_of_any_kind(2000000000u64, 0.95)
        .build();
    static __RPC_fewer: __grpc::Method = __grpc::method(
            __SERVICE,
            "Fewer",
            __grpc::Argument::<Request<A>>::__GRPC_STREAMS,
            __grpc::Returned::<Result<Response<B>, Status>>::__GRPC_STREAMS,
        )
        .availability(0.999)
        .latency_of_any_kind(200000000u64, 0.5)
        .build();
    static __RPC_less: __grpc::Method = __grpc::method(
            __SERVICE,
            "Less",
            __grpc::Argument::<Request<A>>::__GRPC_STREAMS,
            __grpc::Returned::<Result<Response<B>, Status>>::__GRPC_STREAMS,
        )
        .availability(0.99)
        .latency(200000000u64, 0.95)
        .build();
    static __RPC_nothing: __grpc::Method = __grpc::method(
            __SERVICE,
            "Nothing",
            __grpc::Argument::<Request<A>>::__GRPC_STREAMS,
            __grpc::Returned::<Result<Response<B>, Status>>::__GRPC_STREAMS,
        )
        .build();
    __grpc::submit! {
        __grpc::service(__SERVICE, "Greeter for MyGreeter", false, & [&
        __RPC_as_the_impl, & __RPC_slower, & __RPC_fewer, & __RPC_less, & __RPC_nothing])
    }
    impl Greeter for MyGreeter {
        async fn as_the_impl(
            &self,
            __request: Request<A>,
        ) -> __grpc::StatusReturn<Result<Response<B>, Status>> {
            __grpc::named_after_trait!(__SERVICE, "Greeter for MyGreeter");
            __grpc::measure(
                    __grpc::Returned::<Result<Response<B>, Status>>::__GRPC_END,
                    __grpc::rpc::<Request<A>>(&__RPC_as_the_impl, &__request),
                    async move {
                        if let __grpc::Option::Some(__ret) = __grpc::Option::None::<
                            Result<Response<B>, Status>,
                        > {
                            return __ret;
                        }
                        let request = __request;
                        let __ret: Result<Response<B>, Status> = {
                            self.answer(request)
                        };
                        #[allow(unreachable_code)] __ret
                    },
                )
                .await
        }
        async fn slower(
            &self,
            __request: Request<A>,
        ) -> __grpc::StatusReturn<Result<Response<B>, Status>> {
            __grpc::measure(
                    __grpc::Returned::<Result<Response<B>, Status>>::__GRPC_END,
                    __grpc::rpc::<Request<A>>(&__RPC_slower, &__request),
                    async move {
                        if let __grpc::Option::Some(__ret) = __grpc::Option::None::<
                            Result<Response<B>, Status>,
                        > {
                            return __ret;
                        }
                        let request = __request;
                        let __ret: Result<Response<B>, Status> = {
                            self.answer(request)
                        };
                        #[allow(unreachable_code)] __ret
                    },
                )
                .await
        }
        async fn fewer(
            &self,
            __request: Request<A>,
        ) -> __grpc::StatusReturn<Result<Response<B>, Status>> {
            __grpc::measure(
                    __grpc::Returned::<Result<Response<B>, Status>>::__GRPC_END,
                    __grpc::rpc::<Request<A>>(&__RPC_fewer, &__request),
                    async move {
                        if let __grpc::Option::Some(__ret) = __grpc::Option::None::<
                            Result<Response<B>, Status>,
                        > {
                            return __ret;
                        }
                        let request = __request;
                        let __ret: Result<Response<B>, Status> = {
                            self.answer(request)
                        };
                        #[allow(unreachable_code)] __ret
                    },
                )
                .await
        }
        async fn less(
            &self,
            __request: Request<A>,
        ) -> __grpc::StatusReturn<Result<Response<B>, Status>> {
            __grpc::measure(
                    __grpc::Returned::<Result<Response<B>, Status>>::__GRPC_END,
                    __grpc::rpc::<Request<A>>(&__RPC_less, &__request),
                    async move {
                        if let __grpc::Option::Some(__ret) = __grpc::Option::None::<
                            Result<Response<B>, Status>,
                        > {
                            return __ret;
                        }
                        let request = __request;
                        let __ret: Result<Response<B>, Status> = {
                            self.answer(request)
                        };
                        #[allow(unreachable_code)] __ret
                    },
                )
                .await
        }
        async fn nothing(
            &self,
            __request: Request<A>,
        ) -> __grpc::StatusReturn<Result<Response<B>, Status>> {
            __grpc::measure(
                    __grpc::Returned::<Result<Response<B>, Status>>::__GRPC_END,
                    __grpc::rpc::<Request<A>>(&__RPC_nothing, &__request),
                    async move {
                        if let __grpc::Option::Some(__ret) = __grpc::Option::None::<
                            Result<Response<B>, Status>,
                        > {
                            return __ret;
                        }
                        let request = __request;
                        let __ret: Result<Response<B>, Status> = {
                            self.answer(request)
                        };
                        #[allow(unreachable_code)] __ret
                    },
                )
                .await
        }
    }
};
