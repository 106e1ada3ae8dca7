//! Where a method's signature says what its handler returns.

use syn::{GenericArgument, PathArguments, ReturnType, Signature, Type, TypeParamBound};

/// What the handler's future gives: the type after `->` of an `async fn`, or `R` in the
/// `Pin<Box<dyn Future<Output = R> + …>>` that `#[async_trait]` makes of it.
pub(crate) fn of_handler(sig: &mut Signature) -> Option<&mut Type> {
    let is_async = sig.asyncness.is_some();
    let ReturnType::Type(_, ty) = &mut sig.output else {
        return None;
    };
    if is_async {
        return Some(ty);
    }
    let object = first_type_in(first_type_in(ty, "Pin")?, "Box")?;
    let Type::TraitObject(object) = object else {
        return None;
    };
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

/// `T` in `…::name<T>`.
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
