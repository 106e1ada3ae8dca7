//! Expands the plan. The expansion has calls only; the logic is in the runtime.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::{Block, Expr, ImplItemFn, ItemStruct, LitStr, Stmt, Type};

use crate::client::module::Module;
use crate::client::plan::{Client, Content, Item, Kind, Member, Plan, Rpc};
use crate::client::shape;
use crate::syntax::tokens::{self, emit};

/// Generates the module.
pub(crate) fn expand(plan: Plan) -> TokenStream {
    let Module { attrs, head, name, body } = plan.module;
    let runtime = plan.runtime;
    let runtime = Runtime { path: emit!(#runtime::__private), target: plan.target };
    let content = match plan.content {
        Content::Empty => body.stream(),
        Content::Unknown(why) => {
            let (content, name) = (body.stream(), name.unraw().to_string());
            let warning = runtime.warning(&name, &why);
            emit!(#content #warning)
        }
        Content::Client(Client { attrs, items }) => {
            let items = items.into_iter().map(|item| runtime.item(item));
            emit!(#(#attrs)* #(#items)*)
        }
    };
    let body = tokens::regroup(&body, content);
    emit!(#(#attrs)* #head #body)
}

/// What every call of the runtime needs.
struct Runtime {
    /// The path of the items for expansions.
    path: TokenStream,
    target: Option<LitStr>,
}

impl Runtime {
    fn warning(&self, module: &str, why: &str) -> TokenStream {
        let Self { path, .. } = self;
        emit! {
            const _: () = {
                #path::submit! { #path::unmeasured_client(#module, #why) }
            };
        }
    }

    fn item(&self, item: Item) -> TokenStream {
        match item {
            Item::AsWritten(tokens) => tokens,
            Item::Struct(item) => self.client(*item),
            Item::Impl(mut head, members) => {
                let members = members.into_iter().map(|member| match member {
                    Member::AsWritten(member) => member.into_token_stream(),
                    Member::Constructor(method) => self.constructor(*method),
                    Member::Rpc(rpc) => self.rpc(*rpc),
                });
                head.items = vec![syn::ImplItem::Verbatim(members.collect())];
                head.into_token_stream()
            }
        }
    }

    fn client(&self, mut item: ItemStruct) -> TokenStream {
        let Self { path, .. } = self;
        if let Some(ty) = shape::service_type(&mut item) {
            *ty = Type::Verbatim(emit!(#path::ClientService<#ty>));
        }
        item.into_token_stream()
    }

    fn constructor(&self, mut method: ImplItemFn) -> TokenStream {
        let Self { path, .. } = self;
        for service in method.block.stmts.iter_mut().filter_map(shape::service) {
            *service = Expr::Verbatim(emit!(#path::client_service(#service)));
        }
        method.into_token_stream()
    }

    fn rpc(&self, rpc: Rpc) -> TokenStream {
        let Self { path, target } = self;
        let Rpc { mut method, service, name, kind } = rpc;
        let Kind { client_streams, server_streams } = kind;
        if let Some((_, codec)) = shape::call(&mut method.block).filter(|_| server_streams) {
            *codec = Expr::Verbatim(emit!(#path::client_codec(#codec)));
        }
        let target = target.as_ref().map(|target| emit!(.target(#target)));
        let Block { brace_token, .. } = method.block;
        let body = &method.block;
        let body = emit! {
            static __METHOD: #path::ClientMethod =
                #path::client_method(#service, #name, #client_streams, #server_streams) #target;
            #path::submit! { #path::ClientEntry::new(&__METHOD) }
            #path::client_call(&__METHOD, async move #body).await
        };
        method.block = Block { brace_token, stmts: vec![Stmt::Expr(Expr::Verbatim(body), None)] };
        method.into_token_stream()
    }
}
