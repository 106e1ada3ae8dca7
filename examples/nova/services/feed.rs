//! Feeds, from what content and user say. Reading a feed works without the cache; dropping a cached feed does not.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use grpc_metrics_runtime::{GrpcStatus, instrument_grpc};
use tonic::{Request, Response, transport::Channel};
use uuid::Uuid;

use super::{
    call::{CallError, Deadline, found},
    input::{InputError, LARGEST_PAGE, page, parse_id},
};
use crate::{
    pb::{
        content::{
            GetPostRequest, GetPostsByAuthorRequest, Post,
            content_service_client::ContentServiceClient,
        },
        feed::{
            Creator, Creators, Feed as FeedReply, GetFeedRequest, GetRecommendedCreatorsRequest,
            InvalidateFeedCacheRequest, InvalidateFeedCacheResponse, RankPostsRequest,
            RankPostsResponse, RankedPost, feed_service_server,
        },
        user::{ListUsersRequest, UserProfile, user_service_client::UserServiceClient},
    },
    store::{Store, StoreError},
};

/// Of the users that someone follows, how many a request asks about.
const MOST_ASKED: usize = 10;
const POSTS_OF_EACH: u32 = 10;

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
    #[error(transparent)]
    #[status(transparent)]
    Call(#[from] CallError),
}

pub(super) struct Feed {
    store: Arc<Store>,
    posts: ContentServiceClient<Channel>,
    users: UserServiceClient<Channel>,
}

impl Feed {
    pub(super) fn new(
        store: Arc<Store>,
        posts: ContentServiceClient<Channel>,
        users: UserServiceClient<Channel>,
    ) -> Self {
        Self { store, posts, users }
    }

    /// Whom the user follows. A user that does not exist follows nobody.
    async fn following(
        &self,
        user_id: String,
        deadline: Deadline,
    ) -> Result<Vec<UserProfile>, CallError> {
        let request = deadline.request(ListUsersRequest { user_id, page_size: 0 });
        let users = found(self.users.clone().get_user_following(request).await)?;
        Ok(users.map(|users| users.profiles).unwrap_or_default())
    }

    async fn posts_by(
        &self,
        author_id: String,
        deadline: Deadline,
    ) -> Result<Vec<Post>, CallError> {
        let request = GetPostsByAuthorRequest { author_id, page_size: POSTS_OF_EACH };
        let request = deadline.request(request);
        let posts = found(self.posts.clone().get_posts_by_author(request).await)?;
        Ok(posts.map(|posts| posts.posts).unwrap_or_default())
    }

    async fn post(&self, post_id: String, deadline: Deadline) -> Result<Option<Post>, CallError> {
        let request = deadline.request(GetPostRequest { post_id });
        found(self.posts.clone().get_post(request).await)
    }
}

#[instrument_grpc(slo(availability = 99.9, latency = "200ms", percentile = 95))]
#[tonic::async_trait]
impl feed_service_server::FeedService for Feed {
    async fn get_feed(
        &self,
        request: Request<GetFeedRequest>,
    ) -> Result<Response<FeedReply>, FeedError> {
        let deadline = Deadline::of(&request);
        let GetFeedRequest { user_id, page_size } = request.into_inner();
        let user = parse_id("user_id", &user_id)?;
        let limit = page(page_size)?;
        if let Ok(Some(feed)) = self.store.cache.feed(user).await {
            return Ok(Response::new(FeedReply { posts: first(limit, feed), cached: true }));
        }
        let following = self.following(user_id, deadline).await?;
        let mut posts = Vec::new();
        for author in following.iter().take(MOST_ASKED) {
            posts.extend(self.posts_by(author.user_id.clone(), deadline).await?);
        }
        let feed = ranked(posts, &following);
        // If caching fails, the next request computes the feed again.
        let _ = self.store.cache.put_feed(user, feed.clone()).await;
        Ok(Response::new(FeedReply { posts: first(limit, feed), cached: false }))
    }

    async fn rank_posts(
        &self,
        request: Request<RankPostsRequest>,
    ) -> Result<Response<RankPostsResponse>, FeedError> {
        let deadline = Deadline::of(&request);
        let RankPostsRequest { user_id, post_ids } = request.into_inner();
        parse_id("user_id", &user_id)?;
        if post_ids.len() > LARGEST_PAGE {
            return Err(FeedError::TooManyPosts);
        }
        let ids: BTreeSet<Uuid> =
            post_ids.iter().map(|id| parse_id("post_ids", id)).collect::<Result<_, _>>()?;
        let following = self.following(user_id, deadline).await?;
        let mut posts = Vec::new();
        for id in ids {
            // Posts that do not exist are left out.
            posts.extend(self.post(id.to_string(), deadline).await?);
        }
        Ok(Response::new(RankPostsResponse { posts: ranked(posts, &following) }))
    }

    /// Recommends whom those follow whom the user follows.
    async fn get_recommended_creators(
        &self,
        request: Request<GetRecommendedCreatorsRequest>,
    ) -> Result<Response<Creators>, FeedError> {
        let deadline = Deadline::of(&request);
        let GetRecommendedCreatorsRequest { user_id, page_size } = request.into_inner();
        let user = parse_id("user_id", &user_id)?;
        let limit = page(page_size)?;
        let following = self.following(user_id, deadline).await?;
        let mut creators = BTreeMap::new();
        for friend in following.iter().take(MOST_ASKED) {
            let theirs = self.following(friend.user_id.clone(), deadline).await?;
            creators.extend(theirs.into_iter().map(|theirs| (theirs.user_id.clone(), theirs)));
        }
        creators.remove(&user.to_string());
        for friend in &following {
            creators.remove(&friend.user_id);
        }
        let mut creators: Vec<_> = creators.into_values().collect();
        creators.sort_by_key(|creator| Reverse(creator.followers));
        let creators = creators.into_iter().take(limit).map(|creator| Creator {
            user_id: creator.user_id,
            display_name: creator.display_name,
            followers: creator.followers,
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

/// Best first. Posts by those whom the user follows count more.
fn ranked(posts: Vec<Post>, following: &[UserProfile]) -> Vec<RankedPost> {
    let rank = |post: Post| {
        let close = following.iter().any(|user| user.user_id == post.author_id);
        let popular = 2 * post.likes + 3 * post.comments;
        let score = if close { 10 + 2 * popular } else { popular };
        RankedPost { post_id: post.id, author_id: post.author_id, score }
    };
    let mut ranked: Vec<_> = posts.into_iter().map(rank).collect();
    ranked.sort_by_key(|post| Reverse(post.score));
    ranked
}

fn first(limit: usize, mut feed: Vec<RankedPost>) -> Vec<RankedPost> {
    feed.truncate(limit);
    feed
}
