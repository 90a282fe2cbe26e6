//! What ends soon: `GET /v1/keys/expiring`.

use core::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{Custody, Key};
use crate::Timestamp;

/// What the validity watch looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum WatchedKind {
    /// A key in our custody; the subject is its identifier.
    Key,
    /// The certificate that a person last signed with, whose key is elsewhere; the subject is the keyed hash of the person.
    Signer,
    /// A certificate of the time-stamping authority, as it was last seen; the subject is its SHA-256.
    Tsa,
    /// A configured certificate between signers and a root; the subject is its SHA-256.
    Intermediate,
    /// A trusted root; the subject is its SHA-256.
    Anchor,
    /// A TLS certificate; the subject is `host:port`, or the setting that names its file.
    Tls,
    /// An API key; the subject is its identifier, or its name in the configuration.
    ApiKey,
}

impl WatchedKind {
    /// Every kind.
    pub const ALL: [Self; 7] =
        [Self::Key, Self::Signer, Self::Tsa, Self::Intermediate, Self::Anchor, Self::Tls, Self::ApiKey];

    /// The wire and SQL string.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Key => "key",
            Self::Signer => "signer",
            Self::Tsa => "tsa",
            Self::Intermediate => "intermediate",
            Self::Anchor => "anchor",
            Self::Tls => "tls",
            Self::ApiKey => "api_key",
        }
    }
}

/// The text names nothing that is watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a kind of thing that is watched")]
#[non_exhaustive]
pub struct UnknownWatchedKind;

impl FromStr for WatchedKind {
    type Err = UnknownWatchedKind;

    fn from_str(text: &str) -> Result<Self, UnknownWatchedKind> {
        Self::ALL.into_iter().find(|known| known.as_str() == text).ok_or(UnknownWatchedKind)
    }
}

/// What a notice tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum NoticeKind {
    /// Something ends soon, or has ended.
    Expiring,
    /// A certificate was revoked, and its key suspended.
    Revoked,
}

/// A key that ends soon.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ExpiringKey {
    /// The key.
    pub key: Key,
    /// Whole days until its certificate ends, rounded down: 0 on the last day, negative once it has ended.
    pub days_left: i64,
    /// Whether its signer has another active key that lasts longer.
    pub renewed: bool,
}

/// Anything else that ends soon.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Expiring {
    /// What it is.
    pub kind: WatchedKind,
    /// Which one: by kind, see there.
    pub subject: String,
    /// Its name for people: that of an authority, of an API key, the masked CPF or CNPJ of a person.
    pub name: String,
    /// Where the private key is, for a signer's certificate.
    pub custody: Option<Custody>,
    /// The end.
    pub not_after: Timestamp,
    /// Whole days until the end, rounded down: 0 on the last day, negative once it is over.
    pub days_left: i64,
}

/// What ends within a time: a page of keys, the soonest first, and on the first page everything else.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ExpiringList {
    /// Keys in our custody that are not retired.
    pub items: Vec<ExpiringKey>,
    /// Everything else of the tenant and of the instance, the soonest first, at most 200; absent behind the first page.
    pub others: Option<Vec<Expiring>>,
    /// Give it as `cursor` for the next page; absent on the last.
    pub next_cursor: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_the_same_word_everywhere() {
        for kind in WatchedKind::ALL {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
            assert_eq!(kind.as_str().parse(), Ok(kind));
        }
        assert_eq!("keys".parse::<WatchedKind>(), Err(UnknownWatchedKind));
    }
}
