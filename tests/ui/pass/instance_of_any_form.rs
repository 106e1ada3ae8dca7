// Written as users write.
#![allow(dead_code, unreachable_pub, clippy::all, clippy::pedantic)]

use std::sync::{Arc, LazyLock};

use grpc_metrics_runtime::{GrpcMetrics, instrument_grpc};
use support::shapes::pb::plain_server::Plain;
use support::shapes::pb::{Answer, Ask};
use tonic::{Request, Response, Status};

static METRICS: LazyLock<GrpcMetrics> = LazyLock::new(|| {
    let registry = grpc_metrics_runtime::prometheus::Registry::new();
    GrpcMetrics::builder().registry(&registry).build().unwrap()
});

struct Service<T>(T);

impl<T> Service<T> {
    fn metrics(&self) -> GrpcMetrics {
        METRICS.clone()
    }
}

macro_rules! service {
    ($argument:ty, $label:literal, $metrics:expr) => {
        #[instrument_grpc(metrics = $metrics, service = $label)]
        #[tonic::async_trait]
        impl Plain for Service<$argument> {
            async fn first(&self, _: Request<Ask>) -> Result<Response<Answer>, Status> {
                Err(Status::aborted("always"))
            }

            async fn second(&self, _: Request<Ask>) -> Result<Response<Answer>, Status> {
                Err(Status::aborted("always"))
            }
        }
    };
}

service!(GrpcMetrics, "field", self.0);
service!(Arc<GrpcMetrics>, "arc", self.0);
service!(Box<GrpcMetrics>, "box", &self.0);
service!(&'static GrpcMetrics, "reference", self.0);
service!((), "method", self.metrics());
service!(u8, "static", METRICS);
service!(u16, "dereferenced", *METRICS);
service!(u32, "global", GrpcMetrics::global());
service!(u64, "closure", (|| METRICS.clone())());

#[tokio::main]
async fn main() {
    let ask = || Request::new(Ask::default());
    assert!(Service(METRICS.clone()).first(ask()).await.is_err());
    assert!(Service(Arc::new(METRICS.clone())).first(ask()).await.is_err());
    assert!(Service(Box::new(METRICS.clone())).first(ask()).await.is_err());
    assert!(Service(&*METRICS).first(ask()).await.is_err());
    assert!(Service(()).first(ask()).await.is_err());
    assert!(Service(1_u8).first(ask()).await.is_err());
    assert!(Service(1_u16).first(ask()).await.is_err());
    assert!(Service(1_u32).first(ask()).await.is_err());
    assert!(Service(1_u64).first(ask()).await.is_err());
    let labels =
        ["field", "arc", "box", "reference", "method", "static", "dereferenced", "closure"];
    for label in labels {
        let snapshot = METRICS.snapshot();
        let counted = snapshot.method(label, "First").map(|method| method.finished());
        assert_eq!(counted, Some(1), "{label}");
    }
}
