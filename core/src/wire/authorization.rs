//! Permissions of people to use their keys at cloud services.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{ErrorCode, Timestamp};

/// How often the key may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum AuthorizationScope {
    /// For one signature. When the answer of the service is lost, the person is asked again.
    One,
    /// For the documents named, until the permission ends.
    Session,
}

/// Where a permission stands. It moves `requested → granted → used`; from both of the first also to `expired`, and from
/// `requested` to `failed`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum AuthorizationState {
    /// The person is at the service.
    Requested,
    /// The key may be used.
    Granted,
    /// The one use is over.
    Used,
    /// The time is over.
    Expired,
    /// It was not given, or not by the person who signs.
    Failed,
}

impl AuthorizationState {
    /// Every state.
    pub const ALL: [Self; 5] = [Self::Requested, Self::Granted, Self::Used, Self::Expired, Self::Failed];

    /// The wire and SQL string.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Granted => "granted",
            Self::Used => "used",
            Self::Expired => "expired",
            Self::Failed => "failed",
        }
    }
}

/// `POST /v1/authorizations`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct CreateAuthorization {
    /// Name of the service.
    pub service: String,
    /// The documents that may be signed: 1 to 100.
    pub document_ids: Vec<String>,
    /// How often the key may be used.
    pub scope: AuthorizationScope,
    /// Where the service sends the person back to: a page below an origin of the session, without fragment. Without it the service asks
    /// the person on their phone, where it can.
    #[serde(default)]
    pub return_url: Option<String>,
}

/// `POST /v1/authorizations/{id}/complete`.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct CompleteAuthorization {
    /// Every parameter of the query of the URL that the person came back to; none when they were asked on their phone.
    pub parameters: BTreeMap<String, String>,
}

/// The parameters are secrets.
impl core::fmt::Debug for CompleteAuthorization {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("CompleteAuthorization").finish_non_exhaustive()
    }
}

/// A person's permission to use their key at a cloud service for named documents and a short time.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Authorization {
    /// `aut_…`
    pub id: String,
    /// Name of the service.
    pub service: String,
    /// How often the key may be used.
    pub scope: AuthorizationScope,
    /// Where it stands.
    pub state: AuthorizationState,
    /// Where to send the person, in the answer to the request only; absent when they are asked on their phone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth_url: Option<String>,
    /// Time of the request.
    pub created_at: Timestamp,
    /// Until when it may be completed, then until when it may be used.
    pub expires_at: Timestamp,
    /// Why it failed.
    pub problem: Option<ErrorCode>,
}
