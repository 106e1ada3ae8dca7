::core::compile_error! {
    "unknown argument `servce`; did you mean `service`?"
}
::core::compile_error! {
    "`streams` takes `true` or `false`: `streams = false` leaves response streams alone; found `streams = 1`"
}
::core::compile_error! {
    "no method here can be an RPC; is `Greeter` the trait that tonic generates? #[instrument_grpc] goes above the impl of that"
}
::core::compile_error! {
    "the RPC's name is empty; write it as in the proto file"
}
::core::compile_error! {
    "`say_hello` takes no request; write `request: Request<…>`, or #[skip_metrics] above a method that is no RPC"
}
::core::compile_error! {
    "`skip_metrics` takes no arguments: write `#[skip_metrics]` instead of `#[skip_metrics(always)]`"
}
impl Greeter for MyGreeter {
    #[allow(clippy::type_complexity)]
    fn say_hello<'life0, 'async_trait>(
        &'life0 self,
    ) -> ::core::pin::Pin<
        Box<
            dyn ::core::future::Future<
                Output = Result<Response<HelloReply>, Status>,
            > + ::core::marker::Send + 'async_trait,
        >,
    >
    where
        'life0: 'async_trait,
        Self: 'async_trait,
    {
        Box::pin(async move {
            if let ::core::option::Option::Some(__ret) = ::core::option::Option::None::<
                Result<Response<HelloReply>, Status>,
            > {
                #[allow(unreachable_code)] return __ret;
            }
            let __ret: Result<Response<HelloReply>, Status> = { self.greet() };
            #[allow(unreachable_code)] __ret
        })
    }
    #[allow(clippy::type_complexity)]
    fn ping<'life0, 'async_trait>(
        &'life0 self,
        __arg1: Request<()>,
    ) -> ::core::pin::Pin<
        Box<
            dyn ::core::future::Future<
                Output = Result<Response<()>, Status>,
            > + ::core::marker::Send + 'async_trait,
        >,
    >
    where
        'life0: 'async_trait,
        Self: 'async_trait,
    {
        Box::pin(async move {
            if let ::core::option::Option::Some(__ret) = ::core::option::Option::None::<
                Result<Response<()>, Status>,
            > {
                #[allow(unreachable_code)] return __ret;
            }
            let __arg1 = __arg1;
            let __ret: Result<Response<()>, Status> = { Ok(Response::new(())) };
            #[allow(unreachable_code)] __ret
        })
    }
}
