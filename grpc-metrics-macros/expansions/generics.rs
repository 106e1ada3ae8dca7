const _: () = {
    use ::grpc_metrics_runtime::__private::{
        self as __grpc, DeclaresStream as _, ReturnsMessage as _, ReturnsStream as _,
        TakesMessage as _,
    };
    const __SERVICE: &::core::primitive::str = "pkg.Greeter";
    static __RPC_say_hello: __grpc::Method = __grpc::method(
            __SERVICE,
            "SayHello",
            false,
            false,
        )
        .build();
    static __RPC_say_all: __grpc::Method = __grpc::method(
            __SERVICE,
            "SayAll",
            true,
            __grpc::Returned::<Result<Response<Summary>, Status>>::__GRPC_STREAMS,
        )
        .build();
    static __RPC_say_own: __grpc::Method = __grpc::method(
            __SERVICE,
            "SayOwn",
            false,
            false,
        )
        .build();
    __grpc::submit! {
        __grpc::service(__SERVICE, "Greeter<M> for MyGreeter<'a, T, N>", false, & [&
        __RPC_say_hello, & __RPC_say_all, & __RPC_say_own])
    }
    impl<'a, T: Store<Item = M>, M, const N: usize> Greeter<M> for MyGreeter<'a, T, N>
    where
        M: Message,
    {
        #[allow(clippy::type_complexity)]
        fn say_hello<'life0, 'async_trait>(
            &'life0 self,
            request: Request<M>,
        ) -> ::core::pin::Pin<
            Box<
                dyn ::core::future::Future<
                    Output = __grpc::StatusReturn<Result<Response<T::Reply>, Status>>,
                > + ::core::marker::Send + 'async_trait,
            >,
        >
        where
            'life0: 'async_trait,
            Self: 'async_trait,
        {
            __grpc::measure_boxed(
                __grpc::Returned::<Result<Response<T::Reply>, Status>>::__GRPC_END,
                __grpc::rpc::<Request<M>>(&__RPC_say_hello, &request),
                async move {
                    if let ::core::option::Option::Some(__ret) = ::core::option::Option::None::<
                        Result<Response<T::Reply>, Status>,
                    > {
                        #[allow(unreachable_code)] return __ret;
                    }
                    let request = request;
                    let __ret: Result<Response<T::Reply>, Status> = {
                        self.store.answer(request).await
                    };
                    #[allow(unreachable_code)] __ret
                },
            )
        }
        #[allow(clippy::type_complexity)]
        fn say_all<'life0, 'async_trait>(
            &'life0 self,
            request: Request<Streaming<M>>,
        ) -> ::core::pin::Pin<
            Box<
                dyn ::core::future::Future<
                    Output = __grpc::StatusReturn<Result<Response<Summary>, Status>>,
                > + ::core::marker::Send + 'async_trait,
            >,
        >
        where
            'life0: 'async_trait,
            Self: 'async_trait,
        {
            __grpc::measure_boxed(
                __grpc::Returned::<Result<Response<Summary>, Status>>::__GRPC_END,
                __grpc::rpc::<Request<Streaming<M>>>(&__RPC_say_all, &request),
                async move {
                    if let ::core::option::Option::Some(__ret) = ::core::option::Option::None::<
                        Result<Response<Summary>, Status>,
                    > {
                        #[allow(unreachable_code)] return __ret;
                    }
                    let request = request;
                    let __ret: Result<Response<Summary>, Status> = {
                        self.store.answer_all(request).await
                    };
                    #[allow(unreachable_code)] __ret
                },
            )
        }
        #[allow(clippy::type_complexity)]
        fn say_own<'life0, 'async_trait>(
            &'life0 self,
            request: Request<Own<Self>>,
        ) -> ::core::pin::Pin<
            Box<
                dyn ::core::future::Future<
                    Output = __grpc::StatusReturn<Result<Response<Own<Self>>, Status>>,
                > + ::core::marker::Send + 'async_trait,
            >,
        >
        where
            'life0: 'async_trait,
            Self: 'async_trait,
        {
            __grpc::measure_boxed(
                __grpc::Returned::<Result<Response<Own<Self>>, Status>>::__GRPC_END,
                __grpc::rpc::<Request<Own<Self>>>(&__RPC_say_own, &request),
                async move {
                    if let ::core::option::Option::Some(__ret) = ::core::option::Option::None::<
                        Result<Response<Own<Self>>, Status>,
                    > {
                        #[allow(unreachable_code)] return __ret;
                    }
                    let request = request;
                    let __ret: Result<Response<Own<Self>>, Status> = {
                        self.store.own(request).await
                    };
                    #[allow(unreachable_code)] __ret
                },
            )
        }
    }
};
