::core::compile_error! {
    "unknown argument `servce`; did you mean `service`?"
}
::core::compile_error! {
    "`streams` takes `true` or `false`: `streams = false` leaves response stream types unchanged; found `streams = 1`"
}
::core::compile_error! {
    "no method of `Greeter` looks like an RPC: put `#[instrument_grpc]` above the impl of the trait that tonic generates"
}
::core::compile_error! {
    "empty `name`: give the RPC's name in the proto file, `name = \"GetKV\"`"
}
::core::compile_error! {
    "`say_hello` takes no request: add `request: Request<…>`, or `#[skip_metrics]` if it is not an RPC"
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
