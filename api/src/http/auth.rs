//! Who calls, and whether they may.
//!
//! A handler says what it needs by its extractor: [`Granted`] for backends and people with a permission, [`SessionOr`] for
//! those and for the page of a session, [`SessionCaller`] for the page alone. What belongs to another tenant, or to another
//! session, does not exist for the caller: that is the matter of [`Scope`] in the store.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use rubrica_core::ErrorCode;

use super::idempotency::Principal;
use super::origin::Source;
use super::problem::{ApiError, ApiResult};
use crate::api_key::SECRET_PREFIX;
use crate::app::App;
use crate::objects::sha256;
use crate::oidc::{Identity, Refused};
use crate::permission::{Needs, Permission};
use crate::store::documents::Scope;
use crate::store::sessions::SessionRow;

/// A backend of a tenant.
#[derive(Debug, Clone)]
pub(super) struct ClientCaller {
    pub(super) tenant: String,
    /// Name in the configuration, or identifier of the key.
    pub(super) name: String,
    pub(super) scopes: Vec<Permission>,
}

/// The page of a session, or a backend that holds its token.
#[derive(Debug, Clone)]
pub(super) struct SessionCaller(pub(super) Arc<SessionRow>);

/// Somebody who called.
#[derive(Debug, Clone)]
pub(super) enum Caller {
    /// By API key.
    Client(ClientCaller),
    /// By session token.
    Session(SessionCaller),
    /// By access token of the bank's identity provider.
    Person(Identity),
}

/// A backend or a person that has the permission `N`.
#[derive(Debug, Clone)]
pub(super) struct Granted<N> {
    caller: Caller,
    needs: PhantomData<N>,
}

/// A session, or a backend or person that has the permission `N`.
#[derive(Debug, Clone)]
pub(super) struct SessionOr<N> {
    caller: Caller,
    needs: PhantomData<N>,
}

impl Caller {
    /// Whose data these are.
    pub(super) fn tenant(&self) -> &str {
        match self {
            Self::Client(client) => &client.tenant,
            Self::Session(session) => &session.0.tenant,
            Self::Person(person) => &person.tenant,
        }
    }

    /// What this caller may see.
    pub(super) fn scope(&self) -> Scope {
        match self {
            Self::Client(_) | Self::Person(_) => Scope::Tenant(self.tenant().to_owned()),
            Self::Session(session) => session.scope(),
        }
    }

    /// Whether the table allows it. A session has no permissions: it has its signer.
    pub(super) fn may(&self, permission: Permission) -> bool {
        match self {
            Self::Client(client) => client.scopes.contains(&permission),
            Self::Session(_) => false,
            Self::Person(person) => person.roles.iter().any(|role| role.may(permission)),
        }
    }

    fn require(&self, permission: Permission) -> ApiResult<()> {
        if self.may(permission) {
            return Ok(());
        }
        let detail = match self {
            Self::Session(_) => "only a backend may do this, with its API key".to_owned(),
            Self::Client(_) => format!("this API key lacks the scope `{permission}`"),
            Self::Person(_) => format!("none of your roles allows `{permission}`"),
        };
        Err(ApiError::new(ErrorCode::Forbidden, detail))
    }
}

/// For records of who did something: kind and name of the credential, no secret.
impl fmt::Display for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Client(client) => write!(f, "client:{}", client.name),
            Self::Session(session) => write!(f, "session:{}", session.0.id),
            Self::Person(person) => write!(f, "person:{}", person.subject),
        }
    }
}

impl Caller {
    /// Whose idempotency keys these are: those of the tenant's backends, of one session, of one person.
    pub(super) fn principal(&self) -> Principal {
        match self {
            Self::Client(client) => Principal(format!("client/{}", client.tenant)),
            Self::Session(session) => session.principal(),
            Self::Person(person) => Principal(format!("person/{}/{}", person.tenant, person.subject)),
        }
    }
}

impl SessionCaller {
    /// Whose idempotency keys these are.
    pub(super) fn principal(&self) -> Principal {
        Principal(format!("session/{}", self.0.id))
    }

    /// What this session may see.
    pub(super) fn scope(&self) -> Scope {
        match &self.0.order {
            None => Scope::Session(self.0.id.clone()),
            Some(order) => Scope::Participant(order.order_id.clone(), order.participant_id.clone()),
        }
    }
}

impl<N: Needs> Granted<N> {
    pub(super) fn tenant(&self) -> &str {
        self.caller.tenant()
    }

