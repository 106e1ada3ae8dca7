//! The shapes in which tonic 0.14 generates the parts of a client. `check` looks for them, and `expand` changes what they
//! contain.

use syn::{
    Block, Expr, ExprCall, ExprField, ExprMethodCall, Field, GenericArgument, ItemStruct, Lit,
    LitStr, LocalInit, Member, Path, PathArguments, Stmt, Type,
};

use crate::client::plan::Kind;
use crate::syntax::arguments;

/// tonic's type that sends the requests.
pub(crate) const GRPC: &str = "Grpc";

const INNER: &str = "inner";

/// Returns `T` of the field `inner: tonic::client::Grpc<T>`.
pub(crate) fn service_type(item: &mut ItemStruct) -> Option<&mut Type> {
    let is_inner = |field: &&mut Field| field.ident.as_ref().is_some_and(|name| name == INNER);
    let Type::Path(ty) = &mut item.fields.iter_mut().find(is_inner)?.ty else {
        return None;
    };
    let last = ty.path.segments.last_mut().filter(|last| last.ident == GRPC)?;
    let PathArguments::AngleBracketed(arguments) = &mut last.arguments else {
        return None;
    };
    match arguments.args.first_mut() {
        Some(GenericArgument::Type(ty)) => Some(ty),
        _ => None,
    }
}

/// Returns `service` of `let inner = tonic::client::Grpc::new(service);` or `…::with_origin(service, origin);`.
pub(crate) fn service(statement: &mut Stmt) -> Option<&mut Expr> {
    let Stmt::Local(local) = statement else {
        return None;
    };
    let LocalInit { expr, .. } = local.init.as_mut()?;
    let Expr::Call(ExprCall { func, args, .. }) = &mut **expr else {
        return None;
    };
    let constructs = ends_in(func, GRPC, "new") || ends_in(func, GRPC, "with_origin");
    args.first_mut().filter(|_| constructs)
}

/// Returns the kind of the RPC and the codec of a body that ends in `self.inner.unary(request, path, codec).await`.
pub(crate) fn call(body: &mut Block) -> Option<(Kind, &mut Expr)> {
    let Some(Stmt::Expr(Expr::Await(awaited), None)) = body.stmts.last_mut() else {
        return None;
    };
    let Expr::MethodCall(ExprMethodCall { receiver, method, args, .. }) = &mut *awaited.base else {
        return None;
    };
    let (client_streams, server_streams) = match method.to_string().as_str() {
        "unary" => (false, false),
        "client_streaming" => (true, false),
        "server_streaming" => (false, true),
        "streaming" => (true, true),
        _ => return None,
    };
    let kind = Kind { client_streams, server_streams };
    let has_codec = args.len() == 3 && is_inner_of_self(receiver);
    args.last_mut().filter(|_| has_codec).map(|codec| (kind, codec))
}

/// Returns the names in `….insert(GrpcMethod::new("pkg.Greeter", "SayHello"));`.
pub(crate) fn names(statement: &Stmt) -> Option<(&LitStr, &LitStr)> {
    let Stmt::Expr(Expr::MethodCall(insert), Some(_)) = statement else {
        return None;
    };
    let Some(Expr::Call(ExprCall { func, args, .. })) = insert.args.first() else {
        return None;
    };
    let is_method = insert.method == "insert" && ends_in(func, "GrpcMethod", "new");
    let mut args =
        args.iter().filter(|_| is_method).map(|argument| match arguments::literal(argument) {
            Some(Lit::Str(name)) => Some(name),
            _ => None,
        });
    Some((args.next()??, args.next()??))
}

/// Whether the path ends in `ty::function`.
fn ends_in(path: &Expr, ty: &str, function: &str) -> bool {
    let Expr::Path(path) = path else {
        return false;
    };
    let mut from_end = path.path.segments.iter().rev().map(|segment| &segment.ident);
    from_end.next().is_some_and(|last| last == function)
        && from_end.next().is_some_and(|ident| ident == ty)
}

fn is_inner_of_self(expr: &Expr) -> bool {
    let Expr::Field(ExprField { base, member: Member::Named(field), .. }) = expr else {
        return false;
    };
    field == INNER && matches!(&**base, Expr::Path(base) if Path::is_ident(&base.path, "self"))
}
