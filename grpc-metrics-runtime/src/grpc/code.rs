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
}

impl CodeLabel {
    /// Returns the label's value for this code. The names are those of "Status codes and their use in gRPC".
    pub(crate) const fn spell(self, code: Code) -> &'static str {
        let (number, name) = match code {
            Code::Ok => ("0", "OK"),
            Code::Cancelled => ("1", "CANCELLED"),
            Code::Unknown => ("2", "UNKNOWN"),
            Code::InvalidArgument => ("3", "INVALID_ARGUMENT"),
            Code::DeadlineExceeded => ("4", "DEADLINE_EXCEEDED"),
            Code::NotFound => ("5", "NOT_FOUND"),
            Code::AlreadyExists => ("6", "ALREADY_EXISTS"),
            Code::PermissionDenied => ("7", "PERMISSION_DENIED"),
            Code::ResourceExhausted => ("8", "RESOURCE_EXHAUSTED"),
            Code::FailedPrecondition => ("9", "FAILED_PRECONDITION"),
            Code::Aborted => ("10", "ABORTED"),
            Code::OutOfRange => ("11", "OUT_OF_RANGE"),
            Code::Unimplemented => ("12", "UNIMPLEMENTED"),
            Code::Internal => ("13", "INTERNAL"),
            Code::Unavailable => ("14", "UNAVAILABLE"),
            Code::DataLoss => ("15", "DATA_LOSS"),
            Code::Unauthenticated => ("16", "UNAUTHENTICATED"),
        };
        match self {
            Self::Number => number,
            Self::Name => name,
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
