//! gRPC's vocabulary: status codes, kinds of methods and headers.

mod code;
mod header;
mod kind;

pub use self::code::CodeLabel;
pub(crate) use self::code::{ALL_CODES, CODES, CodeSet, FAULT_CODES};
pub(crate) use self::header::header;
pub use self::kind::MethodKind;
