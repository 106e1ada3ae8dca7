//! Profiles, settings, and who follows or blocks whom.

use std::{collections::BTreeSet, sync::Arc};

use grpc_metrics_runtime::{GrpcStatus, instrument_grpc};
use tonic::{Request, Response};
use uuid::Uuid;

use super::input::{InputError, LARGEST_PAGE, non_empty, page, parse_id};
use crate::{
    pb::user::{
        GetUserProfileRequest, GetUserProfilesByIdsRequest, GetUserSettingsRequest,
        ListUsersRequest, Relationship, RelationshipRequest, SearchUsersRequest,
        UpdateUserProfileRequest, UpdateUserSettingsRequest, UserProfile, UserProfiles,
        UserSettings, user_service_server,
    },
    store::{Settings, Store, StoreError, User},
};

const SHORTEST_QUERY: usize = 2;

#[derive(Debug, thiserror::Error, GrpcStatus)]
pub(super) enum UserError {
    #[error("no such user")]
    #[status(NotFound)]
    NoSuchUser,
    #[error("user_ids must be 1 to {LARGEST_PAGE}")]
    #[status(InvalidArgument)]
    WrongNumberOfIds,
    #[error("settings are missing")]
    #[status(InvalidArgument)]
    NoSettings,
    #[error("language must be two lower-case letters")]
    #[status(InvalidArgument)]
    InvalidLanguage,
    #[error("user_id and target_id are the same")]
    #[status(InvalidArgument)]
    SameUser,
    #[error("query is too short")]
    #[status(InvalidArgument)]
    QueryTooShort,
    #[error(transparent)]
    #[status(transparent)]
    Input(#[from] InputError),
    #[error(transparent)]
    #[status(transparent)]
    Store(#[from] StoreError),
}

pub(super) struct Users {
    store: Arc<Store>,
}

impl Users {
    pub(super) fn new(store: Arc<Store>) -> Self {
        Self { store }
    }

    async fn user(&self, id: Uuid) -> Result<User, UserError> {
        self.store.users.get(id).await?.ok_or(UserError::NoSuchUser)
    }

    async fn update<R>(
        &self,
        id: Uuid,
        change: impl FnOnce(&mut User) -> R,
    ) -> Result<R, UserError> {
        self.store.users.update(id, change).await?.ok_or(UserError::NoSuchUser)
    }

    async fn users(
        &self,
        limit: usize,
        wanted: impl Fn(&User) -> bool,
    ) -> Result<UserProfiles, UserError> {
        let users = self.store.users.find(limit, wanted).await?;
        Ok(UserProfiles { profiles: users.into_iter().map(UserProfile::from).collect() })
    }
}

#[instrument_grpc(slo(availability = 99.9, latency = "200ms", percentile = 95))]
#[tonic::async_trait]
impl user_service_server::UserService for Users {
    async fn get_user_profile(
        &self,
        request: Request<GetUserProfileRequest>,
    ) -> Result<Response<UserProfile>, UserError> {
        let id = parse_id("user_id", &request.into_inner().user_id)?;
        Ok(Response::new(self.user(id).await?.into()))
    }

    async fn get_user_profiles_by_ids(
        &self,
        request: Request<GetUserProfilesByIdsRequest>,
    ) -> Result<Response<UserProfiles>, UserError> {
        let ids = request.into_inner().user_ids;
        if !(1..=LARGEST_PAGE).contains(&ids.len()) {
            return Err(UserError::WrongNumberOfIds);
        }
        let ids =
            ids.iter().map(|id| parse_id("user_ids", id)).collect::<Result<BTreeSet<_>, _>>()?;
        let found = self.users(ids.len(), |user| ids.contains(&user.id)).await?;
        if found.profiles.is_empty() {
            return Err(UserError::NoSuchUser);
        }
        Ok(Response::new(found))
    }

    async fn update_user_profile(
        &self,
        request: Request<UpdateUserProfileRequest>,
    ) -> Result<Response<UserProfile>, UserError> {
        let UpdateUserProfileRequest { user_id, display_name, bio } = request.into_inner();
        let id = parse_id("user_id", &user_id)?;
        let name = non_empty("display_name", display_name)?;
        let user = self
            .update(id, |user| {
                user.name = name;
                user.bio = bio;
                user.clone()
            })
            .await?;
        Ok(Response::new(user.into()))
    }

    async fn get_user_settings(
        &self,
        request: Request<GetUserSettingsRequest>,
    ) -> Result<Response<UserSettings>, UserError> {
        let id = parse_id("user_id", &request.into_inner().user_id)?;
        Ok(Response::new(self.user(id).await?.settings.into()))
    }

    async fn update_user_settings(
        &self,
        request: Request<UpdateUserSettingsRequest>,
    ) -> Result<Response<UserSettings>, UserError> {
        let UpdateUserSettingsRequest { user_id, settings } = request.into_inner();
        let id = parse_id("user_id", &user_id)?;
        let settings = checked(settings.ok_or(UserError::NoSettings)?)?;
        self.update(id, |user| user.settings = settings.clone()).await?;
        Ok(Response::new(settings.into()))
    }

    async fn follow_user(
        &self,
        request: Request<RelationshipRequest>,
    ) -> Result<Response<()>, UserError> {
        let (user, target) = pair(request)?;
        self.update(target, |row| row.followers.insert(user)).await?;
        self.update(user, |row| row.following.insert(target)).await?;
        Ok(Response::new(()))
    }

    async fn unfollow_user(
        &self,
        request: Request<RelationshipRequest>,
    ) -> Result<Response<()>, UserError> {
        let (user, target) = pair(request)?;
        self.update(target, |row| row.followers.remove(&user)).await?;
        self.update(user, |row| row.following.remove(&target)).await?;
        Ok(Response::new(()))
    }

    async fn block_user(
        &self,
        request: Request<RelationshipRequest>,
    ) -> Result<Response<()>, UserError> {
        let (user, target) = pair(request)?;
        self.user(target).await?;
        self.update(user, |row| row.blocking.insert(target)).await?;
        Ok(Response::new(()))
    }

    async fn unblock_user(
        &self,
        request: Request<RelationshipRequest>,
    ) -> Result<Response<()>, UserError> {
        let (user, target) = pair(request)?;
        self.user(target).await?;
        self.update(user, |row| row.blocking.remove(&target)).await?;
        Ok(Response::new(()))
    }

    async fn get_user_followers(
        &self,
        request: Request<ListUsersRequest>,
    ) -> Result<Response<UserProfiles>, UserError> {
        let ListUsersRequest { user_id, page_size } = request.into_inner();
        let id = parse_id("user_id", &user_id)?;
        let limit = page(page_size)?;
        let user = self.user(id).await?;
        let followers = self.users(limit, |other| user.followers.contains(&other.id)).await?;
        Ok(Response::new(followers))
    }

    async fn get_user_following(
        &self,
        request: Request<ListUsersRequest>,
    ) -> Result<Response<UserProfiles>, UserError> {
        let ListUsersRequest { user_id, page_size } = request.into_inner();
        let id = parse_id("user_id", &user_id)?;
        let limit = page(page_size)?;
        let user = self.user(id).await?;
        let following = self.users(limit, |other| user.following.contains(&other.id)).await?;
        Ok(Response::new(following))
    }

    async fn check_user_relationship(
        &self,
        request: Request<RelationshipRequest>,
    ) -> Result<Response<Relationship>, UserError> {
        let (user, target) = pair(request)?;
        let user = self.user(user).await?;
        let target = self.user(target).await?;
        Ok(Response::new(Relationship {
            following: user.following.contains(&target.id),
            followed_by: user.followers.contains(&target.id),
            blocking: user.blocking.contains(&target.id),
            blocked_by: target.blocking.contains(&user.id),
        }))
    }

    async fn search_users(
        &self,
        request: Request<SearchUsersRequest>,
    ) -> Result<Response<UserProfiles>, UserError> {
        let SearchUsersRequest { viewer_id, query, page_size } = request.into_inner();
        let viewer = parse_id("viewer_id", &viewer_id)?;
        let limit = page(page_size)?;
        let query = query.trim().to_lowercase();
        if query.chars().count() < SHORTEST_QUERY {
            return Err(UserError::QueryTooShort);
        }
        self.user(viewer).await?;
        let found = self
            .users(limit, |user| {
                !user.blocking.contains(&viewer) && user.name.to_lowercase().contains(&query)
            })
            .await?;
        Ok(Response::new(found))
    }
}

/// Two different users.
fn pair(request: Request<RelationshipRequest>) -> Result<(Uuid, Uuid), UserError> {
    let RelationshipRequest { user_id, target_id } = request.into_inner();
    let user = parse_id("user_id", &user_id)?;
    let target = parse_id("target_id", &target_id)?;
    if user == target {
        return Err(UserError::SameUser);
    }
    Ok((user, target))
}

fn checked(settings: UserSettings) -> Result<Settings, UserError> {
    let UserSettings { private_account, language, email_notifications } = settings;
    if language.len() != 2 || !language.bytes().all(|byte| byte.is_ascii_lowercase()) {
        return Err(UserError::InvalidLanguage);
    }
    Ok(Settings { private: private_account, language, notifications: email_notifications })
}

impl From<User> for UserProfile {
    fn from(user: User) -> Self {
        Self {
            user_id: user.id.to_string(),
            display_name: user.name,
            bio: user.bio,
            followers: user.followers.len() as u64,
            following: user.following.len() as u64,
        }
    }
}

impl From<Settings> for UserSettings {
    fn from(settings: Settings) -> Self {
        Self {
            private_account: settings.private,
            language: settings.language,
            email_notifications: settings.notifications,
        }
    }
}
