//! A real client for each kind of RPC, and what it sees.

use std::collections::BTreeMap;

use tokio_stream::iter;
use tonic::metadata::{KeyAndValueRef, MetadataMap};
use tonic::transport::Channel;
use tonic::{Code, Request, Response, Status, Streaming};

use crate::pb::scripted_client::ScriptedClient;
use crate::pb::{Reply, Script};

/// The four methods of the scripted service, one of each kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Unary,
    Upload,
    Watch,
    Chat,
}

impl Kind {
    pub const ALL: [Self; 4] = [Self::Unary, Self::Upload, Self::Watch, Self::Chat];
    /// Those that answer with one message.
    pub const SINGLE: [Self; 2] = [Self::Unary, Self::Upload];
    /// Those that answer with a stream.
    pub const STREAMS: [Self; 2] = [Self::Watch, Self::Chat];

    /// The method label.
    pub fn method(self) -> &'static str {
        match self {
            Self::Unary => "Unary",
            Self::Upload => "Upload",
            Self::Watch => "Watch",
            Self::Chat => "Chat",
        }
    }

    pub fn streams(self) -> bool {
        Self::STREAMS.contains(&self)
    }
}

/// Everything of one RPC that reaches the client.
#[derive(Debug, Default, PartialEq)]
pub struct Seen {
    /// What came before the messages; `None` if there was a status only.
    pub metadata: Option<BTreeMap<String, String>>,
    pub messages: Vec<u64>,
    /// What came behind the messages of a stream.
    pub trailers: Option<BTreeMap<String, String>>,
    pub failure: Option<Failure>,
}

/// A status, with all its parts.
#[derive(Debug, PartialEq)]
pub struct Failure {
    pub code: Code,
    pub message: String,
    pub details: Vec<u8>,
    pub metadata: BTreeMap<String, String>,
}

impl Seen {
    /// The code of the RPC, as the client has it.
    pub fn code(&self) -> Code {
        self.failure.as_ref().map_or(Code::Ok, |failure| failure.code)
    }

    fn fail(&mut self, status: &Status) {
        self.failure = Some(Failure {
            code: status.code(),
            message: status.message().to_owned(),
            details: status.details().to_owned(),
            metadata: plain(status.metadata()),
        });
    }
}

/// Without the time of day.
fn plain(metadata: &MetadataMap) -> BTreeMap<String, String> {
    let pairs = metadata.iter().map(|pair| match pair {
        KeyAndValueRef::Ascii(key, value) => (key.to_string(), format!("{value:?}")),
        KeyAndValueRef::Binary(key, value) => (key.to_string(), format!("{value:?}")),
    });
    pairs.filter(|(key, _)| key != "date").collect()
}

/// Calls and waits for the answer's first part.
pub async fn open(
    channel: &Channel,
    kind: Kind,
    request: Request<Script>,
) -> Result<Response<Streaming<Reply>>, Status> {
    let mut client = ScriptedClient::new(channel.clone());
    match kind {
        Kind::Watch => client.watch(request).await,
        Kind::Chat => client.chat(request.map(|script| iter([script]))).await,
        Kind::Unary | Kind::Upload => panic!("{kind:?} has no response stream"),
    }
}

/// Calls and waits to the end.
pub async fn call(channel: &Channel, kind: Kind, request: Request<Script>) -> Seen {
    let mut client = ScriptedClient::new(channel.clone());
    let mut seen = Seen::default();
    let answer = match kind {
        Kind::Unary => client.unary(request).await,
        Kind::Upload => client.upload(request.map(|script| iter([script]))).await,
        Kind::Watch | Kind::Chat => {
            follow(open(channel, kind, request).await, &mut seen).await;
            return seen;
        }
    };
    match answer {
        Ok(answer) => {
            seen.metadata = Some(plain(answer.metadata()));
            seen.messages.push(answer.get_ref().number);
        }
        Err(status) => seen.fail(&status),
    }
    seen
}

async fn follow(answer: Result<Response<Streaming<Reply>>, Status>, seen: &mut Seen) {
    let mut stream = match answer {
        Ok(answer) => {
            seen.metadata = Some(plain(answer.metadata()));
            answer.into_inner()
        }
        Err(status) => return seen.fail(&status),
    };
    loop {
        match stream.message().await {
            Ok(Some(reply)) => seen.messages.push(reply.number),
            Ok(None) => break,
            Err(status) => return seen.fail(&status),
        }
    }
    match stream.trailers().await {
        Ok(trailers) => seen.trailers = trailers.as_ref().map(plain),
        Err(status) => seen.fail(&status),
    }
}
