const _: () = {
    #[allow(unused_imports)]
    use ::grpc_metrics_runtime::__private::{
        self as __grpc_metrics, ReturnsMessage as _, TakesMessage as _,
    };
    const __SERVICE: &::core::primitive::str = "Greeter";
    static __RPC_CHAT: __grpc_metrics::Method = __grpc_metrics::Method::new(
        __SERVICE,
        "Chat",
        __grpc_metrics::MethodKind::new(
            __grpc_metrics::Argument::<Request<Streaming<Message>>>::STREAMS,
            true,
        ),
    );
    __grpc_metrics::submit! {
        __grpc_metrics::Service { name : __SERVICE, implementation :
        "Greeter for MyGreeter", file : __grpc_metrics::file!(), line :
        __grpc_metrics::line!(), chooses_instance : true, methods : & [& __RPC_CHAT], }
    }
    impl Greeter for MyGreeter {
        type ChatStream = __grpc_metrics::ResponseStream<BoxStream<Message>>;
        #[allow(clippy::type_complexity)]
        fn chat<'life0, 'async_trait>(
            self: Arc<Self>,
            request: Request<Streaming<Message>>,
        ) -> ::core::pin::Pin<
            Box<
                dyn ::core::future::Future<
                    Output = tonic::Result<Response<Self::ChatStream>>,
                > + ::core::marker::Send + 'async_trait,
            >,
        >
        where
            'life0: 'async_trait,
            Self: 'async_trait,
        {
            Box::pin(
                __grpc_metrics::streaming::<
                    tonic::Result<
                        Response<<Self::ChatStream as __grpc_metrics::Wrapped>::Stream>,
                    >,
                    _,
                >(
                    __grpc_metrics::rpc_in::<
                        Request<Streaming<Message>>,
                    >(&self.metrics, &__RPC_CHAT, &request),
                    async move {
                        if let ::core::option::Option::Some(__ret) = ::core::option::Option::None::<
                            tonic::Result<
                                Response<
                                    <Self::ChatStream as __grpc_metrics::Wrapped>::Stream,
                                >,
                            >,
                        > {
                            #[allow(unreachable_code)] return __ret;
                        }
                        let __self = self;
                        let mut request = request;
                        let __ret: tonic::Result<
                            Response<
                                <Self::ChatStream as __grpc_metrics::Wrapped>::Stream,
                            >,
                        > = {
                            Ok(
                                Response::new(Box::pin(__self.echo(request.into_inner()))),
                            )
                        };
                        #[allow(unreachable_code)] __ret
                    },
                ),
            )
        }
    }
};
