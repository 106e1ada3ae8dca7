//! What expansion may rely on.

use proc_macro2::{Ident, TokenStream};
use syn::{Generics, LitStr, Member, Path, Type, Visibility};

pub(crate) struct Plan {
    /// The path of the runtime crate.
    pub(crate) runtime: Path,
    pub(crate) vis: Visibility,
    pub(crate) ident: Ident,
    pub(crate) generics: Generics,
    pub(crate) is_enum: bool,
    /// One for each variant, or for the struct itself; `None` if any of them has a mistake.
    pub(crate) cases: Option<Vec<Case>>,
}

pub(crate) struct Case {
    /// `Self::NoPost`, or `Self`.
    pub(crate) path: TokenStream,
    pub(crate) status: Status,
    pub(crate) name: Ident,
    /// The cause as a label.
    pub(crate) cause: String,
    /// Whether the cause is written, and not made of the name.
    pub(crate) is_named: bool,
}

impl Case {
    /// The field whose status it passes on, if it does, with its type.
    pub(crate) fn passed_on(&self) -> Option<(&Member, &Type)> {
        if let Status::PassedOn(member, ty) = &self.status { Some((member, ty)) } else { None }
    }
}

pub(crate) enum Status {
    Own {
        code: Ident,
        message: Option<LitStr>,
    },
    /// The field's, and the field's type.
    PassedOn(Member, Box<Type>),
}
