use std::time::Duration;

use tokio::sync::mpsc;
use tokio_stream::{StreamExt as _, iter, pending, wrappers::ReceiverStream};
use tonic::Code;

use super::{NO_UUID, token, user};
use crate::{
    pb::{
        load::streaming_service_client::StreamingServiceClient,
        streaming::{
            BroadcastChatMessageRequest, GetStreamAnalyticsRequest, GetStreamStatusRequest,
            GetStreamingManifestRequest, LiveChatRequest, StartStreamRequest, StopStreamRequest,
            StreamingProfile, UpdateStreamingProfileRequest,
            streaming_service_server::SERVICE_NAME,
        },
    },
    store::seed,
    tokens::ACCESS_LIVES,
    traffic::{
        case::{
            Case, Script,
            Seen::{Answer, GaveUp},
            invalid, missing, ok,
        },
        channel::Channel,
    },
    weather::Weather,
};

type Client = StreamingServiceClient<Channel>;

pub(super) fn cases(channel: Channel, pass: u64) -> Vec<Case> {
    let mut script = Script::new(SERVICE_NAME, StreamingServiceClient::new(channel));
    let live = seed::stream(1 + pass % seed::STREAMS).to_string();
    let off_air = seed::stream(seed::NOBODY).to_string();
    start_and_stop(&mut script, pass, &off_air);

    let id = |id: &str| id.to_owned();
    let status = |stream_id| GetStreamStatusRequest { stream_id };
    script.unary(
        "GetStreamStatus",
        |mut client, request| async move { client.get_stream_status(request).await },
        [ok(status(id(&live))), invalid(status(id(NO_UUID))), missing(status(id(&off_air)))],
    );
    let manifest = |stream_id| GetStreamingManifestRequest { stream_id };
    script.unary(
        "GetStreamingManifest",
        |mut client, request| async move { client.get_streaming_manifest(request).await },
        [ok(manifest(id(&live))), invalid(manifest(id(NO_UUID))), missing(manifest(id(&off_air)))],
    );
    let profile = |stream_id: &str, height: u32| UpdateStreamingProfileRequest {
        stream_id: stream_id.to_owned(),
        profile: Some(StreamingProfile { height, kbit_per_second: 4 * height }),
    };
    script.unary(
        "UpdateStreamingProfile",
        |mut client, request| async move { client.update_streaming_profile(request).await },
        [ok(profile(&live, 1080)), invalid(profile(&live, 1)), missing(profile(&off_air, 480))],
    );
    let analytics = |stream_id| GetStreamAnalyticsRequest { stream_id };
    script.unary(
        "GetStreamAnalytics",
        |mut client, request| async move { client.get_stream_analytics(request).await },
        [
            ok(analytics(id(&live))),
            invalid(analytics(id(NO_UUID))),
            missing(analytics(id(&off_air))),
        ],
    );
    let broadcast = |stream_id: &str, text: &str| BroadcastChatMessageRequest {
        stream_id: stream_id.to_owned(),
        user_id: user(pass),
        text: text.to_owned(),
    };
    script.unary(
        "BroadcastChatMessage",
        |mut client, request| async move { client.broadcast_chat_message(request).await },
        [
            ok(broadcast(&live, "Hello all")),
            invalid(broadcast(&live, "")),
            missing(broadcast(&off_air, "Anyone?")),
        ],
    );
    chats(&mut script, pass, &live, &off_air);

    script.done()
}

fn start_and_stop(script: &mut Script<Client>, pass: u64, off_air: &str) {
    // Not the locked user: auth would not accept the token.
    let me = 1 + pass % (seed::LOCKED - 1);
    let start = |title: &str| StartStreamRequest {
        broadcaster_id: seed::user(me).to_string(),
        title: title.to_owned(),
        access_token: token(me, ACCESS_LIVES),
    };
    script.unary(
        "StartStream",
        |mut client, request| async move { client.start_stream(request).await },
        [
            ok(start("Evening show")),
            invalid(start("")),
            invalid(StartStreamRequest {
                access_token: token(me, Duration::ZERO),
                ..start("Show")
            }),
        ],
    );
    // A viewer is watching when the stream ends. The viewer's chat ends with OK.
    let (show, user_id) = (start("Short show"), user(pass));
    script.case("StopStream", Weather::Fair, Answer(Code::Ok), |mut client, caller| async move {
        let stream_id = match caller.of("StartStream").get(client.start_stream(show)).await {
            Ok(started) => started.stream_id,
            Err(code) => return Answer(code),
        };
        let text = "Over already?".to_owned();
        let said = LiveChatRequest { stream_id: stream_id.clone(), user_id, text };
        let mut viewer = client.clone();
        let viewer_caller = caller.of("LiveChat");
        let viewer = async move {
            let lines = iter([said]).chain(pending());
            viewer_caller.read(viewer.live_chat(lines)).await
        };
        let stop = async move {
            tokio::time::sleep(Duration::from_millis(20)).await;
            caller.wait(client.stop_stream(StopStreamRequest { stream_id })).await
        };
        tokio::join!(viewer, stop).1
    });
    let stop = |stream_id: &str| StopStreamRequest { stream_id: stream_id.to_owned() };
    script.unary(
        "StopStream",
        |mut client, request| async move { client.stop_stream(request).await },
        [invalid(stop(NO_UUID)), missing(stop(off_air))],
    );
}

/// Chats that end, fail midway, or lose their client.
fn chats(script: &mut Script<Client>, pass: u64, live: &str, off_air: &str) {
    const METHOD: &str = "LiveChat";
    let says = |stream_id: &str, texts: &[&str]| -> Vec<LiveChatRequest> {
        let said = |text: &&str| LiveChatRequest {
            stream_id: stream_id.to_owned(),
            user_id: user(pass),
            text: (*text).to_owned(),
        };
        texts.iter().map(said).collect()
    };
    for (expected, lines) in [
        (Code::Ok, says(live, &["Hi", "Nice show", "Bye"])),
        (Code::InvalidArgument, Vec::new()),
        (Code::InvalidArgument, says(live, &["Hi", "", "Bye"])),
        (Code::NotFound, says(off_air, &["Hi"])),
    ] {
        script.case(METHOD, Weather::Fair, Answer(expected), |mut client, caller| async move {
            let lines = iter(lines).throttle(Duration::from_millis(5));
            caller.read(client.live_chat(lines)).await
        });
    }
    let lines = says(live, &["Hi"]);
    script.case(METHOD, Weather::Fair, GaveUp, |mut client, caller| async move {
        // Dropped at the end of this case: the server sees the disconnect when both of the client's streams
        // are dropped.
        let (open, end) = mpsc::channel(1);
        let lines = iter(lines).chain(ReceiverStream::new(end));
        let seen = caller.read_up_to(1, client.live_chat(lines)).await;
        drop(open);
        seen
    });
}
