//! Who calls: a client's backend by its API key, or the page of one session by its token.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use rubrica_core::ErrorCode;

use super::origin::Source;
use super::problem::{ApiError, ApiResult};
use crate::app::App;
use crate::objects::sha256;
use crate::store::documents::Scope;
use crate::store::sessions::SessionRow;

/// A client's backend.
#[derive(Debug, Clone)]
pub(super) struct ClientCaller {
    pub(super) name: String,
}

/// The page of a session, or a backend that holds its token.
#[derive(Debug, Clone)]
pub(super) struct SessionCaller(pub(super) Arc<SessionRow>);

/// Either of them.
#[derive(Debug, Clone)]
pub(super) enum Caller {
    /// By API key.
    Client(ClientCaller),
    /// By session token.
    Session(SessionCaller),
}

impl Caller {
    /// What this caller may see.
    pub(super) fn scope(&self) -> Scope {
        match self {
            Self::Client(client) => Scope::Tenant(client.name.clone()),
            Self::Session(session) => session.scope(),
        }
    }
}

impl SessionCaller {
    /// What this session may see.
    pub(super) fn scope(&self) -> Scope {
        Scope::Session(self.0.id.clone())
    }
}

impl FromRequestParts<Arc<App>> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> ApiResult<Self> {
        let token_hash = sha256(bearer(&parts.headers)?.as_bytes());
        // Comparing hashes of high-entropy keys tells an attacker nothing about a key.
        if let Some(client) = app.clients.iter().find(|client| client.key_hash == token_hash) {
            return Ok(Self::Client(ClientCaller { name: client.name.clone() }));
        }
        let session = app
            .sessions
            .find(&app.store, &token_hash)
            .await?
            .ok_or_else(|| ApiError::new(ErrorCode::Unauthorized, "open a session and send its token"))?;
        if session.expires_at <= app.clock.now() {
            return Err(ApiError::new(
                ErrorCode::SessionExpired,
                "open a new session and continue with its token",
            ));
        }
        if !Source::of(&parts.headers).is_among(&session.origins) {
            return Err(ApiError::new(
                ErrorCode::OriginNotAllowed,
                "name the origin of this page when the session is opened",
            ));
        }
        Ok(Self::Session(SessionCaller(session)))
    }
}

impl FromRequestParts<Arc<App>> for ClientCaller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> ApiResult<Self> {
        match Caller::from_request_parts(parts, app).await? {
            Caller::Client(client) => Ok(client),
            Caller::Session(_) => {
                Err(ApiError::new(ErrorCode::Forbidden, "only a backend may do this, with its API key"))
            }
        }
    }
}

impl FromRequestParts<Arc<App>> for SessionCaller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> ApiResult<Self> {
        match Caller::from_request_parts(parts, app).await? {
            Caller::Session(session) => Ok(session),
            Caller::Client(_) => {
                Err(ApiError::new(ErrorCode::Forbidden, "open a session for the signer and use its token"))
            }
        }
    }
}

pub(super) fn bearer(headers: &HeaderMap) -> ApiResult<&str> {
    headers
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, token)| scheme.eq_ignore_ascii_case("bearer") && !token.is_empty())
        .map(|(_, token)| token.trim())
        .ok_or_else(|| {
            ApiError::new(ErrorCode::Unauthorized, "send `authorization: Bearer` with your key or token")
        })
}
