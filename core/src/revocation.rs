//! Revocation: lists (CRL, RFC 5280 §5), answers (OCSP, RFC 6960), and what they say of a certificate.
//!
//! Nothing is fetched here. [`missing`] names what is needed and where it may be found, the caller brings it as
//! [`Evidence`], [`status`] decides. The bytes of the evidence are untrusted until `status` has found who
//! signed them and that this signer may speak about the certificate.
//!
//! Not evaluated, and therefore never a proof of anything: indirect lists (signed by another authority than
//! the issuer's name). A delta list can revoke, but it proves nobody good.

mod crl;
mod evidence;
mod issuing_point;
mod missing;
mod ocsp;
mod signer;
mod status;

pub use self::crl::Crl;
pub use self::evidence::Evidence;
pub use self::missing::{Wanted, missing};
pub use self::ocsp::{OcspResponse, ResponseStatus, ocsp_request};
pub use self::status::{Source, SourceKind, Status, Why, status};

use crate::ErrorCode;
use crate::tlv::Malformed;

/// Longest list that is read, in bytes. The largest of ICP-Brasil have a few million.
pub const MAX_CRL_BYTES: usize = 64 << 20;
/// Longest answer that is read, in bytes. Usual are two thousand.
pub const MAX_OCSP_BYTES: usize = 1 << 20;

/// A CRL or an OCSP response cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RevocationError {
    /// Its structure cannot be read; the text says what was expected.
    #[error("the revocation data cannot be read: {0} was expected")]
    Malformed(&'static str),
    /// It is larger than what is read; the text names the limit.
    #[error("the revocation data exceeds a limit: {0}")]
    Limit(&'static str),
    /// The responder gave no answer but said why.
    #[error("the OCSP responder answered {}", .0.as_str())]
    Refused(ResponseStatus),
}

impl RevocationError {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> ErrorCode {
        match self {
            Self::Malformed(_) => ErrorCode::RevocationMalformed,
            Self::Limit(_) => ErrorCode::LimitExceeded,
            Self::Refused(_) => ErrorCode::RevocationUnknown,
        }
    }
}

impl From<Malformed> for RevocationError {
    fn from(error: Malformed) -> Self {
        Self::Malformed(error.0)
    }
}

/// Why a certificate was revoked (RFC 5280 §5.3.1).
///
/// **Shape**: as text the name of the standard, such as `keyCompromise`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// Nothing was said.
    Unspecified,
    /// The holder's key is in other hands.
    KeyCompromise,
    /// The authority's key is in other hands.
    CaCompromise,
    /// The name or another statement changed.
    AffiliationChanged,
    /// Another certificate took its place.
    Superseded,
    /// It is no longer needed.
    CessationOfOperation,
    /// Suspended: the only reason that can be taken back.
    CertificateHold,
    /// Suspended no more; occurs in delta lists.
    RemoveFromCrl,
    /// A right was withdrawn.
    PrivilegeWithdrawn,
    /// The attribute authority's key is in other hands.
    AaCompromise,
}

impl Reason {
    /// The name in the standard.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unspecified => "unspecified",
            Self::KeyCompromise => "keyCompromise",
            Self::CaCompromise => "cACompromise",
            Self::AffiliationChanged => "affiliationChanged",
            Self::Superseded => "superseded",
            Self::CessationOfOperation => "cessationOfOperation",
            Self::CertificateHold => "certificateHold",
            Self::RemoveFromCrl => "removeFromCRL",
            Self::PrivilegeWithdrawn => "privilegeWithdrawn",
            Self::AaCompromise => "aACompromise",
        }
    }

    /// `CRLReason ::= ENUMERATED`, contents octets.
    fn from_enumerated(contents: &[u8]) -> Result<Self, Malformed> {
        Ok(match contents {
            [0] => Self::Unspecified,
            [1] => Self::KeyCompromise,
            [2] => Self::CaCompromise,
            [3] => Self::AffiliationChanged,
            [4] => Self::Superseded,
            [5] => Self::CessationOfOperation,
            [6] => Self::CertificateHold,
            [8] => Self::RemoveFromCrl,
            [9] => Self::PrivilegeWithdrawn,
            [10] => Self::AaCompromise,
            _ => return Err(Malformed("a CRLReason")),
        })
    }
}

#[cfg(test)]
mod tests;
