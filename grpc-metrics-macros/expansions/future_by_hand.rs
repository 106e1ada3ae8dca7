const _: () = {
    use ::grpc_metrics_runtime::__private::{
        self as __grpc, DeclaresStream as _, ReturnsMessage as _, ReturnsStream as _,
        TakesMessage as _,
    };
    const __SERVICE: &::core::primitive::str = "Greeter";
    static __RPC_say_hello: __grpc::Method = __grpc::method(
            __SERVICE,
            "SayHello",
            __grpc::Argument::<Request<HelloRequest>>::__GRPC_STREAMS,
            __grpc::Returned::<BoxFuture<'static, HelloReply>>::__GRPC_STREAMS,
        )
        .build();
    static __RPC_say_again: __grpc::Method = __grpc::method(
            __SERVICE,
            "SayAgain",
            __grpc::Argument::<Request<Borrowed<'static>>>::__GRPC_STREAMS,
            __grpc::Returned::<BoxFuture<'static, HelloReply>>::__GRPC_STREAMS,
        )
        .build();
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
    static __RPC_by_return: __grpc::Method = __grpc::method(
            __SERVICE,
            "ByReturn",
            __grpc::Argument::<Request<A>>::__GRPC_STREAMS,
            __grpc::Returned::<Result<Response<B>, Status>>::__GRPC_STREAMS,
        )
        .build();
    static __RPC_by_other_call: __grpc::Method = __grpc::method(
            __SERVICE,
            "ByOtherCall",
            __grpc::Argument::<Request<A>>::__GRPC_STREAMS,
            __grpc::Returned::<Result<Response<B>, Status>>::__GRPC_STREAMS,
        )
        .build();
    static __RPC_without_move: __grpc::Method = __grpc::method(
            __SERVICE,
            "WithoutMove",
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
    static __RPC_by_other_type: __grpc::Method = __grpc::method(
            __SERVICE,
            "ByOtherType",
            __grpc::Argument::<Request<A>>::__GRPC_STREAMS,
            __grpc::Returned::<Result<Response<B>, Status>>::__GRPC_STREAMS,
        )
        .build();
    static __RPC_by_other_function: __grpc::Method = __grpc::method(
            __SERVICE,
            "ByOtherFunction",
            __grpc::Argument::<Request<A>>::__GRPC_STREAMS,
            __grpc::Returned::<Result<Response<B>, Status>>::__GRPC_STREAMS,
        )
        .build();
    static __RPC_by_other_brackets: __grpc::Method = __grpc::method(
            __SERVICE,
            "ByOtherBrackets",
            __grpc::Argument::<Request<A>>::__GRPC_STREAMS,
            __grpc::Returned::<Result<Response<B>, Status>>::__GRPC_STREAMS,
        )
        .build();
    static __RPC_by_argument: __grpc::Method = __grpc::method(
            __SERVICE,
            "ByArgument",
            __grpc::Argument::<Request<A>>::__GRPC_STREAMS,
            __grpc::Returned::<Result<Response<B>, Status>>::__GRPC_STREAMS,
        )
        .build();
    __grpc::submit! {
        __grpc::service(__SERVICE, "Greeter for MyGreeter", false, & [& __RPC_say_hello,
        & __RPC_say_again, & __RPC_at_once, & __RPC_after_more, & __RPC_by_return, &
        __RPC_by_other_call, & __RPC_without_move, & __RPC_guarded, &
        __RPC_by_other_type, & __RPC_by_other_function, & __RPC_by_other_brackets, &
        __RPC_by_argument])
    }
    impl Greeter for MyGreeter {
        fn say_hello<'a>(
            &'a self,
            __request: Request<HelloRequest>,
        ) -> BoxFuture<'a, HelloReply> {
            __grpc::named_after_trait!(__SERVICE, "Greeter for MyGreeter");
            let __rpc = __grpc::rpc::<
                Request<HelloRequest>,
            >(&__RPC_say_hello, &__request);
            let request = __request;
            __grpc::measure_future(
                __grpc::Returned::<BoxFuture<'a, HelloReply>>::__GRPC_END,
                __rpc,
                move || -> BoxFuture<'a, HelloReply> {
                    if self.closed() {
                        return Box::pin(ready(Err(Status::unavailable("closed"))));
                    }
                    self.greet(request)
                },
            )
        }
        fn say_again<'a>(
            &'a self,
            __request: Request<Borrowed<'a>>,
        ) -> BoxFuture<'a, HelloReply> {
            let __rpc = __grpc::rpc::<
                Request<Borrowed<'a>>,
            >(&__RPC_say_again, &__request);
            __grpc::measure_future(
                __grpc::Returned::<BoxFuture<'a, HelloReply>>::__GRPC_END,
                __rpc,
                move || -> BoxFuture<'a, HelloReply> {
                    std::boxed::Box::pin(async move { Err(Status::aborted("always")) })
                },
            )
        }
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
            __grpc::measure_boxed(
                __grpc::Returned::<Result<Response<B>, Status>>::__GRPC_END,
                __grpc::rpc::<Request<A>>(&__RPC_at_once, &request),
                async move { self.answer(request) },
            )
        }
        fn after_more<'a>(
            &'a self,
            __request: Request<A>,
        ) -> Pin<
            Box<
                dyn Future<
                    Output = __grpc::StatusReturn<Result<Response<B>, Status>>,
                > + Send + 'a,
            >,
        > {
            let __rpc = __grpc::rpc::<Request<A>>(&__RPC_after_more, &__request);
            let request = __request;
            __grpc::measure_future(
                __grpc::Returned::<
                    Pin<
                        Box<dyn Future<Output = Result<Response<B>, Status>> + Send + 'a>,
                    >,
                >::__GRPC_END,
                __rpc,
                move || -> Pin<
                    Box<dyn Future<Output = Result<Response<B>, Status>> + Send + 'a>,
                > {
                    let request = self.log(request);
                    Box::pin(async move { self.answer(request) })
                },
            )
        }
        fn by_return<'a>(
            &'a self,
            __request: Request<A>,
        ) -> Pin<
            Box<
                dyn Future<
                    Output = __grpc::StatusReturn<Result<Response<B>, Status>>,
                > + Send + 'a,
            >,
        > {
            let __rpc = __grpc::rpc::<Request<A>>(&__RPC_by_return, &__request);
            let request = __request;
            __grpc::measure_future(
                __grpc::Returned::<
                    Pin<
                        Box<dyn Future<Output = Result<Response<B>, Status>> + Send + 'a>,
                    >,
                >::__GRPC_END,
                __rpc,
                move || -> Pin<
                    Box<dyn Future<Output = Result<Response<B>, Status>> + Send + 'a>,
                > { return Box::pin(async move { self.answer(request) }) },
            )
        }
        fn by_other_call<'a>(
            &'a self,
            __request: Request<A>,
        ) -> Pin<
            Box<
                dyn Future<
                    Output = __grpc::StatusReturn<Result<Response<B>, Status>>,
                > + Send + 'a,
            >,
        > {
            let __rpc = __grpc::rpc::<Request<A>>(&__RPC_by_other_call, &__request);
            let request = __request;
            __grpc::measure_future(
                __grpc::Returned::<
                    Pin<
                        Box<dyn Future<Output = Result<Response<B>, Status>> + Send + 'a>,
                    >,
                >::__GRPC_END,
                __rpc,
                move || -> Pin<
                    Box<dyn Future<Output = Result<Response<B>, Status>> + Send + 'a>,
                > { task::boxed(async move { self.answer(request) }) },
            )
        }
        fn without_move<'a>(
            &'a self,
            __request: Request<A>,
        ) -> Pin<
            Box<
                dyn Future<
                    Output = __grpc::StatusReturn<Result<Response<B>, Status>>,
                > + Send + 'a,
            >,
        > {
            let __rpc = __grpc::rpc::<Request<A>>(&__RPC_without_move, &__request);
            __grpc::measure_future(
                __grpc::Returned::<
                    Pin<
                        Box<dyn Future<Output = Result<Response<B>, Status>> + Send + 'a>,
                    >,
                >::__GRPC_END,
                __rpc,
                move || -> Pin<
                    Box<dyn Future<Output = Result<Response<B>, Status>> + Send + 'a>,
                > { Box::pin(async { Err(Status::aborted("always")) }) },
            )
        }
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
            let __rpc = __grpc::rpc::<Request<A>>(&__RPC_guarded, &__request);
            __grpc::measure_future(
                __grpc::Returned::<
                    Pin<
                        Box<dyn Future<Output = Result<Response<B>, Status>> + Send + 'a>,
                    >,
                >::__GRPC_END,
                __rpc,
                move || -> Pin<
                    Box<dyn Future<Output = Result<Response<B>, Status>> + Send + 'a>,
                > {
                    if CLOSED {
                        return closed();
                    }
                    Box::pin(async move { Err(Status::aborted("always")) })
                },
            )
        }
        fn by_other_type<'a>(
            &'a self,
            __request: Request<A>,
        ) -> Pin<
            Box<
                dyn Future<
                    Output = __grpc::StatusReturn<Result<Response<B>, Status>>,
                > + Send + 'a,
            >,
        > {
            let __rpc = __grpc::rpc::<Request<A>>(&__RPC_by_other_type, &__request);
            let request = __request;
            __grpc::measure_future(
                __grpc::Returned::<
                    Pin<
                        Box<dyn Future<Output = Result<Response<B>, Status>> + Send + 'a>,
                    >,
                >::__GRPC_END,
                __rpc,
                move || -> Pin<
                    Box<dyn Future<Output = Result<Response<B>, Status>> + Send + 'a>,
                > { Other::pin(async move { self.answer(request) }) },
            )
        }
        fn by_other_function<'a>(
            &'a self,
            __request: Request<A>,
        ) -> Pin<
            Box<
                dyn Future<
                    Output = __grpc::StatusReturn<Result<Response<B>, Status>>,
                > + Send + 'a,
            >,
        > {
            let __rpc = __grpc::rpc::<Request<A>>(&__RPC_by_other_function, &__request);
            let request = __request;
            __grpc::measure_future(
                __grpc::Returned::<
                    Pin<
                        Box<dyn Future<Output = Result<Response<B>, Status>> + Send + 'a>,
                    >,
                >::__GRPC_END,
                __rpc,
                move || -> Pin<
                    Box<dyn Future<Output = Result<Response<B>, Status>> + Send + 'a>,
                > { Box::new(async move { self.answer(request) }) },
            )
        }
        fn by_other_brackets<'a>(
            &'a self,
            __request: Request<A>,
        ) -> Pin<
            Box<
                dyn Future<
                    Output = __grpc::StatusReturn<Result<Response<B>, Status>>,
                > + Send + 'a,
            >,
        > {
            let __rpc = __grpc::rpc::<Request<A>>(&__RPC_by_other_brackets, &__request);
            let request = __request;
            __grpc::measure_future(
                __grpc::Returned::<
                    Pin<
                        Box<dyn Future<Output = Result<Response<B>, Status>> + Send + 'a>,
                    >,
                >::__GRPC_END,
                __rpc,
                move || -> Pin<
                    Box<dyn Future<Output = Result<Response<B>, Status>> + Send + 'a>,
                > { Box::pin[async move { self.answer(request) }] },
            )
        }
        fn by_argument<'a>(
            &'a self,
            __request: Request<A>,
        ) -> Pin<
            Box<
                dyn Future<
                    Output = __grpc::StatusReturn<Result<Response<B>, Status>>,
                > + Send + 'a,
            >,
        > {
            let __rpc = __grpc::rpc::<Request<A>>(&__RPC_by_argument, &__request);
            let request = __request;
            __grpc::measure_future(
                __grpc::Returned::<
                    Pin<
                        Box<dyn Future<Output = Result<Response<B>, Status>> + Send + 'a>,
                    >,
                >::__GRPC_END,
                __rpc,
                move || -> Pin<
                    Box<dyn Future<Output = Result<Response<B>, Status>> + Send + 'a>,
                > { task(Box::pin(async move { self.answer(request) })) },
            )
        }
    }
};
