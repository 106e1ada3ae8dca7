//! Finds the handler's return type in a method's signature.

use syn::{
    GenericArgument, PathArguments, ReturnType, Signature, Type, TypeParamBound, TypeTraitObject,
};

/// Returns the output of the handler's future: the type after `->` of an `async fn`, or `R` in the
/// `Pin<Box<dyn Future<Output = R> + …>>` that `#[async_trait]` generates.
pub(crate) fn of_handler(sig: &mut Signature) -> Option<&mut Type> {
    let is_async = sig.asyncness.is_some();
    let ReturnType::Type(_, ty) = &mut sig.output else {
        return None;
    };
    if is_async {
        return Some(ty);
    }
    let object = boxed_object(ty)?;
    object.bounds.iter_mut().find_map(|bound| {
        let TypeParamBound::Trait(bound) = bound else {
            return None;
        };
        let future = bound.path.segments.last_mut().filter(|last| last.ident == "Future")?;
        let PathArguments::AngleBracketed(arguments) = &mut future.arguments else {
            return None;
        };
        arguments.args.iter_mut().find_map(|argument| match argument {
            GenericArgument::AssocType(output) if output.ident == "Output" => Some(&mut output.ty),
            _ => None,
        })
    })
}

/// Returns whether a type is a `Pin<Box<dyn Future<Output = R> + Send + …>>`.
pub(crate) fn is_send(ty: &Type) -> bool {
    boxed_object(&mut ty.clone()).is_some_and(|object| {
        let traits = object.bounds.iter().filter_map(|bound| match bound {
            TypeParamBound::Trait(bound) => bound.path.segments.last(),
            _ => None,
        });
        let names: Vec<_> = traits.map(|last| last.ident.to_string()).collect();
        names == ["Future", "Send"]
    })
}

/// Returns `dyn …` of a `Pin<Box<dyn …>>`.
fn boxed_object(ty: &mut Type) -> Option<&mut TypeTraitObject> {
    match first_type_in(first_type_in(ty, "Pin")?, "Box")? {
        Type::TraitObject(object) => Some(object),
        _ => None,
    }
}

/// Returns `T` of `…::name<T>`.
fn first_type_in<'a>(ty: &'a mut Type, name: &str) -> Option<&'a mut Type> {
    let Type::Path(path) = ty else {
        return None;
    };
    let last = path.path.segments.last_mut().filter(|last| last.ident == name)?;
    let PathArguments::AngleBracketed(arguments) = &mut last.arguments else {
        return None;
    };
    arguments.args.iter_mut().find_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use quote::{ToTokens, quote};
    use syn::parse_quote;

    use super::*;

    #[test]
    fn which_boxes_are_send() {
        let sends: [Type; 2] = [
            parse_quote!(Pin<Box<dyn Future<Output = A> + Send>>),
            parse_quote!(::p::Pin<Box<dyn ::f::Future<Output = A> + ::m::Send + 'async_trait>>),
        ];
        assert!(sends.iter().all(is_send));
        let others: [Type; 4] = [
            parse_quote!(Pin<Box<dyn Future<Output = A> + 'async_trait>>),
            parse_quote!(Pin<Box<dyn Future<Output = A> + Send + Sync>>),
            parse_quote!(Pin<Arc<dyn Future<Output = A> + Send>>),
            parse_quote!(BoxFuture<'a, A>),
        ];
        assert!(!others.iter().any(is_send));
    }

    fn given(sig: proc_macro2::TokenStream) -> Option<String> {
        let mut sig: Signature = syn::parse2(sig).expect("a signature");
        of_handler(&mut sig).map(|ty| ty.to_token_stream().to_string())
    }

    #[test]
    fn where_the_signature_says_it() {
        for (sig, returned) in [
            (quote!(async fn a() -> A), Some("A")),
            (quote!(async fn a()), None),
            (quote!(fn a() -> Pin<Box<dyn Future<Output = A>>>), Some("A")),
            (
                quote!(fn a() -> ::p::Pin<b::Box<dyn Send + for<'a> f::Future<Output = A> + 'b>>),
                Some("A"),
            ),
            (quote!(fn a() -> Pin<'a, Box<dyn Future<Item = B, Output = A>>>), Some("A")),
            (quote!(fn a() -> Nip<Box<dyn Future<Output = A>>>), None),
            (quote!(fn a() -> Pin<Arc<dyn Future<Output = A>>>), None),
            (quote!(fn a() -> Pin<Box<dyn Stream<Output = A>>>), None),
            (quote!(fn a() -> Pin<Box<dyn Future<Item = A>>>), None),
            (quote!(fn a() -> Pin<Box<Future<Output = A>>>), None),
            (quote!(fn a() -> Pin<Box<dyn Future>>), None),
            (quote!(fn a() -> Pin), None),
            (quote!(fn a() -> [Box<dyn Future<Output = A>>; 1]), None),
            (quote!(fn a() -> BoxFuture<'a, A>), None),
            (quote!(fn a()), None),
        ] {
            assert_eq!(given(sig.clone()).as_deref(), returned, "{sig}");
        }
    }
}
