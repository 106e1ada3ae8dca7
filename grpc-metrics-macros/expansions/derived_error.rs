const _: () = {
    use ::grpc_metrics_runtime::__private as __grpc;
    #[allow(deprecated)]
    impl<E> AppError<E>
    where
        AppError<E>: __grpc::Source,
        tonic::Status: __grpc::GrpcStatus,
        E: __grpc::GrpcStatus,
    {
        /// The gRPC status code of this error.
        #[allow(dead_code)]
        #[must_use]
        fn code(&self) -> __grpc::Code {
            __grpc::GrpcStatus::described(self).code()
        }
    }
    #[allow(deprecated)]
    impl<E> __grpc::GrpcStatus for AppError<E>
    where
        AppError<E>: __grpc::Source,
        tonic::Status: __grpc::GrpcStatus,
        E: __grpc::GrpcStatus,
    {
        fn described(&self) -> __grpc::Description {
            match self {
                Self::NoPost { .. } => {
                    __grpc::Description::own(
                        __grpc::Code::NotFound,
                        "no_post",
                        __grpc::Option::None,
                    )
                }
                Self::Db { .. } => {
                    __grpc::Description::own(
                        __grpc::Code::Internal,
                        "database",
                        __grpc::Option::Some("storage failed"),
                    )
                }
                Self::Upstream { 0: __inner } => {
                    __grpc::Description::passed_on(__inner, "upstream")
                }
                Self::Inner { 0: __inner } => {
                    __grpc::Description::passed_on(__inner, "inner")
                }
            }
        }
        fn into_status(self) -> __grpc::Status {
            match self {
                Self::Upstream { 0: __inner } => __grpc::passed_on(__inner, "upstream"),
                Self::Inner { 0: __inner } => __grpc::passed_on(__inner, "inner"),
                __own => __grpc::own_status_of_generic(__own),
            }
        }
    }
    #[allow(deprecated)]
    impl<E> __grpc::From<AppError<E>> for __grpc::Status
    where
        AppError<E>: __grpc::Source,
        tonic::Status: __grpc::GrpcStatus,
        E: __grpc::GrpcStatus,
    {
        fn from(error: AppError<E>) -> Self {
            __grpc::GrpcStatus::into_status(error)
        }
    }
};
