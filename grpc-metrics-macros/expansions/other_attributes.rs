const _: () = {
    use ::grpc_metrics_runtime::__private::{
        self as __grpc, DeclaresStream as _, ReturnsMessage as _, ReturnsStream as _,
        TakesMessage as _,
    };
    const __SERVICE: &::core::primitive::str = "Greeter";
    static __RPC_at_once: __grpc::Method = __grpc::method(
            __SERVICE,
            "AtOnce",
            __grpc::Argument::<Request<A>>::__GRPC_STREAMS,
            __grpc::Returned::<Result<Response<B>, Status>>::__GRPC_STREAMS,
        )
        .build();
    static __RPC_after_more: __grpc::Method = __grpc::method(
            __SERVICE,
            "AfterMore",
            __grpc::Argument::<Request<A>>::__GRPC_STREAMS,
            __grpc::Returned::<Result<Response<B>, Status>>::__GRPC_STREAMS,
        )
        .build();
    static __RPC_natively: __grpc::Method = __grpc::method(
            __SERVICE,
            "Natively",
            __grpc::Argument::<Request<A>>::__GRPC_STREAMS,
            __grpc::Returned::<Result<Response<B>, Status>>::__GRPC_STREAMS,
        )
        .build();
    __grpc::submit! {
        __grpc::service(__SERVICE, "Greeter for MyGreeter", false, & [& __RPC_at_once, &
        __RPC_after_more, & __RPC_natively])
    }
    impl Greeter for MyGreeter {
        #[cached]
        fn at_once<'a>(
            &'a self,
            request: Request<A>,
        ) -> Pin<
            Box<
                dyn Future<
                    Output = __grpc::StatusReturn<Result<Response<B>, Status>>,
                > + Send + 'a,
            >,
        > {
            __grpc::named_after_trait!(__SERVICE, "Greeter for MyGreeter");
            Box::pin(async move {
                __grpc::measure(
                        __grpc::Returned::<Result<Response<B>, Status>>::__GRPC_END,
                        __grpc::rpc::<Request<A>>(&__RPC_at_once, &request),
                        async move { self.answer(request) },
                    )
                    .await
            })
        }
        #[cached]
        fn after_more<'a>(
            &'a self,
            request: Request<A>,
        ) -> Pin<
            Box<
                dyn Future<
                    Output = __grpc::StatusReturn<Result<Response<B>, Status>>,
                > + Send + 'a,
            >,
        > {
            let __rpc = __grpc::rpc::<Request<A>>(&__RPC_after_more, &request);
            let request = self.log(request);
            Box::pin(async move {
                __grpc::measure(
                        __grpc::Returned::<Result<Response<B>, Status>>::__GRPC_END,
                        __rpc,
                        async move { self.answer(request) },
                    )
                    .await
            })
        }
        #[cached]
        async fn natively(
            &self,
            request: Request<A>,
        ) -> __grpc::StatusReturn<Result<Response<B>, Status>> {
            __grpc::measure(
                    __grpc::Returned::<Result<Response<B>, Status>>::__GRPC_END,
                    __grpc::rpc::<Request<A>>(&__RPC_natively, &request),
                    async move {
                        if let __grpc::Option::Some(__ret) = __grpc::Option::None::<
                            Result<Response<B>, Status>,
                        > {
                            return __ret;
                        }
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