    pub(super) const fn caller(&self) -> &Caller {
        &self.caller
    }

    /// Whose idempotency keys these are.
    pub(super) fn principal(&self) -> Principal {
        self.caller.principal()
    }
}

impl<N: Needs> SessionOr<N> {
    pub(super) fn tenant(&self) -> &str {
        self.caller.tenant()
    }

    /// Whose idempotency keys these are.
    pub(super) fn principal(&self) -> Principal {
        self.caller.principal()
    }

    /// The session, when it is one.
    pub(super) const fn session(&self) -> Option<&SessionCaller> {
        match &self.caller {
            Caller::Session(session) => Some(session),
            Caller::Client(_) | Caller::Person(_) => None,
        }
    }

    /// What this caller may see.
    pub(super) fn scope(&self) -> Scope {
        self.caller.scope()
    }
}

impl FromRequestParts<Arc<App>> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> ApiResult<Self> {
        let token = bearer(&parts.headers)?;
        let hash = sha256(token.as_bytes());
        // Comparing hashes of high-entropy keys tells an attacker nothing about a key.
        if let Some(client) = app.clients.iter().find(|client| client.key_hash == hash) {
            if client.expires_at.is_some_and(|end| end <= app.clock.now()) {
                return Err(unknown());
            }
            return Ok(Self::Client(ClientCaller {
                tenant: client.tenant.clone(),
                name: client.name.clone(),
                scopes: client.scopes.clone(),
            }));
        }
        if token.starts_with(SECRET_PREFIX) {
            return by_stored_key(app, hash).await.map(Self::Client);
        }
        if let Some(oidc) = &app.oidc
            && token.split('.').count() == 3
        {
            return oidc.verify(token).await.map(Self::Person).map_err(refused);
        }
        by_session(app, &parts.headers, &hash).await.map(Self::Session)
    }
}

async fn by_stored_key(app: &App, hash: [u8; 32]) -> ApiResult<ClientCaller> {
    let now = app.clock.now();
    let row = app.api_keys.find(&app.store, hash, now).await?;
    let row = row.filter(|row| row.is_good(now)).ok_or_else(unknown)?;
    Ok(ClientCaller { tenant: row.tenant.clone(), name: row.id.to_string(), scopes: row.scopes.clone() })
}

async fn by_session(app: &App, headers: &HeaderMap, hash: &[u8; 32]) -> ApiResult<SessionCaller> {
    let session = app.sessions.find(&app.store, hash).await?.ok_or_else(unknown)?;
    if session.expires_at <= app.clock.now() {
        return Err(ApiError::new(
            ErrorCode::SessionExpired,
            "open a new session and continue with its token",
        ));
    }
    if !Source::of(headers).is_among(&session.origins) {
        return Err(ApiError::new(
            ErrorCode::OriginNotAllowed,
            "name the origin of this page when the session is opened",
        ));
    }
    Ok(SessionCaller(session))
}

fn unknown() -> ApiError {
    ApiError::new(
        ErrorCode::Unauthorized,
        "send the token of a session, an API key that is neither expired nor revoked, or an access token",
    )
}

/// A token that does not count is told no more than that; the log says why.
fn refused(why: Refused) -> ApiError {
    if let Refused::Unreachable(_) = why {
        let detail = "the identity provider cannot be reached; try again";
        return ApiError::new(ErrorCode::Unavailable, detail).because(why);
    }
    tracing::debug!(%why, "an access token was refused");
    unknown()
}

impl<N: Needs> FromRequestParts<Arc<App>> for Granted<N> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> ApiResult<Self> {
        let caller = Caller::from_request_parts(parts, app).await?;
        caller.require(N::PERMISSION)?;
        Ok(Self { caller, needs: PhantomData })
    }
}

impl<N: Needs> FromRequestParts<Arc<App>> for SessionOr<N> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> ApiResult<Self> {
        let caller = Caller::from_request_parts(parts, app).await?;
        if !matches!(caller, Caller::Session(_)) {
            caller.require(N::PERMISSION)?;
        }
        Ok(Self { caller, needs: PhantomData })
    }
}

impl FromRequestParts<Arc<App>> for SessionCaller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> ApiResult<Self> {
        match Caller::from_request_parts(parts, app).await? {
            Caller::Session(session) => Ok(session),
            Caller::Client(_) | Caller::Person(_) => {
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
