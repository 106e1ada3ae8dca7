use grpc_metrics_runtime::instrument_grpc;
use support::shapes::pb::empty_server::Empty;
use tonic::{Request, Response, Status};

struct Nothing;

#[instrument_grpc(slo)]
impl Empty for Nothing {}

struct ANumber;

#[instrument_grpc(slo = 99.9)]
impl Empty for ANumber {}

struct NoObjective;

#[instrument_grpc(slo())]
impl Empty for NoObjective {}

struct NoName;

#[instrument_grpc(slo(99.9))]
impl Empty for NoName {}

struct Typo;

#[instrument_grpc(slo(avalability = 99.9))]
impl Empty for Typo {}

struct Unknown;

#[instrument_grpc(slo(errors = 1))]
impl Empty for Unknown {}

struct All;

#[instrument_grpc(slo(availability = 100))]
impl Empty for All {}

struct Never;

#[instrument_grpc(slo(availability = 0))]
impl Empty for Never {}

struct AString;

#[instrument_grpc(slo(availability = "99.9 %"))]
impl Empty for AString {}

struct Twice;

#[instrument_grpc(slo(availability = 99, availability = 98))]
impl Empty for Twice {}

struct TwiceAsAWhole;

#[instrument_grpc(slo(availability = 99), slo(availability = 98))]
impl Empty for TwiceAsAWhole {}

struct NoPercentile;

#[instrument_grpc(slo(latency = "200ms"))]
impl Empty for NoPercentile {}

struct NoLatency;

#[instrument_grpc(slo(percentile = 95))]
impl Empty for NoLatency {}

struct NoUnit;

#[instrument_grpc(slo(latency = 200, percentile = 95))]
impl Empty for NoUnit {}

struct NoUnitInIt;

#[instrument_grpc(slo(latency = "200", percentile = 95))]
impl Empty for NoUnitInIt {}

struct NoTime;

#[instrument_grpc(slo(latency = "0s", percentile = 95))]
impl Empty for NoTime {}

struct UnknownUnit;

#[instrument_grpc(slo(latency = "2d", percentile = 95))]
impl Empty for UnknownUnit {}

struct TooFine;

#[instrument_grpc(slo(latency = "0.1ns", percentile = 95))]
impl Empty for TooFine {}

struct TooLong;

#[instrument_grpc(slo(latency = "600.000001h", percentile = 95))]
impl Empty for TooLong {}

struct FarTooLong;

#[instrument_grpc(slo(latency = "99999999999999999999999999999999999999999h", percentile = 95))]
impl Empty for FarTooLong {}

struct TwoPoints;

#[instrument_grpc(slo(latency = "1.2.3s", percentile = 95))]
impl Empty for TwoPoints {}

struct Everybody;

#[instrument_grpc(slo(latency = "1s", percentile = 100))]
impl Empty for Everybody {}

struct NoValue;

#[instrument_grpc(slo(availability))]
impl Empty for NoValue {}

struct NoComma;

#[instrument_grpc(slo(availability = 99 latency = "1s"))]
impl Empty for NoComma {}

struct NoCommaAfter;

#[instrument_grpc(slo(availability = 99) streams = false)]
impl Empty for NoCommaAfter {}

#[tonic::async_trait]
trait Methods {
    async fn no_value(&self, request: Request<()>) -> Result<Response<()>, Status>;
    async fn on(&self, request: Request<()>) -> Result<Response<()>, Status>;
    async fn no_percentile(&self, request: Request<()>) -> Result<Response<()>, Status>;
    async fn no_latency(&self, request: Request<()>) -> Result<Response<()>, Status>;
    async fn twice(&self, request: Request<()>) -> Result<Response<()>, Status>;
    async fn wrong(&self, request: Request<()>) -> Result<Response<()>, Status>;
}

struct Service;

#[instrument_grpc]
#[tonic::async_trait]
impl Methods for Service {
    #[rpc(slo)]
    async fn no_value(&self, _: Request<()>) -> Result<Response<()>, Status> {
        Ok(Response::new(()))
    }

    #[rpc(slo = true)]
    async fn on(&self, _: Request<()>) -> Result<Response<()>, Status> {
        Ok(Response::new(()))
    }

    #[rpc(slo(latency = "2s"))]
    async fn no_percentile(&self, _: Request<()>) -> Result<Response<()>, Status> {
        Ok(Response::new(()))
    }

    #[rpc(slo(percentile = 99))]
    async fn no_latency(&self, _: Request<()>) -> Result<Response<()>, Status> {
        Ok(Response::new(()))
    }

    #[rpc(slo = false, slo(availability = 99))]
    async fn twice(&self, _: Request<()>) -> Result<Response<()>, Status> {
        Ok(Response::new(()))
    }

    #[rpc(slo(availability = 101), name = "Other")]
    async fn wrong(&self, _: Request<()>) -> Result<Response<()>, Status> {
        Ok(Response::new(()))
    }
}

#[tokio::main]
async fn main() {
    let _ = Service.on(Request::new(())).await;
}
