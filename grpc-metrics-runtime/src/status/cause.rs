//! The list of error types by which the cause of a status is found.

use std::any::TypeId;
use std::error::Error;
use std::sync::OnceLock;
use std::{fmt, iter};

use tonic::Status;

/// Returns the cause of a status whose source derives `GrpcStatus`, whichever way it became the source.
///
/// The source is the error itself, so that logs show it, but its type is erased. So each error type is on a list and
/// tries to downcast it.
pub(crate) fn cause_of(status: &Status) -> Option<&'static str> {
    let source = status.source()?;
    if let Some(passed) = source.downcast_ref::<PassedOn>() {
        return Some(passed.cause);
    }
    let linked = inventory::iter::<ErrorType>.into_iter();
    linked.chain(Registered::all()).find_map(|ty| (ty.cause)(source))
}

/// The source of a status that was passed on: the original status, and the cause it was passed on with.
pub(super) struct PassedOn {
    pub(super) cause: &'static str,
    pub(super) status: Status,
}

impl fmt::Debug for PassedOn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.status.fmt(f)
    }
}

impl fmt::Display for PassedOn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.cause, self.status.message())
    }
}

impl Error for PassedOn {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.status.source()
    }
}

/// An error type that derives `GrpcStatus`.
#[derive(Clone, Copy, Debug)]
pub struct ErrorType {
    id: fn() -> TypeId,
    cause: CauseOf,
}

/// Returns the cause of an error of one type, or `None` for an error of another type.
type CauseOf = fn(&(dyn Error + 'static)) -> Option<&'static str>;

inventory::collect!(ErrorType);

impl ErrorType {
    pub(super) const fn new<E: 'static>(cause: CauseOf) -> Self {
        Self { id: TypeId::of::<E>, cause }
    }

    /// Adds an instance of a generic type to the list when it is first converted.
    pub(super) fn register(self) {
        let mut slot = &REGISTERED;
        loop {
            let registered =
                slot.get_or_init(|| Box::new(Registered { ty: self, next: OnceLock::new() }));
            if (registered.ty.id)() == (self.id)() {
                return;
            }
            slot = &registered.next;
        }
    }
}

/// A list of the instances of generic types, which no static can name. It only grows, up to one entry per type.
struct Registered {
    ty: ErrorType,
    next: OnceLock<Box<Self>>,
}

static REGISTERED: OnceLock<Box<Registered>> = OnceLock::new();

impl Registered {
    fn all() -> impl Iterator<Item = &'static ErrorType> {
        iter::successors(REGISTERED.get(), |registered| registered.next.get())
            .map(|registered| &registered.ty)
    }
}
