const _: () = {
    use ::grpc_metrics_runtime::__private::{
        self as __grpc, DeclaresStream as _, ReturnsMessage as _, ReturnsStream as _,
        TakesMessage as _,
    };
    const __SERVICE: &::core::primitive::str = "Greeter";
    static __RPC_chat: __grpc::Method = __grpc::method(
            __SERVICE,
            "Chat",
            __grpc::Argument::<Request<Streaming<Message>>>::__GRPC_STREAMS,
            true,
        )
        .build();
    __grpc::submit! {
        __grpc::service(__SERVICE, "Greeter for MyGreeter", true, & [& __RPC_chat])
    }
    impl Greeter for MyGreeter {
        type ChatStream = <BoxStream<
            Message,
        > as __grpc::StreamType<
            { __grpc::DeclaredStream::<BoxStream<Message>>::__GRPC_IS_BOXED },
        >>::InImpl;
        #[allow(clippy::type_complexity)]
        fn chat<'life0, 'async_trait>(
            self: Arc<Self>,
            request: Request<Streaming<Message>>,
        ) -> ::core::pin::Pin<
            Box<
                dyn ::core::future::Future<
                    Output = __grpc::StatusReturn<
                        tonic::Result<Response<Self::ChatStream>>,
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
                    tonic::Result<Response<__grpc::Declared<Self::ChatStream>>>,
                >::__GRPC_END,
                __grpc::rpc_in::<
                    Request<Streaming<Message>>,
                >(&self.metrics, &__RPC_chat, &request),
                async move {
                    if let ::core::option::Option::Some(__ret) = ::core::option::Option::None::<
                        tonic::Result<Response<__grpc::Declared<Self::ChatStream>>>,
                    > {
                        #[allow(unreachable_code)] return __ret;
                    }
                    let mut request = request;
                    let __ret: tonic::Result<
                        Response<__grpc::Declared<Self::ChatStream>>,
                    > = { Ok(Response::new(Box::pin(self.echo(request.into_inner())))) };
                    #[allow(unreachable_code)] __ret
                },
            )
        }
    }
};
