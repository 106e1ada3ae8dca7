//! Checks the arguments and recognises the client in the module. Either everything is recognised that has to change, or
//! nothing changes.

use proc_macro2::Ident;
use quote::ToTokens;
use syn::{Error, File, ImplItem, ImplItemFn, ItemImpl, ItemStruct, Path, Token, Type};

use crate::client::args::Args;
use crate::client::module::Module;
use crate::client::plan::{Client, Content, Item, Member, Plan, Rpc};
use crate::client::shape;
use crate::syntax::{arguments, tokens};

/// Resolves the module, or returns all mistakes.
pub(crate) fn check(args: Args, module: Module) -> Result<Plan, Vec<Error>> {
    let mut errors = args.errors;
    let own = |path: &Path| {
        path.segments.last().is_some_and(|last| last.ident == "instrument_grpc_client")
    };
    if let Some(again) = module.attrs.iter().find(|attr| own(attr.path())) {
        let message = "`#[instrument_grpc_client]` is given twice: remove one";
        errors.push(Error::new_spanned(again.path(), message));
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    let content = match syn::parse2(module.body.stream()) {
        Ok(file) => client(file).unwrap_or_else(Content::Unknown),
        Err(_) => Content::Unknown("its syntax".to_owned()),
    };
    let runtime = from_inside(arguments::runtime(args.runtime));
    Ok(Plan { runtime, target: args.target, module, content })
}

/// Returns the path as seen from inside a module that is where the path was written.
fn from_inside(mut path: Path) -> Path {
    let first = path.segments.first_mut().filter(|_| path.leading_colon.is_none());
    let Some(first) = first.filter(|first| first.ident == "self" || first.ident == "super") else {
        return path;
    };
    let super_ = Token![super](first.ident.span());
    if first.ident == "self" {
        first.ident = super_.into();
    } else {
        path.segments.insert(0, Ident::from(super_).into());
    }
    path
}

/// Recognises the client, or returns what was not recognised.
fn client(file: File) -> Result<Content, String> {
    let name = name(&file)?;
    let items = file.items.into_iter().map(|item| match item {
        syn::Item::Struct(item) if item.ident == name => Ok(Item::Struct(Box::new(item))),
        syn::Item::Impl(item) if is_of(&item, &name) => implementation(item),
        syn::Item::Use(item) => Ok(Item::AsWritten(item.into_token_stream())),
        item if uses_grpc(&item) => Err(format!("the use of `{}` beside `{name}`", shape::GRPC)),
        item => Ok(Item::AsWritten(item.into_token_stream())),
    });
    let client = Client { attrs: file.attrs, items: items.collect::<Result<_, _>>()? };
    if !client.members().any(|member| matches!(member, Member::Rpc(_))) {
        return Ok(Content::Empty);
    }
    if !client.members().any(|member| matches!(member, Member::Constructor(_))) {
        return Err(format!("a constructor of `{name}`"));
    }
    Ok(Content::Client(client))
}

/// Returns the name of the client's type.
fn name(file: &File) -> Result<Ident, String> {
    let structs = file.items.iter().filter_map(|item| match item {
        syn::Item::Struct(item) => {
            shape::service_type(&mut ItemStruct::clone(item)).map(|_| &item.ident)
        }
        _ => None,
    });
    match *structs.collect::<Vec<_>>() {
        [name] => Ok(name.clone()),
        [] => Err("a struct with a field `inner: tonic::client::Grpc<T>`".to_owned()),
        [one, other, ..] => Err(format!("which of `{one}` and `{other}` is the client")),
    }
}

/// Whether it is an impl of the client and of no trait.
fn is_of(item: &ItemImpl, client: &Ident) -> bool {
    let Type::Path(ty) = &*item.self_ty else {
        return false;
    };
    item.trait_.is_none() && ty.path.segments.last().is_some_and(|last| last.ident == *client)
}

fn implementation(mut item: ItemImpl) -> Result<Item, String> {
    let members = std::mem::take(&mut item.items).into_iter().map(|member| match member {
        ImplItem::Fn(method) => function(method),
        member if uses_grpc(&member) => Err(format!("the use of `{}` beside methods", shape::GRPC)),
        member => Ok(Member::AsWritten(Box::new(member))),
    });
    let members = members.collect::<Result<_, _>>()?;
    Ok(Item::Impl(Box::new(item), members))
}

fn function(mut method: ImplItemFn) -> Result<Member, String> {
    let unknown = format!("the method `{}`", method.sig.ident);
    if method.sig.receiver().is_some() && (method.sig.asyncness.is_some() || names_rpc(&method)) {
        let rpc = rpc(method).filter(|rpc| !uses_grpc(&rpc.method));
        return rpc.map(|rpc| Member::Rpc(Box::new(rpc))).ok_or(unknown);
    }
    let mut constructs = false;
    let mut uses_grpc_otherwise = uses_grpc(&method.sig);
    for statement in &mut method.block.stmts {
        let constructs_here = shape::service(statement).is_some();
        constructs |= constructs_here;
        uses_grpc_otherwise |= !constructs_here && uses_grpc(statement);
    }
    if uses_grpc_otherwise {
        return Err(unknown);
    }
    Ok(if constructs {
        Member::Constructor(Box::new(method))
    } else {
        Member::AsWritten(Box::new(ImplItem::Fn(method)))
    })
}

fn rpc(mut method: ImplItemFn) -> Option<Rpc> {
    method.sig.asyncness?;
    let (kind, _) = shape::call(&mut method.block)?;
    let (service, name) = method.block.stmts.iter().find_map(shape::names)?;
    let (service, name) = (service.clone(), name.clone());
    Some(Rpc { method, service, name, kind })
}

fn names_rpc(method: &ImplItemFn) -> bool {
    mentions(method, "GrpcMethod")
}

fn uses_grpc(item: &impl ToTokens) -> bool {
    mentions(item, shape::GRPC)
}

fn mentions(item: &impl ToTokens, name: &str) -> bool {
    tokens::mention(item.to_token_stream(), &|ident| ident == name)
}
