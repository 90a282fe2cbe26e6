//! SignedData (RFC 5652): built in two steps, read strictly.
//!
//! Step one, [`plan`], fixes everything that will be signed. Its [`CmsPlan`] is stored and never built
//! again. Step two, [`CmsPlan::assemble`], takes the raw value that a token, a browser or a provider
//! made, verifies it against the stored bytes, and only then writes the SignedData.

mod attributes;
mod ber;
mod plan;
mod signed_data;

pub use attributes::{SignedAttributes, SigningCertificate};
pub use plan::{CmsPlan, plan};
pub use signed_data::{SignedData, SignerId, SignerInfo};

use crate::ErrorCode;
use crate::tlv::Malformed;
use crate::x509::{KeyError, VerifyError};

/// A SignedData cannot be built or read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CmsError {
    /// The structure cannot be read; the text says what was expected.
    #[error("the signature structure cannot be read: {0} was expected")]
    Malformed(&'static str),
    /// The signer's key cannot be used.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The value does not verify against the planned bytes and certificate. Nothing was assembled.
    #[error("the signature value is not one of the planned bytes by the planned certificate")]
    ValueInvalid(#[source] VerifyError),
    /// Only SHA-256 is written.
    #[error("the content digest is not SHA-256")]
    DigestAlgorithm,
}

impl CmsError {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> ErrorCode {
        match self {
            Self::Malformed(_) => ErrorCode::CmsMalformed,
            Self::Key(error) => error.code(),
            Self::ValueInvalid(error) => error.code(),
            Self::DigestAlgorithm => ErrorCode::Internal,
        }
    }
}

impl From<Malformed> for CmsError {
    fn from(error: Malformed) -> Self {
        Self::Malformed(error.0)
    }
}
