const _: () = {
    use ::grpc_metrics_runtime::__private::{
        self as __grpc, DeclaresStream as _, ReturnsMessage as _, ReturnsStream as _,
        TakesMessage as _,
    };
    const __SERVICE: &::core::primitive::str = "Greeter";
    static __RPC_after_more: __grpc::Method = __grpc::method(
            __SERVICE,
            "AfterMore",
            __grpc::Argument::<Request<A>>::__GRPC_STREAMS,
            __grpc::Returned::<Result<Response<B>, Status>>::__GRPC_STREAMS,
        )
        .build();
    static __RPC_guarded: __grpc::Method = __grpc::method(
            __SERVICE,
            "Guarded",
            __grpc::Argument::<Request<A>>::__GRPC_STREAMS,
            __grpc::Returned::<Result<Response<B>, Status>>::__GRPC_STREAMS,
        )
        .build();
    __grpc::submit! {
        __grpc::service(__SERVICE, "Greeter for MyGreeter", false, & [& __RPC_after_more,
        & __RPC_guarded])
    }
    impl Greeter for MyGreeter {
        #[tracing::instrument(skip_all)]
        #[__grpc::instrument_method_last(
            by_type(
                __grpc::rpc::<Request<A>>(&__RPC_after_more, &request)
            )(
                Pin<Box<dyn
                Future<Output = Result<Response<B>,
                Status>>+Send+'a>>
            )(Result<Response<B>, Status>)
        )]
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
            __grpc::named_after_trait!(__SERVICE, "Greeter for MyGreeter");
            let request = self.log(request);
            Box::pin(async move { self.answer(request) })
        }
        #[tracing::instrument(skip_all)]
        #[__grpc::instrument_method_last(
            by_type(
                __grpc::rpc::<Request<A>>(&__RPC_guarded, &__request)
            )(
                Pin<Box<dyn
                Future<Output = Result<Response<B>,
                Status>>+Send+'a>>
            )(Result<Response<B>, Status>)
        )]
        fn guarded<'a>(
            &'a self,
            __request: Request<A>,
        ) -> Pin<
            Box<
                dyn Future<
                    Output = __grpc::StatusReturn<Result<Response<B>, Status>>,
                > + Send + 'a,
            >,
        > {
            if CLOSED {
                return closed();
            }
            Box::pin(async move { Err(Status::aborted("always")) })
        }
    }
};
