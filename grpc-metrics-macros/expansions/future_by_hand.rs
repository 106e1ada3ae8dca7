const _: () = {
    #[allow(unused_imports)]
    use ::grpc_metrics_runtime::__private::{
        self as __grpc_metrics, ReturnsMessage as _, TakesMessage as _,
    };
    const __SERVICE: &::core::primitive::str = "Greeter";
    static __RPC_SAY_HELLO: __grpc_metrics::Method = __grpc_metrics::Method::new(
        __SERVICE,
        "SayHello",
        __grpc_metrics::MethodKind::new(
            __grpc_metrics::Argument::<Request<HelloRequest>>::STREAMS,
            false,
        ),
    );
    __grpc_metrics::submit! {
        __grpc_metrics::Service { name : __SERVICE, implementation :
        "Greeter for MyGreeter", file : __grpc_metrics::file!(), line :
        __grpc_metrics::line!(), chooses_instance : false, methods : & [&
        __RPC_SAY_HELLO], }
    }
    impl Greeter for MyGreeter {
        fn say_hello<'a>(
            &'a self,
            request: Request<HelloRequest>,
        ) -> BoxFuture<'a, HelloReply> {
            let __rpc = __grpc_metrics::rpc::<
                Request<HelloRequest>,
            >(&__RPC_SAY_HELLO, &request);
            __grpc_metrics::future_until_return::<
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
    }
};
