//! Live video streams and their chats.

use std::{pin::Pin, sync::Arc};

use grpc_metrics_runtime::{GrpcStatus, instrument_grpc};
use tokio::sync::{
    broadcast::{self, error::RecvError},
    mpsc,
};
use tokio_stream::{Stream, wrappers::ReceiverStream};
use tonic::{Request, Response, Status, transport::Channel};
use uuid::Uuid;

use super::{
    call::{CallError, Deadline, verified},
    input::{InputError, non_empty, parse_id},
};
use crate::{
    pb::{
        auth::auth_service_client::AuthServiceClient,
        streaming::{
            BroadcastChatMessageRequest, BroadcastChatMessageResponse, ChatLine,
            GetStreamAnalyticsRequest, GetStreamStatusRequest, GetStreamingManifestRequest,
            LiveChatRequest, StartStreamRequest, StartStreamResponse, StopStreamRequest,
            StreamAnalytics, StreamStatus, StreamingManifest, StreamingProfile,
            UpdateStreamingProfileRequest, streaming_service_server,
        },
    },
    store::{LiveLine, LiveStream, Profile, Store},
};

const HEIGHTS: [u32; 4] = [360, 480, 720, 1080];

#[derive(Debug, thiserror::Error, GrpcStatus)]
pub(super) enum StreamingError {
    #[error("no such stream")]
    #[status(NotFound)]
    NoSuchStream,
    #[error("profile.height must be 360, 480, 720 or 1080")]
    #[status(InvalidArgument)]
    InvalidHeight,
    #[error("the chat has no first line")]
    #[status(InvalidArgument)]
    EmptyChat,
    /// The token is a field of the request here, so a token that auth does not accept is an invalid field.
    #[error("access_token is not the broadcaster's")]
    #[status(InvalidArgument)]
    WrongToken,
    #[error("the client is too slow")]
    #[status(ResourceExhausted)]
    SlowClient,
    #[error(transparent)]
    #[status(transparent)]
    BrokenChat(#[from] Status),
    #[error(transparent)]
    #[status(transparent)]
    Input(#[from] InputError),
    #[error(transparent)]
    #[status(transparent)]
    Call(#[from] CallError),
}

pub(super) struct Streaming {
    store: Arc<Store>,
    auth: AuthServiceClient<Channel>,
}

impl Streaming {
    pub(super) fn new(store: Arc<Store>, auth: AuthServiceClient<Channel>) -> Self {
        Self { store, auth }
    }
}

#[instrument_grpc(slo(availability = 99.9, latency = "200ms", percentile = 95))]
#[tonic::async_trait]
impl streaming_service_server::StreamingService for Streaming {
    async fn start_stream(
        &self,
        request: Request<StartStreamRequest>,
    ) -> Result<Response<StartStreamResponse>, StreamingError> {
        let deadline = Deadline::of(&request);
        let StartStreamRequest { broadcaster_id, title, access_token } = request.into_inner();
        let broadcaster = parse_id("broadcaster_id", &broadcaster_id)?;
        let title = non_empty("title", title)?;
        let owner = verified(&self.auth, deadline, access_token).await?;
        if owner.is_none_or(|owner| owner.user_id != broadcaster.to_string()) {
            return Err(StreamingError::WrongToken);
        }
        let id = self.store.new_id();
        self.store.live.start(id, LiveStream::new(broadcaster, title));
        Ok(Response::new(StartStreamResponse { stream_id: id.to_string() }))
    }

    async fn stop_stream(
        &self,
        request: Request<StopStreamRequest>,
    ) -> Result<Response<()>, StreamingError> {
        let id = parse_id("stream_id", &request.into_inner().stream_id)?;
        match self.store.live.stop(id) {
            Some(_) => Ok(Response::new(())),
            None => Err(StreamingError::NoSuchStream),
        }
    }

    async fn get_stream_status(
        &self,
        request: Request<GetStreamStatusRequest>,
    ) -> Result<Response<StreamStatus>, StreamingError> {
        let status = on_air(&self.store, &request.into_inner().stream_id, |live| StreamStatus {
            broadcaster_id: live.broadcaster.to_string(),
            title: live.title.clone(),
            viewers: small(live.viewers()),
        })?;
        Ok(Response::new(status))
    }

    async fn get_streaming_manifest(
        &self,
        request: Request<GetStreamingManifestRequest>,
    ) -> Result<Response<StreamingManifest>, StreamingError> {
        let id = request.into_inner().stream_id;
        let Profile { height, kbit_per_second: kbits } =
            on_air(&self.store, &id, |live| live.profile)?;
        let playlist =
            format!("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH={kbits}000\n/live/{id}/{height}p.m3u8\n");
        Ok(Response::new(StreamingManifest { playlist }))
    }

    async fn update_streaming_profile(
        &self,
        request: Request<UpdateStreamingProfileRequest>,
    ) -> Result<Response<StreamingProfile>, StreamingError> {
        let UpdateStreamingProfileRequest { stream_id, profile } = request.into_inner();
        let Some(profile) = profile.filter(|profile| HEIGHTS.contains(&profile.height)) else {
            return Err(StreamingError::InvalidHeight);
        };
        let StreamingProfile { height, kbit_per_second } = profile;
        on_air(&self.store, &stream_id, |live| live.profile = Profile { height, kbit_per_second })?;
        Ok(Response::new(profile))
    }

    async fn get_stream_analytics(
        &self,
        request: Request<GetStreamAnalyticsRequest>,
    ) -> Result<Response<StreamAnalytics>, StreamingError> {
        let id = request.into_inner().stream_id;
        let analytics = on_air(&self.store, &id, |live| StreamAnalytics {
            seconds_on_air: live.started.elapsed().as_secs(),
            peak_viewers: small(live.peak_viewers),
            chat_lines: live.chat_lines,
        })?;
        Ok(Response::new(analytics))
    }

    async fn broadcast_chat_message(
        &self,
        request: Request<BroadcastChatMessageRequest>,
    ) -> Result<Response<BroadcastChatMessageResponse>, StreamingError> {
        let BroadcastChatMessageRequest { stream_id, user_id, text } = request.into_inner();
        let line = line(&user_id, text)?;
        let receivers = on_air(&self.store, &stream_id, |live| live.say(line))?;
        Ok(Response::new(BroadcastChatMessageResponse { receivers: small(receivers) }))
    }

    type LiveChatStream = Pin<Box<dyn Stream<Item = Result<ChatLine, StreamingError>> + Send>>;

    async fn live_chat(
        &self,
        request: Request<tonic::Streaming<LiveChatRequest>>,
    ) -> Result<Response<Self::LiveChatStream>, StreamingError> {
        let mut incoming = request.into_inner();
        let Some(first) = incoming.message().await? else {
            return Err(StreamingError::EmptyChat);
        };
        let LiveChatRequest { stream_id, user_id, text } = first;
        let line = line(&user_id, text)?;
        let heard = on_air(&self.store, &stream_id, |live| {
            let seat = live.join();
            live.say(line);
            seat
        })?;
        let (lines, outgoing) = mpsc::channel(16);
        tokio::spawn(chat(Arc::clone(&self.store), stream_id, incoming, heard, lines));
        Ok(Response::new(Box::pin(ReceiverStream::new(outgoing))))
    }
}

/// Relays chat lines both ways, until the client closes its side or the live stream ends.
async fn chat(
    store: Arc<Store>,
    stream_id: String,
    mut incoming: tonic::Streaming<LiveChatRequest>,
    mut heard: broadcast::Receiver<LiveLine>,
    lines: mpsc::Sender<Result<ChatLine, StreamingError>>,
) {
    let end = loop {
        tokio::select! {
            () = lines.closed() => return,
            said = incoming.message() => match said {
                Ok(Some(LiveChatRequest { user_id, text, .. })) => {
                    let said = line(&user_id, text)
                        .and_then(|line| on_air(&store, &stream_id, |live| live.say(line)));
                    if let Err(error) = said {
                        break error;
                    }
                }
                Ok(None) => {
                    // The client's last line is also sent back to it.
                    while let Ok(line) = heard.try_recv() {
                        if lines.send(Ok(line.into())).await.is_err() {
                            return;
                        }
                    }
                    return;
                }
                Err(status) => break status.into(),
            },
            line = heard.recv() => match line {
                Ok(line) => {
                    if lines.send(Ok(line.into())).await.is_err() {
                        return;
                    }
                }
                Err(RecvError::Lagged(_)) => {
                    break StreamingError::SlowClient;
                }
                Err(RecvError::Closed) => return,
            },
        }
    };
    // Fails only if the client has just disconnected.
    let _ = lines.send(Err(end)).await;
}

fn on_air<R>(
    store: &Store,
    stream_id: &str,
    f: impl FnOnce(&mut LiveStream) -> R,
) -> Result<R, StreamingError> {
    let id = parse_id("stream_id", stream_id)?;
    store.live.with(id, f).ok_or(StreamingError::NoSuchStream)
}

fn line(user_id: &str, text: String) -> Result<LiveLine, StreamingError> {
    let user: Uuid = parse_id("user_id", user_id)?;
    Ok(LiveLine { user, text: non_empty("text", text)? })
}

fn small(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

impl From<LiveLine> for ChatLine {
    fn from(line: LiveLine) -> Self {
        Self { user_id: line.user.to_string(), text: line.text }
    }
}
