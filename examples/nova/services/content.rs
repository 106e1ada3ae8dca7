//! Posts, comments, likes and attachments.

use std::{
    collections::{BTreeSet, VecDeque},
    sync::Arc,
};

use grpc_metrics_runtime::{GrpcStatus, instrument_grpc};
use tonic::{Request, Response, Status, Streaming, transport::Channel};
use uuid::Uuid;

use super::{
    call::{CallError, Deadline, found},
    input::{InputError, non_empty, page, parse_id},
};
use crate::{
    pb::{
        content::{
            Comment, Comments, CreateCommentRequest, CreatePostRequest, DeletePostRequest,
            GetCommentsRequest, GetPostRequest, GetPostsByAuthorRequest, LikePostRequest,
            LikePostResponse, Post, Posts, UpdatePostRequest, UploadMediaRequest,
            UploadMediaResponse, content_service_server,
        },
        user::{GetUserProfileRequest, user_service_client::UserServiceClient},
    },
    store::{self, Store, StoreError},
};

/// Older comments are dropped.
const COMMENTS_KEPT: usize = 100;
const LARGEST_UPLOAD: usize = 1 << 20;

#[derive(Debug, thiserror::Error, GrpcStatus)]
pub(super) enum ContentError {
    #[error("no such post")]
    #[status(NotFound)]
    NoSuchPost,
    #[error("no such author")]
    #[status(NotFound)]
    NoSuchAuthor,
    #[error("the upload is empty")]
    #[status(InvalidArgument)]
    EmptyUpload,
    #[error("the upload is too large")]
    #[status(ResourceExhausted)]
    UploadTooLarge,
    #[error(transparent)]
    #[status(transparent)]
    BrokenUpload(#[from] Status),
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

pub(super) struct Content {
    store: Arc<Store>,
    users: UserServiceClient<Channel>,
}

impl Content {
    pub(super) fn new(store: Arc<Store>, users: UserServiceClient<Channel>) -> Self {
        Self { store, users }
    }

    /// Fails unless user knows the author.
    async fn check_author(&self, id: Uuid, deadline: Deadline) -> Result<(), ContentError> {
        let request = deadline.request(GetUserProfileRequest { user_id: id.to_string() });
        match found(self.users.clone().get_user_profile(request).await)? {
            Some(_) => Ok(()),
            None => Err(ContentError::NoSuchAuthor),
        }
    }

    async fn post(&self, id: Uuid) -> Result<store::Post, ContentError> {
        self.store.posts.get(id).await?.ok_or(ContentError::NoSuchPost)
    }

    async fn update<R>(
        &self,
        id: Uuid,
        change: impl FnOnce(&mut store::Post) -> R,
    ) -> Result<R, ContentError> {
        self.store.posts.update(id, change).await?.ok_or(ContentError::NoSuchPost)
    }
}

#[instrument_grpc(slo(availability = 99.9, latency = "200ms", percentile = 95))]
#[tonic::async_trait]
impl content_service_server::ContentService for Content {
    async fn get_post(
        &self,
        request: Request<GetPostRequest>,
    ) -> Result<Response<Post>, ContentError> {
        let id = parse_id("post_id", &request.into_inner().post_id)?;
        Ok(Response::new(self.post(id).await?.into()))
    }

    async fn create_post(
        &self,
        request: Request<CreatePostRequest>,
    ) -> Result<Response<Post>, ContentError> {
        let deadline = Deadline::of(&request);
        let CreatePostRequest { author_id, text, quotes } = request.into_inner();
        let author = parse_id("author_id", &author_id)?;
        let text = non_empty("text", text)?;
        let quotes = quotes.map(|id| parse_id("quotes", &id)).transpose()?;
        if let Some(quoted) = quotes {
            self.post(quoted).await?;
        }
        self.check_author(author, deadline).await?;
        let id = self.store.new_id();
        let (likes, comments) = (BTreeSet::new(), VecDeque::new());
        let post = store::Post { id, author, text, quotes, likes, comments, media_bytes: 0 };
        self.store.posts.insert(id, post.clone()).await?;
        Ok(Response::new(post.into()))
    }

    async fn update_post(
        &self,
        request: Request<UpdatePostRequest>,
    ) -> Result<Response<Post>, ContentError> {
        let UpdatePostRequest { post_id, text } = request.into_inner();
        let id = parse_id("post_id", &post_id)?;
        let text = non_empty("text", text)?;
        let post = self
            .update(id, |post| {
                post.text = text;
                post.clone()
            })
            .await?;
        Ok(Response::new(post.into()))
    }

    async fn delete_post(
        &self,
        request: Request<DeletePostRequest>,
    ) -> Result<Response<()>, ContentError> {
        let id = parse_id("post_id", &request.into_inner().post_id)?;
        match self.store.posts.remove(id).await? {
            Some(_) => Ok(Response::new(())),
            None => Err(ContentError::NoSuchPost),
        }
    }

    async fn get_posts_by_author(
        &self,
        request: Request<GetPostsByAuthorRequest>,
    ) -> Result<Response<Posts>, ContentError> {
        let GetPostsByAuthorRequest { author_id, page_size } = request.into_inner();
        let author = parse_id("author_id", &author_id)?;
        let posts = self.store.posts.find(page(page_size)?, |post| post.author == author).await?;
        if posts.is_empty() {
            return Err(ContentError::NoSuchPost);
        }
        Ok(Response::new(Posts { posts: posts.into_iter().map(Post::from).collect() }))
    }

    async fn get_comments(
        &self,
        request: Request<GetCommentsRequest>,
    ) -> Result<Response<Comments>, ContentError> {
        let GetCommentsRequest { post_id, page_size } = request.into_inner();
        let id = parse_id("post_id", &post_id)?;
        let limit = page(page_size)?;
        let newest = self.post(id).await?.comments.into_iter().rev().take(limit);
        Ok(Response::new(Comments { comments: newest.map(Comment::from).collect() }))
    }

    async fn create_comment(
        &self,
        request: Request<CreateCommentRequest>,
    ) -> Result<Response<Comment>, ContentError> {
        let deadline = Deadline::of(&request);
        let CreateCommentRequest { post_id, author_id, text } = request.into_inner();
        let id = parse_id("post_id", &post_id)?;
        let author = parse_id("author_id", &author_id)?;
        let comment = store::Comment { author, text: non_empty("text", text)? };
        self.check_author(author, deadline).await?;
        self.update(id, |post| {
            post.comments.push_back(comment.clone());
            if post.comments.len() > COMMENTS_KEPT {
                post.comments.pop_front();
            }
        })
        .await?;
        Ok(Response::new(comment.into()))
    }

    async fn like_post(
        &self,
        request: Request<LikePostRequest>,
    ) -> Result<Response<LikePostResponse>, ContentError> {
        let LikePostRequest { post_id, user_id } = request.into_inner();
        let id = parse_id("post_id", &post_id)?;
        let user = parse_id("user_id", &user_id)?;
        let likes = self
            .update(id, |post| {
                post.likes.insert(user);
                post.likes.len() as u64
            })
            .await?;
        Ok(Response::new(LikePostResponse { likes }))
    }

    async fn upload_media(
        &self,
        request: Request<Streaming<UploadMediaRequest>>,
    ) -> Result<Response<UploadMediaResponse>, ContentError> {
        let mut incoming = request.into_inner();
        let Some(first) = incoming.message().await? else {
            return Err(ContentError::EmptyUpload);
        };
        let post = self.post(parse_id("post_id", &first.post_id)?).await?.id;
        let (mut bytes, mut pieces) = (first.data.len(), 1);
        while let Some(piece) = incoming.message().await? {
            bytes += piece.data.len();
            pieces += 1;
            if bytes > LARGEST_UPLOAD {
                return Err(ContentError::UploadTooLarge);
            }
        }
        let bytes = bytes as u64;
        self.update(post, |post| post.media_bytes += bytes).await?;
        Ok(Response::new(UploadMediaResponse { bytes, pieces }))
    }
}

impl From<store::Post> for Post {
    fn from(row: store::Post) -> Self {
        Self {
            id: row.id.to_string(),
            author_id: row.author.to_string(),
            text: row.text,
            quotes: row.quotes.map(|id| id.to_string()),
            likes: row.likes.len() as u64,
            comments: row.comments.len() as u64,
            media_bytes: row.media_bytes,
        }
    }
}

impl From<store::Comment> for Comment {
    fn from(row: store::Comment) -> Self {
        Self { author_id: row.author.to_string(), text: row.text }
    }
}
