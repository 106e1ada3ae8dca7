//! Accounts and tokens.

use std::{sync::Arc, time::SystemTime};

use grpc_metrics_runtime::{GrpcStatus, instrument_grpc};
use tonic::{Request, Response};
use uuid::Uuid;

use super::input::{InputError, non_empty};
use crate::{
    pb::auth::{
        LoginRequest, RefreshTokenRequest, RegisterRequest, TokenPair, VerifyTokenRequest,
        VerifyTokenResponse, auth_service_server,
    },
    store::{Store, StoreError, User},
    tokens::{self, ACCESS_LIVES, Claims, Kind, REFRESH_LIVES, TokenError},
};

const SHORTEST_PASSWORD: usize = 8;

#[derive(Debug, thiserror::Error, GrpcStatus)]
pub(super) enum AuthError {
    #[error("invalid email address")]
    #[status(InvalidArgument)]
    InvalidEmail,
    #[error("password is too short")]
    #[status(InvalidArgument)]
    PasswordTooShort,
    #[error("an account with this email exists")]
    #[status(AlreadyExists)]
    EmailTaken,
    /// Does not reveal which of the two, and so not who has an account.
    #[error("wrong email or password")]
    #[status(Unauthenticated)]
    WrongCredentials,
    #[error("the account is locked")]
    #[status(PermissionDenied)]
    AccountLocked,
    #[error("the account is gone")]
    #[status(Unauthenticated)]
    AccountGone,
    #[error("the token has been used")]
    #[status(Unauthenticated)]
    UsedToken,
    #[error(transparent)]
    #[status(transparent)]
    Token(#[from] TokenError),
    #[error(transparent)]
    #[status(transparent)]
    Input(#[from] InputError),
    #[error(transparent)]
    #[status(transparent)]
    Store(#[from] StoreError),
}

pub(super) struct Auth {
    store: Arc<Store>,
}

impl Auth {
    pub(super) fn new(store: Arc<Store>) -> Self {
        Self { store }
    }

    async fn open_session(&self, user: Uuid) -> Result<TokenPair, AuthError> {
        let access_token = tokens::issue(Kind::Access, user, ACCESS_LIVES);
        let refresh_token = tokens::issue(Kind::Refresh, user, REFRESH_LIVES);
        let expires = SystemTime::now() + REFRESH_LIVES;
        self.store.cache.open_session(refresh_token.clone(), expires).await?;
        Ok(TokenPair { user_id: user.to_string(), access_token, refresh_token })
    }

    /// Returns the account of a valid token.
    async fn account(&self, claims: Claims) -> Result<User, AuthError> {
        let user = self.store.users.get(claims.user).await?;
        let user = user.ok_or(AuthError::AccountGone)?;
        not_locked(&user)?;
        Ok(user)
    }
}

#[instrument_grpc(slo(availability = 99.9, latency = "200ms", percentile = 95))]
#[tonic::async_trait]
impl auth_service_server::AuthService for Auth {
    async fn register(
        &self,
        request: Request<RegisterRequest>,
    ) -> Result<Response<TokenPair>, AuthError> {
        let RegisterRequest { email, password, display_name } = request.into_inner();
        if !email.contains('@') {
            return Err(AuthError::InvalidEmail);
        }
        if password.len() < SHORTEST_PASSWORD {
            return Err(AuthError::PasswordTooShort);
        }
        let name = non_empty("display_name", display_name)?;
        let id = self.store.new_id();
        let user = User::new(id, email.clone(), tokens::hash_password(&password), name);
        let free = self.store.users.insert_unique(id, user, |user| user.email == email).await?;
        if !free {
            return Err(AuthError::EmailTaken);
        }
        Ok(Response::new(self.open_session(id).await?))
    }

    async fn login(
        &self,
        request: Request<LoginRequest>,
    ) -> Result<Response<TokenPair>, AuthError> {
        let LoginRequest { email, password } = request.into_inner();
        let email = non_empty("email", email)?;
        let password = non_empty("password", password)?;
        let users = self.store.users.find(1, |user| user.email == email).await?;
        let Some(user) =
            users.first().filter(|user| user.password_hash == tokens::hash_password(&password))
        else {
            return Err(AuthError::WrongCredentials);
        };
        not_locked(user)?;
        Ok(Response::new(self.open_session(user.id).await?))
    }

    async fn refresh_token(
        &self,
        request: Request<RefreshTokenRequest>,
    ) -> Result<Response<TokenPair>, AuthError> {
        let token = request.into_inner().refresh_token;
        let user = self.account(tokens::read(Kind::Refresh, &token)?).await?;
        if !self.store.cache.close_session(&token).await? {
            return Err(AuthError::UsedToken);
        }
        Ok(Response::new(self.open_session(user.id).await?))
    }

    async fn verify_token(
        &self,
        request: Request<VerifyTokenRequest>,
    ) -> Result<Response<VerifyTokenResponse>, AuthError> {
        let claims = tokens::read(Kind::Access, &request.into_inner().access_token)?;
        let user = self.account(claims).await?;
        self.store.cache.touch(user.id).await?;
        Ok(Response::new(VerifyTokenResponse {
            user_id: user.id.to_string(),
            expires_at_ms: tokens::unix_ms(claims.expires),
        }))
    }
}

fn not_locked(user: &User) -> Result<(), AuthError> {
    if user.locked { Err(AuthError::AccountLocked) } else { Ok(()) }
}
