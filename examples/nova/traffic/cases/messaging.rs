use std::time::Duration;

use tonic::Code;

use super::{NO_UUID, nobody, token};
use crate::{
    pb::{
        load::messaging_service_client::MessagingServiceClient,
        messaging::{
            CreateConversationRequest, GetMessageRequest, SendMessageRequest,
            WatchConversationRequest, messaging_service_server::SERVICE_NAME,
        },
    },
    store::seed,
    tokens::ACCESS_LIVES,
    traffic::{
        case::{
            Case, Script,
            Seen::{Answer, GaveUp},
            aborted, fails, invalid, missing, ok, too_late, with_token, without_cache,
            without_database,
        },
        channel::Channel,
    },
    weather::Weather,
};

type Client = MessagingServiceClient<Channel>;

pub(super) fn cases(channel: Channel, pass: u64) -> Vec<Case> {
    let mut script = Script::new(SERVICE_NAME, MessagingServiceClient::new(channel));
    // The conversation of user n with the next one.
    let n = 1 + pass % seed::CONVERSATIONS;
    let talk = seed::conversation(n).to_string();
    let no_talk = seed::conversation(seed::NOBODY).to_string();
    let me = token(n, ACCESS_LIVES);

    let send = |conversation_id: &str| SendMessageRequest {
        conversation_id: conversation_id.to_owned(),
        text: format!("In pass {pass}"),
    };
    script.unary(
        "SendMessage",
        |mut client, request| async move { client.send_message(request).await },
        [
            ok(send(&talk)).by(&me),
            invalid(send(NO_UUID)).by(&me),
            missing(send(&no_talk)).by(&me),
            fails(Code::Unauthenticated, send(&talk)),
            without_database(send(&talk)).by(&me),
            without_cache(Code::Unavailable, send(&talk)).by(&me),
            too_late(send(&talk)).by(&me),
            aborted(send(&talk)).by(&me),
        ],
    );

    let get = |message_id: String| GetMessageRequest { message_id };
    let message = seed::message(n).to_string();
    script.unary(
        "GetMessage",
        |mut client, request| async move { client.get_message(request).await },
        [
            ok(get(message.clone())).by(&me),
            invalid(get(NO_UUID.to_owned())).by(&me),
            fails(Code::Unauthenticated, get(message.clone())).by("access.forged"),
            without_database(get(message)).by(&me),
        ],
    );

    let create = |title: String, member: String| CreateConversationRequest {
        title,
        member_ids: vec![member],
    };
    let title = format!("Plans of pass {pass}");
    let neighbour = seed::user(n + 1).to_string();
    script.unary(
        "CreateConversation",
        |mut client, request| async move { client.create_conversation(request).await },
        [
            ok(create(title.clone(), neighbour.clone())).by(&me),
            invalid(create(title.clone(), NO_UUID.to_owned())).by(&me),
            missing(create(title.clone(), nobody())).by(&me),
            fails(Code::AlreadyExists, create(String::new(), neighbour.clone())).by(&me),
            fails(Code::Unauthenticated, create(title.clone(), neighbour.clone())),
            without_database(create(title.clone(), neighbour.clone())).by(&me),
            without_cache(Code::Unavailable, create(title, neighbour)).by(&me),
        ],
    );

    watches(&mut script, n, &talk, &no_talk);
    script.done()
}

/// The stream of a conversation, read to its end, until it fails, or only partly.
fn watches(script: &mut Script<Client>, n: u64, talk: &str, no_talk: &str) {
    const METHOD: &str = "WatchConversation";
    let watch = |talk: &str, follow: bool| WatchConversationRequest {
        conversation_id: talk.to_owned(),
        follow,
    };
    let me = token(n, ACCESS_LIVES);
    for (weather, expected, request, token) in [
        (Weather::Fair, Code::Ok, watch(talk, false), Some(&me)),
        (Weather::Fair, Code::InvalidArgument, watch(NO_UUID, false), Some(&me)),
        (Weather::Fair, Code::NotFound, watch(no_talk, false), Some(&me)),
        (Weather::Fair, Code::Unauthenticated, watch(talk, false), None),
        (Weather::DatabaseDown, Code::Internal, watch(talk, true), Some(&me)),
        (Weather::CacheDown, Code::Unavailable, watch(talk, true), Some(&me)),
    ] {
        let request = with_token(request, token.map(String::as_str));
        script.case(METHOD, weather, Answer(expected), |mut client, caller| async move {
            caller.read(client.watch_conversation(request)).await
        });
    }
    let request = watch(talk, true);
    let expected = Answer(Code::Unauthenticated);
    script.case(METHOD, Weather::Fair, expected, move |mut client, caller| async move {
        // The token must expire while the client watches, not while the case waits to run.
        let short = token(n, Duration::from_millis(200));
        let request = with_token(request, Some(&short));
        caller.read(client.watch_conversation(request)).await
    });
    let request = with_token(watch(talk, true), Some(&me));
    script.case(METHOD, Weather::Fair, GaveUp, |mut client, caller| async move {
        caller.read_up_to(2, client.watch_conversation(request)).await
    });
    let request = with_token(watch(talk, true), Some(&me));
    let expected = Answer(Code::DeadlineExceeded);
    script.case(METHOD, Weather::Fair, expected, |mut client, caller| async move {
        let send = |request| async move { client.watch_conversation(request).await };
        caller.read_until_deadline(request, send).await
    });
}
