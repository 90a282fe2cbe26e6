//! Keys in our custody.

use core::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{CertificateView, Custody};
use crate::{ErrorCode, Timestamp};

/// Whether a key may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum KeyState {
    /// It signs.
    Active,
    /// It does not, for the moment.
    Suspended,
    /// It never will again.
    Retired,
}

impl KeyState {
    /// Every state.
    pub const ALL: [Self; 3] = [Self::Active, Self::Suspended, Self::Retired];

    /// The wire and SQL string.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Suspended => "suspended",
            Self::Retired => "retired",
        }
    }
}

/// The text names no state of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a state of a key")]
#[non_exhaustive]
pub struct UnknownKeyState;

impl FromStr for KeyState {
    type Err = UnknownKeyState;

    fn from_str(text: &str) -> Result<Self, UnknownKeyState> {
        Self::ALL.into_iter().find(|known| known.as_str() == text).ok_or(UnknownKeyState)
    }
}

/// A key as the API shows it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Key {
    /// `key_…`
    pub id: String,
    /// Where it lives.
    pub custody: Custody,
    /// Whether it may be used.
    pub state: KeyState,
    /// Its certificate.
    pub certificate: CertificateView,
    /// Time of registration.
    pub created_at: Timestamp,
    /// When its state last changed; absent while it is the first one.
    pub changed_at: Option<Timestamp>,
    /// Why its state changed, as an error code; absent when somebody asked for it.
    pub changed_code: Option<ErrorCode>,
}

/// A page of `GET /v1/keys`, latest first.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct KeyList {
    /// The keys.
    pub items: Vec<Key>,
    /// Give it as `cursor` for the next page; absent on the last.
    pub next_cursor: Option<String>,
}
