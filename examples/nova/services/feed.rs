//! Feeds. Reading a feed works without the cache; dropping a cached feed does not.

use std::{cmp::Reverse, sync::Arc};

use grpc_metrics_runtime::{GrpcStatus, instrument_grpc};
use tonic::{Request, Response};
use uuid::Uuid;

use super::input::{InputError, LARGEST_PAGE, page, parse_id};
use crate::{
    pb::feed::{
        Creator, Creators, Feed as FeedReply, GetFeedRequest, GetRecommendedCreatorsRequest,
        InvalidateFeedCacheRequest, InvalidateFeedCacheResponse, RankPostsRequest,
        RankPostsResponse, RankedPost, feed_service_server,
    },
    store::{self, Post, Store, StoreError},
};

#[derive(Debug, thiserror::Error, GrpcStatus)]
pub(super) enum FeedError {
    #[error("more than {LARGEST_PAGE} post_ids")]
    #[status(InvalidArgument)]
    TooManyPosts,
    /// Not UNAVAILABLE: callers should not retry, since entries expire soon.
    #[error("the feed stays cached")]
    #[status(Internal, message = "cache unavailable", cause = "cache")]
    NotDropped(#[source] StoreError),
    #[error(transparent)]
    #[status(transparent)]
    Input(#[from] InputError),
    #[error(transparent)]
    #[status(transparent)]
    Store(#[from] StoreError),
}

pub(super) struct Feed {
    store: Arc<Store>,
}

impl Feed {
    pub(super) fn new(store: Arc<Store>) -> Self {
        Self { store }
    }

    /// Ranked for this user, best first.
    async fn rank(
        &self,
        user: Uuid,
        wanted: impl Fn(&Post) -> bool,
    ) -> Result<Vec<store::RankedPost>, FeedError> {
        let following = self.store.users.get(user).await?.map(|row| row.following);
        let posts = self.store.posts.find(LARGEST_PAGE, wanted).await?;
        let mut ranked: Vec<_> = posts
            .into_iter()
            .map(|post| {
                let close = following.as_ref().is_some_and(|ids| ids.contains(&post.author));
                let popular = 2 * post.likes.len() + 3 * post.comments.len();
                let score = if close { 10 + 2 * popular } else { popular };
                store::RankedPost { post: post.id, author: post.author, score: score as u64 }
            })
            .collect();
        ranked.sort_by_key(|post| Reverse(post.score));
        Ok(ranked)
    }
}

#[instrument_grpc(slo(availability = 99.9, latency = "200ms", percentile = 95))]
#[tonic::async_trait]
impl feed_service_server::FeedService for Feed {
    async fn get_feed(
        &self,
        request: Request<GetFeedRequest>,
    ) -> Result<Response<FeedReply>, FeedError> {
        let GetFeedRequest { user_id, page_size } = request.into_inner();
        let user = parse_id("user_id", &user_id)?;
        let limit = page(page_size)?;
        if let Ok(Some(feed)) = self.store.cache.feed(user).await {
            return Ok(Response::new(FeedReply { posts: first(limit, feed), cached: true }));
        }
        let feed = self.rank(user, |post| post.author != user).await?;
        // If caching fails, the next request computes the feed again.
        let _ = self.store.cache.put_feed(user, feed.clone()).await;
        Ok(Response::new(FeedReply { posts: first(limit, feed), cached: false }))
    }

    async fn rank_posts(
        &self,
        request: Request<RankPostsRequest>,
    ) -> Result<Response<RankPostsResponse>, FeedError> {
        let RankPostsRequest { user_id, post_ids } = request.into_inner();
        let user = parse_id("user_id", &user_id)?;
        if post_ids.len() > LARGEST_PAGE {
            return Err(FeedError::TooManyPosts);
        }
        let ids =
            post_ids.iter().map(|id| parse_id("post_ids", id)).collect::<Result<Vec<_>, _>>()?;
        let ranked = self.rank(user, |post| ids.contains(&post.id)).await?;
        Ok(Response::new(RankPostsResponse { posts: first(LARGEST_PAGE, ranked) }))
    }

    async fn get_recommended_creators(
        &self,
        request: Request<GetRecommendedCreatorsRequest>,
    ) -> Result<Response<Creators>, FeedError> {
        let GetRecommendedCreatorsRequest { user_id, page_size } = request.into_inner();
        let user = parse_id("user_id", &user_id)?;
        let limit = page(page_size)?;
        let mut creators = self
            .store
            .users
            .find(LARGEST_PAGE, |row| row.id != user && !row.followers.contains(&user))
            .await?;
        creators.sort_by_key(|row| Reverse(row.followers.len()));
        let creators = creators.into_iter().take(limit).map(|row| Creator {
            user_id: row.id.to_string(),
            display_name: row.name,
            followers: row.followers.len() as u64,
        });
        Ok(Response::new(Creators { creators: creators.collect() }))
    }

    async fn invalidate_feed_cache(
        &self,
        request: Request<InvalidateFeedCacheRequest>,
    ) -> Result<Response<InvalidateFeedCacheResponse>, FeedError> {
        let user = parse_id("user_id", &request.into_inner().user_id)?;
        let was_cached = self.store.cache.drop_feed(user).await.map_err(FeedError::NotDropped)?;
        Ok(Response::new(InvalidateFeedCacheResponse { was_cached }))
    }
}

fn first(limit: usize, feed: Vec<store::RankedPost>) -> Vec<RankedPost> {
    let posts = feed.into_iter().take(limit);
    posts
        .map(|row| RankedPost {
            post_id: row.post.to_string(),
            author_id: row.author.to_string(),
            score: row.score,
        })
        .collect()
}
