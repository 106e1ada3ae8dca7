//! What expansion may rely on: names resolved, kinds known as far as syntax tells them, no mistake left.

use proc_macro2::{Group, Ident, Literal, Span, TokenStream};
use syn::{Attribute, Expr, ItemImpl, LitStr, Path, Signature, Visibility};

use crate::instrument::carry::{Body, Response};

pub(crate) struct Plan {
    /// The path of the runtime crate.
    pub(crate) runtime: Path,
    /// The impl without its items.
    pub(crate) head: ItemImpl,
    /// A constant expression for the service label.
    pub(crate) label: TokenStream,
    /// Whether the label is the name that the impl has for the trait, which may be one of its own.
    pub(crate) is_named_after_trait: bool,
    /// The macros called among its items, which may make RPCs, as `rpcs!`; and whether each is there.
    pub(crate) macro_calls: Vec<(Vec<Attribute>, String)>,
    /// The names of the RPCs under `#[skip_metrics]`, each with the `#[cfg]`s of its method.
    pub(crate) skipped: Vec<(Vec<Attribute>, LitStr)>,
    /// The impl in words, for messages.
    pub(crate) implementation: String,
    /// Which instance counts, if not the process-wide one.
    pub(crate) metrics: Option<Expr>,
    pub(crate) items: Vec<Item>,
}

pub(crate) enum Item {
    AsWritten(TokenStream),
    /// `type WatchStream = T;`, to be wrapped; and whether a constant can ask what `T` is, which stays as it is if
    /// it is a box.
    Stream(Box<syn::ImplItemType>, bool),
    Rpc(Box<Rpc>),
}

impl Item {
    pub(crate) fn as_rpc(&self) -> Option<&Rpc> {
        if let Self::Rpc(rpc) = self { Some(rpc) } else { None }
    }
}

pub(crate) struct Rpc {
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) vis: Visibility,
    /// As the trait wants it.
    pub(crate) sig: Signature,
    /// The name of the descriptor's static.
    pub(crate) descriptor: Ident,
    /// Whether the types that it names may be deprecated ones.
    pub(crate) allows_deprecated: bool,
    /// The method label.
    pub(crate) name: LitStr,
    pub(crate) client_streams: Streams,
    pub(crate) server_streams: Streams,
    /// The argument that holds the request.
    pub(crate) request: Ident,
    /// Its type.
    pub(crate) argument: TokenStream,
    /// What gives it the user's name in the body, if the argument has another.
    pub(crate) taken: TokenStream,
    pub(crate) response: Response,
    pub(crate) form: Form,
    pub(crate) objectives: Objectives,
    /// Whether its RPCs have spans.
    pub(crate) has_span: bool,
    /// The place of the method's braces.
    pub(crate) braces: Span,
}

/// Whether one side of an RPC streams.
pub(crate) enum Streams {
    /// The syntax tells.
    Known(bool),
    /// This type tells: a request's, what a handler returns, or its future.
    Type(TokenStream),
}

/// What is promised of the method.
#[derive(Default)]
pub(crate) struct Objectives {
    /// A share of RPCs.
    pub(crate) availability: Option<Literal>,
    pub(crate) latency: Option<Latency>,
}

pub(crate) struct Latency {
    pub(crate) nanos: u64,
    /// A share of RPCs.
    pub(crate) ratio: Literal,
    /// Whether it holds if the server streams, too.
    pub(crate) of_streams: bool,
}

/// When the handler is wrapped.
pub(crate) enum Form {
    Now(Body),
    /// After an attribute on the method that makes a span. Of an `async fn`, that one looks at the return
    /// type, which is the trait's and not the handler's.
    Later {
        body: Group,
        /// The type of the future that the method returns.
        future: TokenStream,
        /// What the handler gives.
        returned: Option<TokenStream>,
    },
}
