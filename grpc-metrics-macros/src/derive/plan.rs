//! The input of the expansion.

use proc_macro2::{Ident, TokenStream};
use syn::{Generics, LitStr, Member, Path, Type, Visibility};

pub(crate) struct Plan {
    /// The path of the runtime crate.
    pub(crate) runtime: Path,
    pub(crate) vis: Visibility,
    pub(crate) ident: Ident,
    pub(crate) generics: Generics,
    pub(crate) is_enum: bool,
    /// One per variant, or one for the struct. `None` if there is a mistake.
    pub(crate) cases: Option<Vec<Case>>,
}

pub(crate) struct Case {
    /// `Self::NoPost` or `Self`.
    pub(crate) path: TokenStream,
    pub(crate) status: Status,
    pub(crate) name: Ident,
    /// The value of the `error` label.
    pub(crate) cause: String,
    /// Whether the cause is written, not derived from the name.
    pub(crate) is_named: bool,
}

impl Case {
    /// Returns the field whose status is passed on, and its type, if the case is transparent.
    pub(crate) fn passed_on(&self) -> Option<(&Member, &Type)> {
        if let Status::PassedOn(member, ty) = &self.status { Some((member, ty)) } else { None }
    }
}

pub(crate) enum Status {
    Own {
        code: Ident,
        message: Option<LitStr>,
    },
    /// The status of this field, with the field's type.
    PassedOn(Member, Box<Type>),
}
