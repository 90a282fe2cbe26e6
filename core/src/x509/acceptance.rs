//! Whether a certificate may sign new documents.

use super::{Certificate, KeyError};
use crate::{ErrorCode, Timestamp, oid};

/// A certificate must not be used to sign.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignerCertificateError {
    /// Its validity has not begun.
    #[error("the certificate is valid from {0} only")]
    NotYetValid(Timestamp),
    /// Its validity is over.
    #[error("the certificate expired at {0}")]
    Expired(Timestamp),
    /// It is not meant for signing; the text says why.
    #[error("the certificate is not for signing: {0}")]
    WrongUsage(&'static str),
    /// Its key cannot be used.
    #[error(transparent)]
    Key(#[from] KeyError),
}

impl SignerCertificateError {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> ErrorCode {
        match self {
            Self::NotYetValid(_) => ErrorCode::CertificateNotYetValid,
            Self::Expired(_) => ErrorCode::CertificateExpired,
            Self::WrongUsage(_) => ErrorCode::CertificateWrongUsage,
            Self::Key(error) => error.code(),
        }
    }
}

impl Certificate {
    /// Checks validity, usage and key of a certificate that is about to sign. Trust is another question:
    /// see [`super::build_path`].
    ///
    /// `digitalSignature` is required, `nonRepudiation` is not: seals of the new generation lack it.
    ///
    /// # Errors
    /// `certificate_not_yet_valid`, `certificate_expired`, `certificate_wrong_usage`, `key_unsupported`,
    /// in this order.
    pub fn check_signer(&self, now: Timestamp) -> Result<(), SignerCertificateError> {
        if now < self.not_before() {
            return Err(SignerCertificateError::NotYetValid(self.not_before()));
        }
        if !self.is_valid_at(now) {
            return Err(SignerCertificateError::Expired(self.not_after()));
        }
        match self.extensions().key_usage {
            Some(usage) if usage.digital_signature => {}
            Some(_) => return Err(SignerCertificateError::WrongUsage("keyUsage lacks digitalSignature")),
            None => return Err(SignerCertificateError::WrongUsage("keyUsage is absent")),
        }
        self.check_not_reserved().map_err(SignerCertificateError::WrongUsage)?;
        self.public_key()?;
        Ok(())
    }

    /// Usage as a verifier of foreign signatures asks for it: key usage, when present, has
    /// `digitalSignature` or `nonRepudiation`.
    pub(crate) fn check_usage_of_foreign_signer(&self) -> Result<(), &'static str> {
        match self.extensions().key_usage {
            Some(usage) if !usage.digital_signature && !usage.non_repudiation => {
                Err("keyUsage has neither digitalSignature nor nonRepudiation")
            }
            Some(_) | None => self.check_not_reserved(),
        }
    }

    /// Authorities and certificates reserved to machines or services do not sign documents.
    fn check_not_reserved(&self) -> Result<(), &'static str> {
        if self.extensions().basic_constraints.is_some_and(|constraints| constraints.ca) {
            return Err("it belongs to a certification authority");
        }
        let Some(usages) = &self.extensions().extended_key_usages else { return Ok(()) };
        let for_people = [
            oid::CLIENT_AUTH,
            oid::EMAIL_PROTECTION,
            oid::DOCUMENT_SIGNING,
            oid::MICROSOFT_DOCUMENT_SIGNING,
            oid::ANY_EXTENDED_KEY_USAGE,
        ];
        let allowed =
            usages.iter().any(|usage| for_people.iter().any(|known| known.as_bytes() == self.part(usage)));
        if allowed { Ok(()) } else { Err("extKeyUsage is for servers or services only") }
    }
}
