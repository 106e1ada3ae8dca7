const _: () = {
    #[allow(unused_imports)]
    use ::grpc_metrics_runtime::__private::{
        self as __grpc_metrics, ReturnsMessage as _, TakesMessage as _,
    };
    const __SERVICE: &::core::primitive::str = "pkg.Greeter";
    static __RPC_SAY_HELLO: __grpc_metrics::Method = __grpc_metrics::Method::new(
        __SERVICE,
        "SayHello",
        __grpc_metrics::MethodKind::new(false, false),
    );
    __grpc_metrics::submit! {
        __grpc_metrics::Service { name : __SERVICE, implementation :
        "Greeter<M> for MyGreeter<'a, T, N>", file : __grpc_metrics::file!(), line :
        __grpc_metrics::line!(), chooses_instance : false, methods : & [&
        __RPC_SAY_HELLO], }
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
                    Output = Result<Response<T::Reply>, Status>,
                > + ::core::marker::Send + 'async_trait,
            >,
        >
        where
            'life0: 'async_trait,
            Self: 'async_trait,
        {
            Box::pin(
                __grpc_metrics::Returned::<
                    Result<Response<T::Reply>, Status>,
                >::instrument(
                    __grpc_metrics::rpc::<Request<M>>(&__RPC_SAY_HELLO, &request),
                    async move {
                        if let ::core::option::Option::Some(__ret) = ::core::option::Option::None::<
                            Result<Response<T::Reply>, Status>,
                        > {
                            #[allow(unreachable_code)] return __ret;
                        }
                        let __self = self;
                        let request = request;
                        let __ret: Result<Response<T::Reply>, Status> = {
                            __self.store.answer(request).await
                        };
                        #[allow(unreachable_code)] __ret
                    },
                ),
            )
        }
    }
};
