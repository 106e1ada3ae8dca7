//! The input of the expansion: without mistakes, with names resolved, and with kinds as far as the syntax shows them.

use proc_macro2::{Group, Ident, Literal, Span, TokenStream};
use syn::{Attribute, Expr, ItemImpl, LitStr, Path, Signature, Visibility};

use crate::instrument::body::{Body, Response};

pub(crate) struct Plan {
    /// The path of the runtime crate.
    pub(crate) runtime: Path,
    /// The impl without its items.
    pub(crate) head: ItemImpl,
    /// A constant expression for the service label.
    pub(crate) label: TokenStream,
    /// Whether the label is the trait's name as written, which may be an alias.
    pub(crate) is_named_after_trait: bool,
    /// The macros called among the items, such as `rpcs!`, which may expand to RPCs. Each has its `#[cfg]`s.
    pub(crate) macro_calls: Vec<(Vec<Attribute>, String)>,
    /// The names of the RPCs under `#[skip_metrics]`, each with the `#[cfg]`s of its method.
    pub(crate) skipped: Vec<(Vec<Attribute>, LitStr)>,
    /// The impl, for messages: `Greeter for MyGreeter`.
    pub(crate) implementation: String,
    /// The value of `metrics = …`. `None` means the process-wide instance.
    pub(crate) metrics: Option<Expr>,
    pub(crate) items: Vec<Item>,
}

pub(crate) enum Item {
    AsWritten(TokenStream),
    /// `type WatchStream = T;`, to be wrapped unless `T` is a boxed stream; and whether a constant can inspect `T`.
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
    /// The signature as in the trait.
    pub(crate) sig: Signature,
    /// The name of the descriptor's static.
    pub(crate) descriptor: Ident,
    /// Whether the descriptor may name deprecated types.
    pub(crate) allows_deprecated: bool,
    /// The method label.
    pub(crate) name: LitStr,
    pub(crate) client_streams: Streams,
    pub(crate) server_streams: Streams,
    /// The argument that holds the request.
    pub(crate) request: Ident,
    /// Its type.
    pub(crate) argument: TokenStream,
    /// The `let` that binds it to the user's name, if the argument has another.
    pub(crate) rebind: TokenStream,
    pub(crate) response: Response,
    pub(crate) form: Form,
    pub(crate) objectives: Objectives,
    /// Whether the RPCs have spans.
    pub(crate) has_span: bool,
    /// The span of the method's braces.
    pub(crate) braces: Span,
}

/// Whether the client or the server streams.
pub(crate) enum Streams {
    /// Known from the syntax.
    Known(bool),
    /// To be inspected by a constant: the type of a request, of a handler's output, or of its future.
    Type(TokenStream),
}

/// The objectives of a method.
#[derive(Default)]
pub(crate) struct Objectives {
    /// As a ratio.
    pub(crate) availability: Option<Literal>,
    pub(crate) latency: Option<Latency>,
}

pub(crate) struct Latency {
    pub(crate) nanos: u64,
    /// The percentile as a ratio.
    pub(crate) ratio: Literal,
    /// Whether it applies to response streams, too.
    pub(crate) of_streams: bool,
}

/// When the handler is wrapped.
pub(crate) enum Form {
    Now(Body),
    /// After `#[tracing::instrument]` has expanded. On an `async fn`, that attribute would use the return type, which
    /// is the trait's and not the handler's.
    Later {
        body: Group,
        /// The type of the future that the method returns.
        future: TokenStream,
        /// The handler's output.
        returned: Option<TokenStream>,
    },
}
