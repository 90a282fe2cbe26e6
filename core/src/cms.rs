//! SignedData (RFC 5652): built in two steps, read strictly.
//!
//! Step one, [`plan`], fixes everything that will be signed. Its [`CmsPlan`] is stored and never built
//! again. Step two, [`CmsPlan::assemble`], takes the raw value that a token, a browser or a provider
//! made, verifies it against the stored bytes, and only then writes the SignedData.

mod attributes;
pub(crate) mod ber;
mod parts;
mod plan;
mod signed_data;
mod verify;

pub use attributes::{PolicyReference, SignedAttributes, SigningCertificate, UnsignedAttribute};
pub(crate) use parts::{AttributeParts, Parts, SignerParts};
pub use plan::{CmsPlan, PlanOptions, content_digest_algorithm, plan};
pub(crate) use plan::{Target, plan_for};
pub(crate) use signed_data::ocsp_response;
pub use signed_data::{SignedData, SignerId, SignerInfo};
pub use verify::SignerError;
pub(crate) use verify::verify_signer;

use crate::ErrorCode;
use crate::icp_brasil::signature_policy::PolicyNotApplicable;
use crate::tlv::Malformed;
use crate::x509::{KeyError, VerifyError};

/// A SignedData cannot be built or read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CmsError {
    /// The structure cannot be read; the text says what was expected.
    #[error("the signature structure cannot be read: {0} was expected")]
    Malformed(&'static str),
    /// Size, depth or count is beyond what is read; the text names the limit.
    #[error("the signature structure exceeds a limit: {0}")]
    Limit(&'static str),
    /// The signer's key cannot be used.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The value does not verify against the planned bytes and certificate. Nothing was assembled.
    #[error("the signature value is not one of the planned bytes by the planned certificate")]
    ValueInvalid(#[source] VerifyError),
    /// The digest algorithm has to follow the key.
    #[error("the content digest is not of the algorithm that goes with the signer's key")]
    DigestAlgorithm,
    /// The signature lacks what the addition builds upon, or has something that the addition would break.
    #[error("the signature cannot be extended: {0}")]
    NotExtendable(&'static str),
    /// The signature policy does not allow this signature.
    #[error(transparent)]
    Policy(#[from] PolicyNotApplicable),
}

impl CmsError {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> ErrorCode {
        match self {
            Self::Malformed(_) => ErrorCode::CmsMalformed,
            Self::Limit(_) => ErrorCode::LimitExceeded,
            Self::Key(error) => error.code(),
            Self::ValueInvalid(error) => error.code(),
            Self::DigestAlgorithm => ErrorCode::Internal,
            Self::NotExtendable(_) => ErrorCode::SignatureNotExtendable,
            Self::Policy(error) => error.code(),
        }
    }
}

impl From<Malformed> for CmsError {
    fn from(error: Malformed) -> Self {
        // Every limit is worded like this, and nothing else is.
        if error.0.starts_with("at most ") { Self::Limit(error.0) } else { Self::Malformed(error.0) }
    }
}

#[cfg(test)]
mod tests;
