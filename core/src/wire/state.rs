//! States of a signature and the edges between them.

use serde::{Deserialize, Serialize};

/// State of a signature. It moves only along these edges:
///
/// `accepted → prepared → signing → released`, for `hsm`;
/// `prepared → released`, for `local` at level `b`, `prepared → signing → released` above it; every state but `released` may end in `failed`, `prepared` also in `expired`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignatureState {
    /// Taken, nothing built yet.
    Accepted,
    /// The data to be signed are built and pinned; for `local` it is the person's turn.
    Prepared,
    /// The intent is committed: the key may have been used. Above level `b` the signature stays here while time stamps and
    /// revocation data are collected; an authority that does not answer is asked again, without another use of the key.
    Signing,
    /// The artefact was verified and can be fetched.
    Released,
    /// Ended without artefact.
    Failed,
    /// Nobody completed it in time.
    Expired,
}

impl SignatureState {
    /// Every state.
    pub const ALL: [Self; 6] =
        [Self::Accepted, Self::Prepared, Self::Signing, Self::Released, Self::Failed, Self::Expired];

    /// The wire and SQL string.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Prepared => "prepared",
            Self::Signing => "signing",
            Self::Released => "released",
            Self::Failed => "failed",
            Self::Expired => "expired",
        }
    }

    /// Whether nothing can happen to the signature any more.
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Released | Self::Failed | Self::Expired)
    }
}
