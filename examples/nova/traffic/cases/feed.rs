use tonic::Code;

use super::{NO_UUID, user};
use crate::{
    pb::{
        feed::{
            GetFeedRequest, GetRecommendedCreatorsRequest, InvalidateFeedCacheRequest,
            RankPostsRequest, feed_service_server::SERVICE_NAME,
        },
        load::feed_service_client::FeedServiceClient,
    },
    store::seed,
    traffic::{
        case::{
            Case, Script, Seen::Answer, aborted, invalid, ok, too_late, without_cache,
            without_database,
        },
        channel::Channel,
    },
    weather::Weather,
};

/// The number of users who read their feeds.
const READERS: u64 = 8;

pub(super) fn cases(channel: Channel, pass: u64) -> Vec<Case> {
    let mut script = Script::new(SERVICE_NAME, FeedServiceClient::new(channel));
    let me = user(pass % READERS);

    let drop_feed = |user_id: &str| InvalidateFeedCacheRequest { user_id: user_id.to_owned() };
    script.unary(
        "InvalidateFeedCache",
        |mut client, request| async move { client.invalidate_feed_cache(request).await },
        [
            ok(drop_feed(&me)),
            invalid(drop_feed(NO_UUID)),
            without_cache(Code::Internal, drop_feed(&me)),
        ],
    );

    let get = |user_id: &str| GetFeedRequest { user_id: user_id.to_owned(), page_size: 10 };
    // Once with a cold cache, once with a warm one.
    let (first, second) = (get(&me), get(&me));
    let drop_first = drop_feed(&me);
    script.case("GetFeed", Weather::Fair, Answer(Code::Ok), |mut client, caller| async move {
        caller.of("InvalidateFeedCache").wait(client.invalidate_feed_cache(drop_first)).await;
        caller.wait(client.get_feed(first)).await;
        caller.wait(client.get_feed(second)).await
    });
    // The feeds of these two users are never cached.
    let (uncached, also_uncached) = (user(READERS), user(READERS + 1));
    script.unary(
        "GetFeed",
        |mut client, request| async move { client.get_feed(request).await },
        [
            invalid(get(NO_UUID)),
            without_database(get(&uncached)),
            without_cache(Code::Ok, get(&me)),
            too_late(get(&also_uncached)),
            aborted(get(&me)),
        ],
    );

    let rank = |post_id: String| RankPostsRequest {
        user_id: me.clone(),
        post_ids: vec![seed::post(1).to_string(), seed::post(2).to_string(), post_id],
    };
    let third = seed::post(3 + pass % (seed::POSTS - 2)).to_string();
    script.unary(
        "RankPosts",
        |mut client, request| async move { client.rank_posts(request).await },
        [
            ok(rank(third.clone())),
            invalid(rank(NO_UUID.to_owned())),
            without_database(rank(third.clone())),
            too_late(rank(third)),
        ],
    );

    let recommend =
        |page_size: u32| GetRecommendedCreatorsRequest { user_id: me.clone(), page_size };
    script.unary(
        "GetRecommendedCreators",
        |mut client, request| async move { client.get_recommended_creators(request).await },
        [ok(recommend(5)), invalid(recommend(5_000)), without_database(recommend(5))],
    );

    script.done()
}
