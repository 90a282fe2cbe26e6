//! Public keys and the verification of signature values.
//!
//! Two implementations stand behind one type: aws-lc-rs wherever it builds, RustCrypto in the browser
//! and for the few forms that the first does not offer. What a key must be is decided before either
//! sees it, so both accept the same keys; tests hold both to the same verdicts.

mod ecdsa_value;
mod material;
#[cfg(not(target_arch = "wasm32"))]
mod native;
mod portable;

use core::fmt;

use self::material::Material;
#[cfg(not(target_arch = "wasm32"))]
use self::native::Verifier;
#[cfg(target_arch = "wasm32")]
use self::portable::Verifier;
use super::SignatureAlgorithm;
use crate::ErrorCode;
use crate::digest::Digest;

pub use self::ecdsa_value::ecdsa_value_to_der;

/// A public key that signatures are verified with: RSA of 2048 to 8192 bits, P-256, P-384 or Ed25519.
///
/// A clone is cheap and shares what was computed for the first verification.
#[derive(Clone)]
pub struct PublicKey {
    material: Material,
    verifier: Verifier,
}

/// The key cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// Its structure cannot be read; the text says what was expected.
    #[error("the public key cannot be read: {0} was expected")]
    Malformed(&'static str),
    /// Type, curve, size or exponent is not supported; the text names it.
    #[error("the public key is not supported: {0}")]
    Unsupported(String),
}

impl KeyError {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> ErrorCode {
        match self {
            Self::Malformed(_) => ErrorCode::CertificateMalformed,
            Self::Unsupported(_) => ErrorCode::KeyUnsupported,
        }
    }
}

/// A signature value was not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// The algorithm is for another type of key or for another digest.
    #[error("the signature algorithm does not fit the key and the digest")]
    AlgorithmMismatch,
    /// The value is not a signature of these bytes by this key.
    #[error("the signature value does not verify")]
    Invalid,
}

impl VerifyError {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> ErrorCode {
        match self {
            Self::AlgorithmMismatch | Self::Invalid => ErrorCode::SignatureValueInvalid,
        }
    }
}

/// What is verified: Ed25519 reads the message itself, all others its digest.
#[derive(Debug, Clone, Copy)]
enum Signed<'a> {
    Digest(&'a Digest),
    Message(&'a [u8]),
}

impl PublicKey {
    /// Reads a SubjectPublicKeyInfo (RFC 5280 §4.1.2.7, RFC 8410 §4 for Ed25519).
    ///
    /// # Errors
    /// [`KeyError`]: `certificate_malformed` or `key_unsupported`.
    pub fn from_spki_der(spki: &[u8]) -> Result<Self, KeyError> {
        let material = Material::from_spki_der(spki)?;
        let verifier = Verifier::new(&material)?;
        Ok(Self { material, verifier })
    }

    /// The algorithm this key signs new signatures with: SHA-256, but Ed25519 has its own SHA-512.
    #[must_use]
    pub const fn signature_algorithm(&self) -> SignatureAlgorithm {
        match &self.material {
            Material::Rsa { pss: None, .. } => SignatureAlgorithm::RsaPkcs1Sha256,
            Material::Rsa { pss: Some(pss), .. } => *pss,
            Material::P256(_) | Material::P384(_) => SignatureAlgorithm::EcdsaSha256,
            Material::Ed25519(_) => SignatureAlgorithm::Ed25519,
        }
    }

    /// Size for people and logs: `RSA-2048`, `P-256`, `P-384`, `Ed25519`.
    #[must_use]
    pub fn describe(&self) -> String {
        match &self.material {
            Material::Rsa { bits, .. } => format!("RSA-{bits}"),
            Material::P256(_) => "P-256".to_owned(),
            Material::P384(_) => "P-384".to_owned(),
            Material::Ed25519(_) => "Ed25519".to_owned(),
        }
    }

    /// Longest signature value in the form that CMS stores, in bytes.
    #[must_use]
    pub const fn value_size_limit_bytes(&self) -> usize {
        match &self.material {
            Material::Rsa { bits, .. } => bits.div_ceil(8),
            // SEQUENCE and two INTEGERs of field width, each with a sign octet.
            Material::P256(_) => 2 + 2 * (2 + 33),
            Material::P384(_) => 2 + 2 * (2 + 49),
            Material::Ed25519(_) => 64,
        }
    }

    /// Verifies a signature value over bytes.
    ///
    /// RSA values have exactly the length of the modulus; PKCS#1 v1.5 values are compared with the rebuilt
    /// encoding, PSS values have exactly the stated length of salt; ECDSA values are strict DER (see
    /// [`PublicKey::to_cms_value`] for raw ones); Ed25519 values are 64 bytes with a reduced scalar
    /// (RFC 8032 §5.1.7).
    ///
    /// # Errors
    /// [`VerifyError`]: the algorithm does not fit, or the value does not verify.
    pub fn verify_message(
        &self,
        algorithm: SignatureAlgorithm,
        message: &[u8],
        value: &[u8],
    ) -> Result<(), VerifyError> {
        if !self.material.fits(algorithm) {
            return Err(VerifyError::AlgorithmMismatch);
        }
        let digest;
        let signed = if algorithm.signs_message() {
            Signed::Message(message)
        } else {
            digest = Digest::of(algorithm.digest_algorithm(), message);
            Signed::Digest(&digest)
        };
        self.check(algorithm, signed, value)
    }

    /// Verifies a signature value over a digest, for callers that no longer have the bytes.
    ///
    /// # Errors
    /// As [`PublicKey::verify_message`]; an Ed25519 key always gives [`VerifyError::AlgorithmMismatch`],
    /// because it signs messages and not digests (RFC 8419 §3.1).
    pub fn verify(
        &self,
        algorithm: SignatureAlgorithm,
        message_digest: &Digest,
        value: &[u8],
    ) -> Result<(), VerifyError> {
        let fits = self.material.fits(algorithm)
            && !algorithm.signs_message()
            && message_digest.algorithm() == algorithm.digest_algorithm();
        if !fits {
            return Err(VerifyError::AlgorithmMismatch);
        }
        self.check(algorithm, Signed::Digest(message_digest), value)
    }

    fn check(
        &self,
        algorithm: SignatureAlgorithm,
        signed: Signed<'_>,
        value: &[u8],
    ) -> Result<(), VerifyError> {
        if self.verifier.verifies(&self.material, algorithm, signed, value) {
            Ok(())
        } else {
            Err(VerifyError::Invalid)
        }
    }

    /// Brings a value as a device gave it into the form that CMS stores: ECDSA values of PKCS#11 and
    /// WebCrypto (`r ‖ s`) become DER, everything else is left as it is. Nothing is verified.
    #[must_use]
    pub fn to_cms_value(&self, value: &[u8]) -> Vec<u8> {
        let field_bytes = match self.material {
            Material::Rsa { .. } | Material::Ed25519(_) => return value.to_vec(),
            Material::P256(_) => 32,
            Material::P384(_) => 48,
        };
        // A DER value can have the length of a raw one, so its structure decides.
        if value.len() == 2 * field_bytes && !ecdsa_value::is_der(value) {
            ecdsa_value_to_der(value)
        } else {
            value.to_vec()
        }
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PublicKey").field(&self.material).finish()
    }
}

impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        self.material == other.material
    }
}

impl Eq for PublicKey {}

#[cfg(test)]
mod tests;
