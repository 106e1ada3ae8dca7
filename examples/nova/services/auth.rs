//! Accounts and tokens.

use std::{sync::Arc, time::SystemTime};

use grpc_metrics_runtime::instrument_grpc;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use super::{invalid, non_empty};
use crate::{
    pb::auth::{
        LoginRequest, RefreshTokenRequest, RegisterRequest, TokenPair, VerifyTokenRequest,
        VerifyTokenResponse, auth_service_server,
    },
    store::{Store, User},
    tokens::{self, ACCESS_LIVES, Claims, Kind, REFRESH_LIVES, TokenError},
};

const SHORTEST_PASSWORD: usize = 8;

pub(super) struct Auth {
    store: Arc<Store>,
}

impl Auth {
    pub(super) fn new(store: Arc<Store>) -> Self {
        Self { store }
    }

    async fn open_session(&self, user: Uuid) -> Result<TokenPair, Status> {
        let access_token = tokens::issue(Kind::Access, user, ACCESS_LIVES);
        let refresh_token = tokens::issue(Kind::Refresh, user, REFRESH_LIVES);
        let expires = SystemTime::now() + REFRESH_LIVES;
        self.store.cache.open_session(refresh_token.clone(), expires).await?;
        Ok(TokenPair { user_id: user.to_string(), access_token, refresh_token })
    }

    /// The account behind a valid token.
    async fn account(&self, claims: Claims) -> Result<User, Status> {
        let user = self.store.users.get(claims.user).await?;
        let user = user.ok_or_else(|| Status::unauthenticated("the account is gone"))?;
        not_locked(&user)?;
        Ok(user)
    }
}

#[instrument_grpc]
#[tonic::async_trait]
impl auth_service_server::AuthService for Auth {
    async fn register(
        &self,
        request: Request<RegisterRequest>,
    ) -> Result<Response<TokenPair>, Status> {
        let RegisterRequest { email, password, display_name } = request.into_inner();
        if !email.contains('@') {
            return Err(invalid("email is no address"));
        }
        if password.len() < SHORTEST_PASSWORD {
            return Err(invalid("password is too short"));
        }
        let name = non_empty("display_name", display_name)?;
        let id = self.store.new_id();
        let user = User::new(id, email.clone(), tokens::hash_password(&password), name);
        let free = self.store.users.insert_unique(id, user, |user| user.email == email).await?;
        if !free {
            return Err(Status::already_exists("this e-mail has an account"));
        }
        Ok(Response::new(self.open_session(id).await?))
    }

    async fn login(&self, request: Request<LoginRequest>) -> Result<Response<TokenPair>, Status> {
        let LoginRequest { email, password } = request.into_inner();
        let email = non_empty("email", email)?;
        let password = non_empty("password", password)?;
        let users = self.store.users.find(1, |user| user.email == email).await?;
        // The same answer for both, so that it does not tell who has an account.
        let Some(user) =
            users.first().filter(|user| user.password_hash == tokens::hash_password(&password))
        else {
            return Err(Status::unauthenticated("wrong e-mail or password"));
        };
        not_locked(user)?;
        Ok(Response::new(self.open_session(user.id).await?))
    }

    async fn refresh_token(
        &self,
        request: Request<RefreshTokenRequest>,
    ) -> Result<Response<TokenPair>, Status> {
        let token = request.into_inner().refresh_token;
        let user = self.account(claims(Kind::Refresh, &token)?).await?;
        if !self.store.cache.close_session(&token).await? {
            return Err(Status::unauthenticated("the token has been used"));
        }
        Ok(Response::new(self.open_session(user.id).await?))
    }

    async fn verify_token(
        &self,
        request: Request<VerifyTokenRequest>,
    ) -> Result<Response<VerifyTokenResponse>, Status> {
        let claims = claims(Kind::Access, &request.into_inner().access_token)?;
        let user = self.account(claims).await?;
        self.store.cache.touch(user.id).await?;
        Ok(Response::new(VerifyTokenResponse {
            user_id: user.id.to_string(),
            expires_at_ms: tokens::unix_ms(claims.expires),
        }))
    }
}

fn claims(kind: Kind, token: &str) -> Result<Claims, Status> {
    tokens::read(kind, token).map_err(|error| match error {
        TokenError::Malformed => invalid("that is no token"),
        TokenError::Forged => Status::unauthenticated("the token is not valid"),
        TokenError::Expired => Status::unauthenticated("the token has expired"),
    })
}

fn not_locked(user: &User) -> Result<(), Status> {
    if user.locked { Err(Status::permission_denied("the account is locked")) } else { Ok(()) }
}
