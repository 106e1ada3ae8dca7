//! Validation of request fields: ids, texts and page sizes.

use grpc_metrics_runtime::GrpcStatus;
use uuid::Uuid;

const DEFAULT_PAGE: usize = 20;
pub(super) const LARGEST_PAGE: usize = 100;

/// An invalid field. The error types of all services pass it on.
#[derive(Debug, thiserror::Error, GrpcStatus)]
pub(super) enum InputError {
    #[error("{0} is not a UUID")]
    #[status(InvalidArgument)]
    InvalidId(&'static str),
    #[error("{0} is empty")]
    #[status(InvalidArgument)]
    EmptyField(&'static str),
    #[error("page_size is over {LARGEST_PAGE}")]
    #[status(InvalidArgument)]
    PageTooLarge,
}

pub(super) fn parse_id(field: &'static str, id: &str) -> Result<Uuid, InputError> {
    Uuid::try_parse(id).map_err(|_| InputError::InvalidId(field))
}

pub(super) fn non_empty(field: &'static str, text: String) -> Result<String, InputError> {
    if text.trim().is_empty() { Err(InputError::EmptyField(field)) } else { Ok(text) }
}

/// 0 means the default page size.
pub(super) fn page(size: u32) -> Result<usize, InputError> {
    match usize::try_from(size) {
        Ok(0) => Ok(DEFAULT_PAGE),
        Ok(size @ 1..=LARGEST_PAGE) => Ok(size),
        _ => Err(InputError::PageTooLarge),
    }
}
