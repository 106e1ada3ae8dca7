//! Conversations. Users authenticate in the request's metadata.

use std::{
    collections::BTreeSet,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use grpc_metrics_runtime::{GrpcStatus, instrument_grpc};
use tokio::sync::{
    broadcast::{self, error::RecvError},
    mpsc,
};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, metadata::MetadataMap, transport::Channel};
use uuid::Uuid;

use super::{
    call::{CallError, Deadline, found, verified},
    input::{InputError, non_empty, parse_id},
};
use crate::{
    pb::{
        auth::auth_service_client::AuthServiceClient,
        messaging::{
            Conversation, CreateConversationRequest, GetMessageRequest, GetMessageResponse,
            Message, SendMessageRequest, WatchConversationRequest, messaging_service_server,
        },
        user::{GetUserProfilesByIdsRequest, user_service_client::UserServiceClient},
    },
    store::{self, Store, StoreError},
    tokens,
};

const HISTORY: usize = 20;
const LARGEST_CONVERSATION: usize = 50;

#[derive(Debug, thiserror::Error, GrpcStatus)]
pub(super) enum MessagingError {
    #[error("missing bearer token")]
    #[status(Unauthenticated)]
    NoToken,
    /// Whatever auth says is wrong with it: here the token is not a field of the request.
    #[error("the access token is not valid")]
    #[status(Unauthenticated)]
    InvalidToken,
    /// While the client was watching.
    #[error("the token has expired")]
    #[status(Unauthenticated)]
    ExpiredToken,
    #[error("no such conversation")]
    #[status(NotFound)]
    NoSuchConversation,
    #[error("no such user")]
    #[status(NotFound)]
    NoSuchUser,
    #[error("a conversation has 2 to {LARGEST_CONVERSATION} members")]
    #[status(InvalidArgument)]
    WrongNumberOfMembers,
    #[error("the conversation already exists")]
    #[status(AlreadyExists)]
    ConversationExists,
    #[error("the client is too slow")]
    #[status(ResourceExhausted)]
    SlowClient,
    #[error(transparent)]
    #[status(transparent)]
    Input(#[from] InputError),
    #[error(transparent)]
    #[status(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    #[status(transparent)]
    Call(#[from] CallError),
}

pub(super) struct Messaging {
    store: Arc<Store>,
    auth: AuthServiceClient<Channel>,
    users: UserServiceClient<Channel>,
}

/// Who calls, and until when their token is valid.
struct Caller {
    user: Uuid,
    expires: SystemTime,
}

impl Messaging {
    pub(super) fn new(
        store: Arc<Store>,
        auth: AuthServiceClient<Channel>,
        users: UserServiceClient<Channel>,
    ) -> Self {
        Self { store, auth, users }
    }

    /// Asks auth about the access token in `authorization: Bearer <token>`.
    async fn caller(
        &self,
        metadata: &MetadataMap,
        deadline: Deadline,
    ) -> Result<Caller, MessagingError> {
        let header = metadata.get("authorization").and_then(|value| value.to_str().ok());
        let token = header.and_then(|value| value.strip_prefix("Bearer "));
        let token = token.ok_or(MessagingError::NoToken)?.to_owned();
        let owner = verified(&self.auth, deadline, token).await?;
        let owner = owner.ok_or(MessagingError::InvalidToken)?;
        let user = parse_id("user_id", &owner.user_id)?;
        Ok(Caller { user, expires: UNIX_EPOCH + Duration::from_millis(owner.expires_at_ms) })
    }

    /// Fails unless user knows them all.
    async fn check_users(
        &self,
        ids: &BTreeSet<Uuid>,
        deadline: Deadline,
    ) -> Result<(), MessagingError> {
        let user_ids = ids.iter().map(Uuid::to_string).collect();
        let request = deadline.request(GetUserProfilesByIdsRequest { user_ids });
        match found(self.users.clone().get_user_profiles_by_ids(request).await)? {
            Some(known) if known.profiles.len() == ids.len() => Ok(()),
            _ => Err(MessagingError::NoSuchUser),
        }
    }

    /// Users who are not members get "no such conversation".
    async fn conversation(
        &self,
        id: &str,
        member: Uuid,
    ) -> Result<store::Conversation, MessagingError> {
        let id = parse_id("conversation_id", id)?;
        let conversation = self.store.conversations.get(id).await?;
        conversation
            .filter(|conversation| conversation.members.contains(&member))
            .ok_or(MessagingError::NoSuchConversation)
    }
}

#[instrument_grpc(slo(availability = 99.9, latency = "200ms", percentile = 95))]
#[tonic::async_trait]
impl messaging_service_server::MessagingService for Messaging {
    async fn send_message(
        &self,
        request: Request<SendMessageRequest>,
    ) -> Result<Response<Message>, MessagingError> {
        let deadline = Deadline::of(&request);
        let sender = self.caller(request.metadata(), deadline).await?.user;
        let SendMessageRequest { conversation_id, text } = request.into_inner();
        let text = non_empty("text", text)?;
        let conversation = self.conversation(&conversation_id, sender).await?.id;
        let id = self.store.new_id();
        let message = store::Message { id, conversation, sender, text, sent_at: SystemTime::now() };
        self.store.messages.insert(id, message.clone()).await?;
        self.store.cache.publish(message.clone()).await?;
        Ok(Response::new(message.into()))
    }

    async fn get_message(
        &self,
        request: Request<GetMessageRequest>,
    ) -> Result<Response<GetMessageResponse>, MessagingError> {
        let deadline = Deadline::of(&request);
        let reader = self.caller(request.metadata(), deadline).await?.user;
        let id = parse_id("message_id", &request.into_inner().message_id)?;
        let Some(message) = self.store.messages.get(id).await? else {
            return Ok(Response::new(GetMessageResponse { message: None }));
        };
        let conversation = self.store.conversations.get(message.conversation).await?;
        let may_see = conversation.is_some_and(|talk| talk.members.contains(&reader));
        let message = may_see.then(|| message.into());
        Ok(Response::new(GetMessageResponse { message }))
    }

    async fn create_conversation(
        &self,
        request: Request<CreateConversationRequest>,
    ) -> Result<Response<Conversation>, MessagingError> {
        let deadline = Deadline::of(&request);
        let creator = self.caller(request.metadata(), deadline).await?.user;
        let CreateConversationRequest { title, member_ids } = request.into_inner();
        let mut members = BTreeSet::from([creator]);
        for id in &member_ids {
            members.insert(parse_id("member_ids", id)?);
        }
        if !(2..=LARGEST_CONVERSATION).contains(&members.len()) {
            return Err(MessagingError::WrongNumberOfMembers);
        }
        self.check_users(&members, deadline).await?;
        let id = self.store.new_id();
        let conversation = store::Conversation { id, title, members };
        // Two users have at most one conversation without a title, and any number with one.
        let is_new = self
            .store
            .conversations
            .insert_unique(id, conversation.clone(), |other| {
                other.title.is_empty()
                    && conversation.title.is_empty()
                    && other.members == conversation.members
            })
            .await?;
        if !is_new {
            return Err(MessagingError::ConversationExists);
        }
        for member in &conversation.members {
            self.store.cache.touch(*member).await?;
        }
        Ok(Response::new(conversation.into()))
    }

    type WatchConversationStream = ReceiverStream<Result<Message, MessagingError>>;

    async fn watch_conversation(
        &self,
        request: Request<WatchConversationRequest>,
    ) -> Result<Response<Self::WatchConversationStream>, MessagingError> {
        let caller = self.caller(request.metadata(), Deadline::of(&request)).await?;
        let WatchConversationRequest { conversation_id, follow } = request.into_inner();
        let id = self.conversation(&conversation_id, caller.user).await?.id;
        // Subscribe first: messages sent while the history is read must not be lost.
        let news = self.store.cache.subscribe(id).await?;
        let history = self.store.messages.find(HISTORY, |row| row.conversation == id).await?;
        let (messages, outgoing) = mpsc::channel(16);
        tokio::spawn(async move {
            let seen: Vec<Uuid> = history.iter().map(|message| message.id).collect();
            for message in history.into_iter().rev() {
                if messages.send(Ok(message.into())).await.is_err() {
                    return;
                }
            }
            if follow {
                forward(news, &seen, caller.expires, messages).await;
            }
        });
        Ok(Response::new(ReceiverStream::new(outgoing)))
    }
}

/// Forwards new messages until the client disconnects or its token expires.
async fn forward(
    mut news: broadcast::Receiver<store::Message>,
    seen: &[Uuid],
    expires: SystemTime,
    messages: mpsc::Sender<Result<Message, MessagingError>>,
) {
    let valid = expires.duration_since(SystemTime::now()).unwrap_or_default();
    let expiry = tokio::time::sleep(valid);
    tokio::pin!(expiry);
    let end = loop {
        tokio::select! {
            () = messages.closed() => return,
            () = &mut expiry => break MessagingError::ExpiredToken,
            message = news.recv() => match message {
                Ok(message) if seen.contains(&message.id) => {}
                Ok(message) => {
                    if messages.send(Ok(message.into())).await.is_err() {
                        return;
                    }
                }
                Err(RecvError::Lagged(_)) => {
                    break MessagingError::SlowClient;
                }
                Err(RecvError::Closed) => return,
            },
        }
    };
    // Fails only if the client has just disconnected.
    let _ = messages.send(Err(end)).await;
}

impl From<store::Message> for Message {
    fn from(row: store::Message) -> Self {
        Self {
            id: row.id.to_string(),
            conversation_id: row.conversation.to_string(),
            sender_id: row.sender.to_string(),
            text: row.text,
            sent_at_ms: tokens::unix_ms(row.sent_at),
        }
    }
}

impl From<store::Conversation> for Conversation {
    fn from(row: store::Conversation) -> Self {
        Self {
            id: row.id.to_string(),
            title: row.title,
            member_ids: row.members.iter().map(Uuid::to_string).collect(),
        }
    }
}
