//! The status of an RPC on the wire.

use http::{HeaderMap, HeaderName, StatusCode};
use tonic::{Code, Status};

use super::header::header;

/// The status in headers or trailers. A malformed one is `UNKNOWN`, as clients have it.
pub(crate) fn status_of(headers: &HeaderMap) -> Option<Code> {
    static GRPC_STATUS: HeaderName = Status::GRPC_STATUS;
    header(headers, &GRPC_STATUS).map(|value| Code::from_bytes(value.as_bytes()))
}

/// The status that a response has in its headers: there are no trailers, or the answer is not from a gRPC service.
pub(crate) fn status_in_headers(status: StatusCode, headers: &HeaderMap) -> Option<Code> {
    let of_http = || (status != StatusCode::OK).then(|| code_of_http(status));
    status_of(headers).or_else(of_http)
}

/// gRPC, "HTTP to gRPC Status Code Mapping".
fn code_of_http(status: StatusCode) -> Code {
    match status.as_u16() {
        400 => Code::Internal,
        401 => Code::Unauthenticated,
        403 => Code::PermissionDenied,
        404 => Code::Unimplemented,
        429 | 502 | 503 | 504 => Code::Unavailable,
        _ => Code::Unknown,
    }
}
