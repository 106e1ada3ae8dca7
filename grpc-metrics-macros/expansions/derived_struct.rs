const _: () = {
    use ::kit::grpc_metrics_runtime::__private as __grpc;
    __grpc::submit! {
        __grpc::ErrorType::of:: < Closed > ()
    }
    #[allow(deprecated)]
    impl Closed {
        /// The gRPC status code of this error.
        #[allow(dead_code)]
        #[must_use]
        pub(crate) fn code(&self) -> __grpc::Code {
            __grpc::GrpcStatus::described(self).code()
        }
    }
    #[allow(deprecated)]
    impl __grpc::GrpcStatus for Closed {
        fn described(&self) -> __grpc::Description {
            match self {
                Self { .. } => {
                    __grpc::Description::own(
                        __grpc::Code::Unavailable,
                        "closed",
                        __grpc::Option::None,
                    )
                }
            }
        }
        fn into_status(self) -> __grpc::Status {
            match self {
                __own => __grpc::own_status(__own),
            }
        }
    }
    #[allow(deprecated)]
    impl __grpc::From<Closed> for __grpc::Status {
        fn from(error: Closed) -> Self {
            __grpc::GrpcStatus::into_status(error)
        }
    }
};
