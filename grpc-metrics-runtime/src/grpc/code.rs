//! gRPC status codes: order, spelling and sets.

use tonic::Code;

/// The number of status codes.
pub(crate) const CODES: usize = 17;

/// All status codes, ordered by number.
pub(crate) const ALL_CODES: [Code; CODES] = [
    Code::Ok,
    Code::Cancelled,
    Code::Unknown,
    Code::InvalidArgument,
    Code::DeadlineExceeded,
    Code::NotFound,
    Code::AlreadyExists,
    Code::PermissionDenied,
    Code::ResourceExhausted,
    Code::FailedPrecondition,
    Code::Aborted,
    Code::OutOfRange,
    Code::Unimplemented,
    Code::Internal,
    Code::Unavailable,
    Code::DataLoss,
    Code::Unauthenticated,
];

/// The default server-fault codes.
pub(crate) const FAULT_CODES: [Code; 6] = [
    Code::Unknown,
    Code::DeadlineExceeded,
    Code::Unimplemented,
    Code::Internal,
    Code::Unavailable,
    Code::DataLoss,
];

/// The spelling of the `code` label.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum CodeLabel {
    /// The decimal number: `"0"` to `"16"`.
    #[default]
    Number,
    /// The canonical name: `"OK"`, `"NOT_FOUND"`.
    Name,
    /// The name as grpc-go spells it: `"OK"`, `"NotFound"`, and `"Canceled"` with one `l`.
    CamelCase,
}

impl CodeLabel {
    /// Returns the label's value for this code. The names are those of "Status codes and their use in gRPC".
    pub(crate) const fn spell(self, code: Code) -> &'static str {
        let (number, name, camel) = match code {
            Code::Ok => ("0", "OK", "OK"),
            Code::Cancelled => ("1", "CANCELLED", "Canceled"),
            Code::Unknown => ("2", "UNKNOWN", "Unknown"),
            Code::InvalidArgument => ("3", "INVALID_ARGUMENT", "InvalidArgument"),
            Code::DeadlineExceeded => ("4", "DEADLINE_EXCEEDED", "DeadlineExceeded"),
            Code::NotFound => ("5", "NOT_FOUND", "NotFound"),
            Code::AlreadyExists => ("6", "ALREADY_EXISTS", "AlreadyExists"),
            Code::PermissionDenied => ("7", "PERMISSION_DENIED", "PermissionDenied"),
            Code::ResourceExhausted => ("8", "RESOURCE_EXHAUSTED", "ResourceExhausted"),
            Code::FailedPrecondition => ("9", "FAILED_PRECONDITION", "FailedPrecondition"),
            Code::Aborted => ("10", "ABORTED", "Aborted"),
            Code::OutOfRange => ("11", "OUT_OF_RANGE", "OutOfRange"),
            Code::Unimplemented => ("12", "UNIMPLEMENTED", "Unimplemented"),
            Code::Internal => ("13", "INTERNAL", "Internal"),
            Code::Unavailable => ("14", "UNAVAILABLE", "Unavailable"),
            Code::DataLoss => ("15", "DATA_LOSS", "DataLoss"),
            Code::Unauthenticated => ("16", "UNAUTHENTICATED", "Unauthenticated"),
        };
        match self {
            Self::Number => number,
            Self::Name => name,
            Self::CamelCase => camel,
        }
    }
}

/// A set of status codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CodeSet(u32);

impl CodeSet {
    pub(crate) fn contains(self, code: Code) -> bool {
        self.0 & 1 << code as u32 != 0
    }

    pub(crate) fn iter(self) -> impl Iterator<Item = Code> {
        ALL_CODES.into_iter().filter(move |code| self.contains(*code))
    }
}

impl FromIterator<Code> for CodeSet {
    fn from_iter<I: IntoIterator<Item = Code>>(codes: I) -> Self {
        Self(codes.into_iter().fold(0, |set, code| set | 1 << code as u32))
    }
}
