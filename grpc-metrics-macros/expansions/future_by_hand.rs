const _: () = {
    #[allow(unused_imports)]
    use ::grpc_metrics_runtime::__private::{
        self as __grpc, ReturnsMessage as _, TakesMessage as _,
    };
    const __SERVICE: &::core::primitive::str = "Greeter";
    static __RPC_SAY_HELLO: __grpc::Method = __grpc::method(
        __SERVICE,
        "SayHello",
        __grpc::Argument::<Request<HelloRequest>>::STREAMS,
        false,
    );
    static __RPC_SAY_AGAIN: __grpc::Method = __grpc::method(
        __SERVICE,
        "SayAgain",
        false,
        false,
    );
    __grpc::submit! {
        __grpc::service(__SERVICE, "Greeter for MyGreeter", false, & [& __RPC_SAY_HELLO,
        & __RPC_SAY_AGAIN])
    }
    impl Greeter for MyGreeter {
        fn say_hello<'a>(
            &'a self,
            request: Request<HelloRequest>,
        ) -> BoxFuture<'a, HelloReply> {
            let __rpc = __grpc::rpc::<Request<HelloRequest>>(&__RPC_SAY_HELLO, &request);
            __grpc::future_until_return::<
                BoxFuture<'a, HelloReply>,
            >(
                __rpc,
                (move || -> BoxFuture<'a, HelloReply> {
                    if self.closed() {
                        return Box::pin(ready(Err(Status::unavailable("closed"))));
                    }
                    self.greet(request)
                })(),
            )
        }
        fn say_again<'a>(
            &'a self,
            __request: Request<Borrowed<'a>>,
        ) -> BoxFuture<'a, HelloReply> {
            let __rpc = __grpc::rpc::<
                Request<Borrowed<'a>>,
            >(&__RPC_SAY_AGAIN, &__request);
            __grpc::future_until_return::<
                BoxFuture<'a, HelloReply>,
            >(
                __rpc,
                (move || -> BoxFuture<'a, HelloReply> {
                    std::boxed::Box::pin(async move { todo!() })
                })(),
            )
        }
    }
};
