//! The kinds of RPC.

/// The kind of an RPC: the `type` label of `grpc_server_method_info`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MethodKind {
    /// One request, one response: `unary`.
    Unary,
    /// A stream of requests, one response: `client_stream`.
    ClientStream,
    /// One request, a stream of responses: `server_stream`.
    ServerStream,
    /// A stream of requests, a stream of responses: `bidi_stream`.
    BidiStream,
}

impl MethodKind {
    /// Returns the kind of a method by which sides stream.
    #[must_use]
    pub const fn new(client_streams: bool, server_streams: bool) -> Self {
        match (client_streams, server_streams) {
            (false, false) => Self::Unary,
            (true, false) => Self::ClientStream,
            (false, true) => Self::ServerStream,
            (true, true) => Self::BidiStream,
        }
    }

    /// Returns whether the response is a stream.
    pub const fn server_streams(self) -> bool {
        matches!(self, Self::ServerStream | Self::BidiStream)
    }

    /// Whether the client sends a stream.
    pub const fn client_streams(self) -> bool {
        matches!(self, Self::ClientStream | Self::BidiStream)
    }

    /// Returns the value of the `type` label.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unary => "unary",
            Self::ClientStream => "client_stream",
            Self::ServerStream => "server_stream",
            Self::BidiStream => "bidi_stream",
        }
    }
}
