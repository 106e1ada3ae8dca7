//! The input of the expansion: without mistakes, and with every item recognised.

use proc_macro2::TokenStream;
use syn::{Attribute, ImplItem, ImplItemFn, ItemImpl, ItemStruct, LitStr, Path};

use crate::client::module::Module;

pub(crate) struct Plan {
    /// The path of the runtime crate, as seen from inside the module.
    pub(crate) runtime: Path,
    /// The value of `target = …`.
    pub(crate) target: Option<LitStr>,
    pub(crate) module: Module,
    pub(crate) content: Content,
}

pub(crate) enum Content {
    /// A client without RPCs. Stays as written.
    Empty,
    /// Stays as written, and the program says which part was not recognised.
    Unknown(String),
    Client(Client),
}

pub(crate) struct Client {
    /// The inner attributes of the module.
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) items: Vec<Item>,
}

pub(crate) enum Item {
    AsWritten(TokenStream),
    /// The client's type.
    Struct(Box<ItemStruct>),
    /// An impl of the client without its items, and the items.
    Impl(Box<ItemImpl>, Vec<Member>),
}

pub(crate) enum Member {
    AsWritten(Box<ImplItem>),
    Constructor(Box<ImplItemFn>),
    Rpc(Box<Rpc>),
}

pub(crate) struct Rpc {
    pub(crate) method: ImplItemFn,
    /// The literals of the service's and the method's name.
    pub(crate) service: LitStr,
    pub(crate) name: LitStr,
    pub(crate) kind: Kind,
}

#[derive(Clone, Copy)]
pub(crate) struct Kind {
    pub(crate) client_streams: bool,
    pub(crate) server_streams: bool,
}

impl Client {
    pub(crate) fn members(&self) -> impl Iterator<Item = &Member> {
        self.items.iter().flat_map(|item| match item {
            Item::Impl(_, members) => members.as_slice(),
            _ => &[],
        })
    }
}
