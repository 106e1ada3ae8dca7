//! gRPC's vocabulary: status codes and kinds of methods.

mod code;
mod kind;

pub use self::code::CodeLabel;
pub(crate) use self::code::{ALL_CODES, CODES, CodeSet, FAULT_CODES};
pub use self::kind::MethodKind;
