const _: () = {
    use ::grpc_metrics_runtime::__private::{
        self as __grpc, DeclaresStream as _, ReturnsMessage as _, ReturnsStream as _,
        TakesMessage as _,
    };
    const __SERVICE: &::core::primitive::str = "Greeter";
    __grpc::submit! {
        __grpc::service(__SERVICE, "Greeter for MyGreeter", false, & []).with_skipped(&
        ["Watch"])
    }
    impl Greeter for MyGreeter {
        type WatchStream = BoxStream<Event>;
        /// Not measured.
        #[allow(clippy::type_complexity)]
        fn watch<'life0, 'async_trait>(
            &'life0 self,
            request: Request<WatchRequest>,
        ) -> ::core::pin::Pin<
            Box<
                dyn ::core::future::Future<
                    Output = Result<Response<Self::WatchStream>, Status>,
                > + ::core::marker::Send + 'async_trait,
            >,
        >
        where
            'life0: 'async_trait,
            Self: 'async_trait,
        {
            Box::pin(async move {
                if let ::core::option::Option::Some(__ret) = ::core::option::Option::None::<
                    Result<Response<Self::WatchStream>, Status>,
                > {
                    #[allow(unreachable_code)] return __ret;
                }
                let request = request;
                let __ret: Result<Response<Self::WatchStream>, Status> = {
                    Ok(Response::new(Box::pin(self.events())))
                };
                #[allow(unreachable_code)] __ret
            })
        }
    }
};
