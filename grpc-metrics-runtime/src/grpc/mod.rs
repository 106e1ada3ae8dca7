//! gRPC's vocabulary, and how it travels: status codes, kinds of methods, headers and messages.

mod code;
mod frames;
mod header;
mod kind;
mod status;

pub use self::code::CodeLabel;
pub(crate) use self::code::{ALL_CODES, CODES, CodeSet, FAULT_CODES};
pub(crate) use self::frames::Frames;
pub(crate) use self::header::header;
pub use self::kind::MethodKind;
pub(crate) use self::status::{status_in_headers, status_of};
