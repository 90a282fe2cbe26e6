//! API keys: credentials of a tenant's backends.

use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// `POST /v1/api-keys`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct CreateApiKey {
    /// For people: 1 to 100 characters.
    pub name: String,
    /// What the key may do, each once; never empty. The names are those of the server's permissions.
    pub scopes: Vec<String>,
    /// End of the key; absent: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
}

/// An API key as the API shows it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ApiKey {
    /// `apk_…`
    pub id: String,
    /// For people.
    pub name: String,
    /// First characters of the key, to tell keys apart.
    pub prefix: String,
    /// What it may do.
    pub scopes: Vec<String>,
    /// The key itself. Shown once, in the answer that made it; only its hash is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
    /// Time of creation.
    pub created_at: Timestamp,
    /// End of the key.
    pub expires_at: Option<Timestamp>,
    /// When it last opened a request, to the hour.
    pub last_used_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

/// A page of `GET /v1/api-keys`, latest first.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ApiKeyList {
    /// The keys.
    pub items: Vec<ApiKey>,
    /// Give it as `cursor` for the next page; absent on the last.
    pub next_cursor: Option<String>,
}
