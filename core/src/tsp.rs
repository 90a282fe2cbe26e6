//! Time stamps (RFC 3161): the request, the answer, and the token that proves when something existed.
//!
//! Nothing here talks to an authority: [`Request::to_der`] gives what to send,
//! [`TimeStampToken::from_response`] judges what came back.

mod request;
mod response;
mod token;
mod tst_info;

pub use request::{InvalidPolicyId, PolicyId, Request};
pub use token::TimeStampToken;
pub(crate) use token::is_for_time_stamps;

use crate::ErrorCode;
use crate::cms::{CmsError, SignerError};
use crate::tlv::Malformed;

/// A time stamp cannot be had or cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TspError {
    /// The authority answered, but gave no time stamp.
    #[error("the time-stamping authority refused: {status}{detail}")]
    Refused {
        /// PKIStatus in words.
        status: &'static str,
        /// Reason and text as the authority gave them, each after `; `. Untrusted text, shortened.
        detail: String,
    },
    /// The bytes are not a response or a token; the text says what was expected.
    #[error("the time stamp cannot be read: {0} was expected")]
    Malformed(&'static str),
    /// The token is one of something else than was asked for, or at another time.
    #[error("the time stamp is not the one asked for: {0}")]
    Mismatch(&'static str),
    /// The token's own signature does not hold together.
    #[error("the time stamp does not verify: {0}")]
    Signer(#[from] SignerError),
    /// The certificate of the token may not sign time stamps.
    #[error("the certificate of the time stamp is not one for time stamps")]
    CertificateUsage,
}

impl TspError {
    /// The stable code: `time_stamp_unavailable` when the authority refused, `time_stamp_invalid`
    /// otherwise.
    #[must_use]
    pub const fn code(&self) -> ErrorCode {
        match self {
            Self::Refused { .. } => ErrorCode::TimeStampUnavailable,
            Self::Malformed(_) | Self::Mismatch(_) | Self::Signer(_) | Self::CertificateUsage => {
                ErrorCode::TimeStampInvalid
            }
        }
    }
}

impl From<Malformed> for TspError {
    fn from(error: Malformed) -> Self {
        Self::Malformed(error.0)
    }
}

impl From<CmsError> for TspError {
    fn from(error: CmsError) -> Self {
        match error {
            CmsError::Malformed(what) | CmsError::Limit(what) => Self::Malformed(what),
            // Reading a structure fails in no other way.
            CmsError::Key(_)
            | CmsError::ValueInvalid(_)
            | CmsError::DigestAlgorithm
            | CmsError::NotExtendable(_)
            | CmsError::Policy(_) => Self::Malformed("a SignedData"),
        }
    }
}

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
