use grpc_metrics_runtime::GrpcStatus;

#[derive(GrpcStatus)]
#[status(Internal)]
union Bits {
    whole: u32,
}

fn main() {}
