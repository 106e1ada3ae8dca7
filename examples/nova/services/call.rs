//! Calls of other services: their deadline, and what their failures mean to the caller.

use std::time::{Duration, Instant};

use grpc_metrics_runtime::GrpcStatus;
use tonic::{Code, Request, Response, Status, transport::Channel};

use crate::pb::auth::{
    VerifyTokenRequest, VerifyTokenResponse, auth_service_client::AuthServiceClient,
};

/// Another service failed. Answers that mean something else, such as `NOT_FOUND`, are the handler's to interpret.
#[derive(Debug, thiserror::Error, GrpcStatus)]
pub(super) enum CallError {
    #[error("a service that this one needs is unavailable")]
    #[status(Unavailable, cause = "callee_unavailable")]
    Unavailable(#[source] Status),
    #[error("a service that this one needs did not answer in time")]
    #[status(DeadlineExceeded, cause = "callee_too_late")]
    TooLate(#[source] Status),
    #[error("a service that this one needs failed")]
    #[status(Internal, cause = "callee_failed")]
    Failed(#[source] Status),
}

impl From<Status> for CallError {
    fn from(status: Status) -> Self {
        match status.code() {
            Code::Unavailable => Self::Unavailable(status),
            // tonic says CANCELLED if a deadline has passed.
            Code::DeadlineExceeded | Code::Cancelled => Self::TooLate(status),
            _ => Self::Failed(status),
        }
    }
}

/// Returns `None` for `NOT_FOUND`.
pub(super) fn found<R>(answer: Result<Response<R>, Status>) -> Result<Option<R>, CallError> {
    match answer {
        Ok(response) => Ok(Some(response.into_inner())),
        Err(status) if status.code() == Code::NotFound => Ok(None),
        Err(status) => Err(status.into()),
    }
}

/// Asks auth whose access token this is. Returns `None` if auth does not accept it.
pub(super) async fn verified(
    auth: &AuthServiceClient<Channel>,
    deadline: Deadline,
    access_token: String,
) -> Result<Option<VerifyTokenResponse>, CallError> {
    let request = deadline.request(VerifyTokenRequest { access_token });
    match auth.clone().verify_token(request).await {
        Ok(response) => Ok(Some(response.into_inner())),
        Err(status) => match status.code() {
            Code::InvalidArgument | Code::Unauthenticated | Code::PermissionDenied => Ok(None),
            _ => Err(status.into()),
        },
    }
}

/// The time at which the caller stops waiting. It is passed on with the calls made for this caller.
#[derive(Debug, Clone, Copy)]
pub(super) struct Deadline(Option<Instant>);

impl Deadline {
    pub(super) fn of<T>(request: &Request<T>) -> Self {
        let timeout = request.metadata().get("grpc-timeout").and_then(|value| value.to_str().ok());
        Self(timeout.and_then(parse).and_then(|timeout| Instant::now().checked_add(timeout)))
    }

    /// A request with the time that is left.
    pub(super) fn request<Q>(self, message: Q) -> Request<Q> {
        let mut request = Request::new(message);
        if let Some(end) = self.0 {
            request.set_timeout(end.saturating_duration_since(Instant::now()));
        }
        request
    }
}

/// Reads the value of `grpc-timeout`, up to eight digits and a unit.
fn parse(timeout: &str) -> Option<Duration> {
    let (digits, unit) = timeout.split_at_checked(timeout.len().checked_sub(1)?)?;
    let number: u32 = digits.parse().ok()?;
    let unit = match unit {
        "H" => Duration::from_secs(3_600),
        "M" => Duration::from_secs(60),
        "S" => Duration::from_secs(1),
        "m" => Duration::from_millis(1),
        "u" => Duration::from_micros(1),
        "n" => Duration::from_nanos(1),
        _ => return None,
    };
    Some(unit * number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn callees_get_no_more_time_than_the_caller_has() {
        let mut request = Request::new(());
        request.set_timeout(Duration::from_secs(5));
        let passed_on = Deadline::of(&request).request(());
        let value = passed_on.metadata().get("grpc-timeout").unwrap().to_str().unwrap();
        let left = parse(value).unwrap();
        assert!(left <= Duration::from_secs(5) && left > Duration::ZERO, "{value}");
        let forever = Deadline::of(&Request::new(())).request(());
        assert!(forever.metadata().get("grpc-timeout").is_none());
    }

    #[test]
    fn a_timeout_has_digits_and_a_unit() {
        assert_eq!(parse("2H"), Some(Duration::from_secs(7_200)));
        assert_eq!(parse("99999999M"), Some(Duration::from_secs(99_999_999 * 60)));
        assert_eq!(parse("500m"), Some(Duration::from_millis(500)));
        assert_eq!(parse("7n"), Some(Duration::from_nanos(7)));
        for malformed in ["", "5", "S", "5s", "-1S", "1.5S", "5µ"] {
            assert_eq!(parse(malformed), None, "{malformed}");
        }
    }
}
