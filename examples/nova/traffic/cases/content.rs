use std::time::Duration;

use tokio_stream::{StreamExt as _, iter, pending};
use tonic::Code;

use super::{NO_UUID, nobody, user};
use crate::{
    pb::{
        content::{
            CreateCommentRequest, CreatePostRequest, DeletePostRequest, GetCommentsRequest,
            GetPostRequest, GetPostsByAuthorRequest, LikePostRequest, UpdatePostRequest,
            UploadMediaRequest, content_service_server::SERVICE_NAME,
        },
        load::content_service_client::ContentServiceClient,
    },
    store::seed,
    traffic::{
        case::{
            Case, Script,
            Seen::{Answer, GaveUp},
            aborted, invalid, missing, ok, too_late, without_database,
        },
        channel::Channel,
    },
    weather::Weather,
};

pub(super) fn cases(channel: Channel, pass: u64) -> Vec<Case> {
    let mut script = Script::new(SERVICE_NAME, ContentServiceClient::new(channel));
    let post = seed::post(1 + pass % seed::POSTS).to_string();
    let no_post = seed::post(seed::NOBODY).to_string();
    let malformed = NO_UUID.to_owned();
    posts(&mut script, pass, &post, &no_post);

    let get = |post_id: &String| GetPostRequest { post_id: post_id.clone() };
    script.unary(
        "GetPost",
        |mut client, request| async move { client.get_post(request).await },
        [
            ok(get(&post)),
            invalid(get(&malformed)),
            missing(get(&no_post)),
            without_database(get(&post)),
            too_late(get(&post)),
            aborted(get(&post)),
        ],
    );
    let by = |author_id: String| GetPostsByAuthorRequest { author_id, page_size: 10 };
    script.unary(
        "GetPostsByAuthor",
        |mut client, request| async move { client.get_posts_by_author(request).await },
        [
            ok(by(user(pass))),
            invalid(by(malformed.clone())),
            missing(by(nobody())),
            without_database(by(user(pass))),
        ],
    );
    let comments = |post_id: &String| GetCommentsRequest { post_id: post_id.clone(), page_size: 5 };
    script.unary(
        "GetComments",
        |mut client, request| async move { client.get_comments(request).await },
        [
            ok(comments(&post)),
            invalid(comments(&malformed)),
            missing(comments(&no_post)),
            without_database(comments(&post)),
        ],
    );
    let comment = |post_id: &String| CreateCommentRequest {
        post_id: post_id.clone(),
        author_id: user(pass),
        text: "Well said".to_owned(),
    };
    script.unary(
        "CreateComment",
        |mut client, request| async move { client.create_comment(request).await },
        [
            ok(comment(&post)),
            invalid(comment(&malformed)),
            missing(comment(&no_post)),
            without_database(comment(&post)),
        ],
    );
    let like = |post_id: &String| LikePostRequest { post_id: post_id.clone(), user_id: user(pass) };
    script.unary(
        "LikePost",
        |mut client, request| async move { client.like_post(request).await },
        [
            ok(like(&post)),
            invalid(like(&malformed)),
            missing(like(&no_post)),
            without_database(like(&post)),
        ],
    );
    uploads(&mut script, &post, &no_post);

    script.done()
}

type Client = ContentServiceClient<Channel>;

/// Creates, changes and deletes posts.
fn posts(script: &mut Script<Client>, pass: u64, post: &str, no_post: &str) {
    let create = |text: &str, quotes: Option<&str>| CreatePostRequest {
        author_id: user(pass),
        text: text.to_owned(),
        quotes: quotes.map(str::to_owned),
    };
    script.unary(
        "CreatePost",
        |mut client, request| async move { client.create_post(request).await },
        [
            ok(create("News", Some(post))),
            invalid(create("", None)),
            missing(create("As they said", Some(no_post))),
            without_database(create("News", None)),
        ],
    );
    let update = |post_id: &str| UpdatePostRequest {
        post_id: post_id.to_owned(),
        text: format!("Edited in pass {pass}"),
    };
    script.unary(
        "UpdatePost",
        |mut client, request| async move { client.update_post(request).await },
        [
            ok(update(post)),
            invalid(update(NO_UUID)),
            missing(update(no_post)),
            without_database(update(post)),
        ],
    );
    let draft = create("On second thoughts", None);
    script.case("DeletePost", Weather::Fair, Answer(Code::Ok), |mut client, caller| async move {
        // Call DeletePost even if CreatePost fails.
        let post = caller.of("CreatePost").get(client.create_post(draft)).await.unwrap_or_default();
        caller.wait(client.delete_post(DeletePostRequest { post_id: post.id })).await
    });
    let delete = |post_id: &str| DeletePostRequest { post_id: post_id.to_owned() };
    script.unary(
        "DeletePost",
        |mut client, request| async move { client.delete_post(request).await },
        [invalid(delete(NO_UUID)), missing(delete(no_post)), without_database(delete(no_post))],
    );
}

/// Complete and incomplete uploads.
fn uploads(script: &mut Script<Client>, post: &str, no_post: &str) {
    const METHOD: &str = "UploadMedia";
    let pieces = |post_id: &str| {
        let piece = UploadMediaRequest { post_id: post_id.to_owned(), data: vec![0; 1_000] };
        vec![piece; 4]
    };
    for (weather, expected, pieces) in [
        (Weather::Fair, Code::Ok, pieces(post)),
        (Weather::Fair, Code::InvalidArgument, Vec::new()),
        (Weather::Fair, Code::NotFound, pieces(no_post)),
        (Weather::DatabaseDown, Code::Internal, pieces(post)),
    ] {
        script.case(METHOD, weather, Answer(expected), |mut client, caller| async move {
            let pieces = iter(pieces).throttle(Duration::from_millis(2));
            caller.wait(client.upload_media(pieces)).await
        });
    }
    let endless = iter(pieces(post)).chain(pending());
    script.case(METHOD, Weather::Fair, GaveUp, |mut client, caller| async move {
        caller.abort(client.upload_media(endless)).await
    });
}
