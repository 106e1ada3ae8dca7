//! Parses an error type.

use proc_macro2::{Ident, Span, TokenStream};
use syn::{
    Attribute, Data, DataEnum, DataStruct, DeriveInput, Error, Fields, Generics, Result, Visibility,
};

pub(crate) struct Written {
    /// The attributes of an enum. Those of a struct are in its shape.
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) vis: Visibility,
    pub(crate) ident: Ident,
    pub(crate) generics: Generics,
    pub(crate) kind: Kind,
}

pub(crate) enum Kind {
    Enum(Vec<Shape>),
    Struct(Shape),
}

/// A variant or a struct.
pub(crate) struct Shape {
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) ident: Ident,
    pub(crate) fields: Fields,
}

pub(crate) fn parse(item: TokenStream) -> Result<Written> {
    let DeriveInput { attrs, vis, ident, generics, data } = syn::parse2(item)?;
    let (attrs, kind) = match data {
        Data::Enum(DataEnum { variants, .. }) => {
            let shapes = variants.into_iter().map(|variant| Shape {
                attrs: variant.attrs,
                ident: variant.ident,
                fields: variant.fields,
            });
            (attrs, Kind::Enum(shapes.collect()))
        }
        Data::Struct(DataStruct { fields, .. }) => {
            (Vec::new(), Kind::Struct(Shape { attrs, ident: ident.clone(), fields }))
        }
        Data::Union(_) => {
            let message = "`GrpcStatus` can be derived for an enum or a struct, not for a union";
            return Err(Error::new(Span::call_site(), message));
        }
    };
    Ok(Written { attrs, vis, ident, generics, kind })
}
