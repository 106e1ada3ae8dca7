//! Self-contained access and refresh tokens: `kind.user.expires.nonce.mac`.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use grpc_metrics_runtime::GrpcStatus;
use uuid::Uuid;

/// For this example only. Read a real key from the configuration.
const SECRET: &str = "nova";

pub(crate) const ACCESS_LIVES: Duration = Duration::from_secs(600);
pub(crate) const REFRESH_LIVES: Duration = Duration::from_secs(1_800);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    Access,
    Refresh,
}

/// The content of a valid token.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Claims {
    pub(crate) user: Uuid,
    pub(crate) expires: SystemTime,
}

/// Why a token is invalid.
#[derive(Debug, PartialEq, Eq, thiserror::Error, GrpcStatus)]
pub(crate) enum TokenError {
    #[error("malformed token")]
    #[status(InvalidArgument, cause = "malformed_token")]
    Malformed,
    #[error("the token is not valid")]
    #[status(Unauthenticated, cause = "forged_token")]
    Forged,
    #[error("the token has expired")]
    #[status(Unauthenticated, cause = "expired_token")]
    Expired,
}

pub(crate) fn issue(kind: Kind, user: Uuid, lives: Duration) -> String {
    static NONCE: AtomicU64 = AtomicU64::new(0);
    let expires = unix_ms(SystemTime::now() + lives);
    let nonce = NONCE.fetch_add(1, Ordering::Relaxed);
    let name = kind.name();
    format!("{name}.{user}.{expires}.{nonce}.{:016x}", mac(kind, user, expires, nonce))
}

pub(crate) fn read(kind: Kind, token: &str) -> Result<Claims, TokenError> {
    let parts: Vec<&str> = token.split('.').collect();
    let [name, user, expires, nonce, signature] = parts[..] else {
        return Err(TokenError::Malformed);
    };
    let user = Uuid::try_parse(user).map_err(|_| TokenError::Malformed)?;
    let expires_ms = expires.parse().map_err(|_| TokenError::Malformed)?;
    let nonce = nonce.parse().map_err(|_| TokenError::Malformed)?;
    let signature = u64::from_str_radix(signature, 16).map_err(|_| TokenError::Malformed)?;
    if name != kind.name() || signature != mac(kind, user, expires_ms, nonce) {
        return Err(TokenError::Forged);
    }
    let expires = UNIX_EPOCH + Duration::from_millis(expires_ms);
    if expires <= SystemTime::now() {
        return Err(TokenError::Expired);
    }
    Ok(Claims { user, expires })
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Access => "access",
            Self::Refresh => "refresh",
        }
    }
}

pub(crate) fn unix_ms(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// Stands in for a slow password hash.
pub(crate) fn hash_password(password: &str) -> u64 {
    keyed_hash(("password", password))
}

/// Stands in for an HMAC.
fn mac(kind: Kind, user: Uuid, expires_ms: u64, nonce: u64) -> u64 {
    keyed_hash((kind, user, expires_ms, nonce))
}

fn keyed_hash(value: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    (SECRET, value).hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_hold_until_they_expire_and_only_for_their_kind() {
        let user = Uuid::from_u64_pair(1, 7);
        let token = issue(Kind::Access, user, ACCESS_LIVES);
        assert_eq!(read(Kind::Access, &token).map(|claims| claims.user), Ok(user));
        assert_eq!(read(Kind::Refresh, &token).map(|_| ()), Err(TokenError::Forged));
        let forged = token.replacen('7', "8", 1);
        assert_eq!(read(Kind::Access, &forged).map(|_| ()), Err(TokenError::Forged));
        let old = issue(Kind::Access, user, Duration::ZERO);
        assert_eq!(read(Kind::Access, &old).map(|_| ()), Err(TokenError::Expired));
        for malformed in ["", "access", "access.1.2.3.4", "a.b.c.d.e.f"] {
            assert_eq!(read(Kind::Access, malformed).map(|_| ()), Err(TokenError::Malformed));
        }
    }
}
