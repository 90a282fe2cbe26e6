//! Public keys and the verification of signature values.

use p256::ecdsa::signature::hazmat::PrehashVerifier;
use rsa::traits::PublicKeyParts;
use rsa::{BigUint, Pkcs1v15Sign, RsaPublicKey};
use sha2::{Sha256, Sha384, Sha512};

use super::{AlgorithmIdentifier, SignatureAlgorithm};
use crate::digest::{Digest, DigestAlgorithm};
use crate::tlv::{Malformed, encode, single, tag};
use crate::{ErrorCode, oid};

/// A public key that signatures are verified with: RSA of 2048 to 8192 bits, P-256 or P-384.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey(Kind);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    Rsa(RsaPublicKey),
    P256(p256::ecdsa::VerifyingKey),
    P384(p384::ecdsa::VerifyingKey),
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

/// Bits of the RSA moduli accepted: below is weak, above only costs time.
const RSA_BITS: core::ops::RangeInclusive<usize> = 2048..=8192;
/// FIPS 186-5 §5.1 asks for more than 2¹⁶; small exponents made forged signatures possible.
const MIN_RSA_EXPONENT: u32 = 65_537;

impl PublicKey {
    /// Reads a SubjectPublicKeyInfo (RFC 5280 §4.1.2.7).
    ///
    /// # Errors
    /// [`KeyError`]: `certificate_malformed` or `key_unsupported`.
    pub fn from_spki_der(spki: &[u8]) -> Result<Self, KeyError> {
        let malformed = |error: Malformed| KeyError::Malformed(error.0);
        let mut reader = single(spki, tag::SEQUENCE, "a SubjectPublicKeyInfo").map_err(malformed)?.reader();
        let algorithm = AlgorithmIdentifier::read(&mut reader).map_err(malformed)?;
        let key = reader.expect(tag::BIT_STRING, "the bits of the public key").map_err(malformed)?;
        let key = key.bit_string_bytes().map_err(malformed)?;
        reader.end().map_err(malformed)?;

        if algorithm.oid == oid::RSA_ENCRYPTION.as_bytes() {
            return rsa_key(key).map(|key| Self(Kind::Rsa(key)));
        }
        if algorithm.oid != oid::EC_PUBLIC_KEY.as_bytes() {
            return Err(KeyError::Unsupported(format!("algorithm {}", oid::to_text(algorithm.oid))));
        }
        let curve = algorithm.parameters.filter(|parameters| parameters.tag == tag::OID);
        let curve = curve.ok_or_else(|| KeyError::Unsupported("a curve without a name".to_owned()))?.value;
        // Compressed points and the point at infinity do not occur in certificates (RFC 5480 §2.2).
        if key.first() != Some(&4) {
            return Err(KeyError::Malformed("an uncompressed point"));
        }
        let off_curve = KeyError::Malformed("a point on the curve");
        if curve == oid::P256.as_bytes() {
            let key = p256::ecdsa::VerifyingKey::from_sec1_bytes(key).map_err(|_| off_curve)?;
            Ok(Self(Kind::P256(key)))
        } else if curve == oid::P384.as_bytes() {
            let key = p384::ecdsa::VerifyingKey::from_sec1_bytes(key).map_err(|_| off_curve)?;
            Ok(Self(Kind::P384(key)))
        } else {
            Err(KeyError::Unsupported(format!("curve {}", oid::to_text(curve))))
        }
    }

    /// The algorithm this key signs new signatures with: always SHA-256.
    #[must_use]
    pub const fn signature_algorithm(&self) -> SignatureAlgorithm {
        match self.0 {
            Kind::Rsa(_) => SignatureAlgorithm::RsaPkcs1Sha256,
            Kind::P256(_) | Kind::P384(_) => SignatureAlgorithm::EcdsaSha256,
        }
    }

    /// Size for people and logs: `RSA-2048`, `P-256`, `P-384`.
    #[must_use]
    pub fn describe(&self) -> String {
        match &self.0 {
            Kind::Rsa(key) => format!("RSA-{}", key.n().bits()),
            Kind::P256(_) => "P-256".to_owned(),
            Kind::P384(_) => "P-384".to_owned(),
        }
    }

    /// Longest signature value in the form that CMS stores, in bytes.
    #[must_use]
    pub fn value_size_limit_bytes(&self) -> usize {
        match &self.0 {
            Kind::Rsa(key) => key.size(),
            // SEQUENCE and two INTEGERs of field width, each with a sign octet.
            Kind::P256(_) => 2 + 2 * (2 + 33),
            Kind::P384(_) => 2 + 2 * (2 + 49),
        }
    }

    /// Verifies a signature value over a digest.
    ///
    /// RSA values have exactly the length of the modulus and are compared with the rebuilt encoding;
    /// ECDSA values are strict DER (see [`PublicKey::to_cms_value`] for raw ones).
    ///
    /// # Errors
    /// [`VerifyError`]: the algorithm does not fit, or the value does not verify.
    pub fn verify(
        &self,
        algorithm: SignatureAlgorithm,
        message_digest: &Digest,
        value: &[u8],
    ) -> Result<(), VerifyError> {
        if message_digest.algorithm() != algorithm.digest_algorithm() {
            return Err(VerifyError::AlgorithmMismatch);
        }
        let hash = message_digest.as_bytes();
        match &self.0 {
            Kind::Rsa(key) if algorithm.is_rsa() => {
                let padding = match algorithm.digest_algorithm() {
                    DigestAlgorithm::Sha256 => Pkcs1v15Sign::new::<Sha256>(),
                    DigestAlgorithm::Sha384 => Pkcs1v15Sign::new::<Sha384>(),
                    DigestAlgorithm::Sha512 => Pkcs1v15Sign::new::<Sha512>(),
                };
                key.verify(padding, hash, value).map_err(|_| VerifyError::Invalid)
            }
            Kind::P256(key) if !algorithm.is_rsa() => p256::ecdsa::Signature::from_der(value)
                .and_then(|value| key.verify_prehash(hash, &value))
                .map_err(|_| VerifyError::Invalid),
            Kind::P384(key) if !algorithm.is_rsa() => p384::ecdsa::Signature::from_der(value)
                .and_then(|value| key.verify_prehash(hash, &value))
                .map_err(|_| VerifyError::Invalid),
            Kind::Rsa(_) | Kind::P256(_) | Kind::P384(_) => Err(VerifyError::AlgorithmMismatch),
        }
    }

    /// Brings a value as a device gave it into the form that CMS stores: ECDSA values of PKCS#11 and
    /// WebCrypto (`r ‖ s`) become DER, everything else is left as it is. Nothing is verified.
    #[must_use]
    pub fn to_cms_value(&self, value: &[u8]) -> Vec<u8> {
        let field_bytes = match self.0 {
            Kind::Rsa(_) => return value.to_vec(),
            Kind::P256(_) => 32,
            Kind::P384(_) => 48,
        };
        // A DER value can have the length of a raw one, so its structure decides.
        if value.len() == 2 * field_bytes && !is_ecdsa_der(value) {
            ecdsa_value_to_der(value)
        } else {
            value.to_vec()
        }
    }
}

/// Turns a raw ECDSA value `r ‖ s` (two integers of equal width) into DER
/// `SEQUENCE { r INTEGER, s INTEGER }` (RFC 3279 §2.2.3).
#[must_use]
pub fn ecdsa_value_to_der(raw: &[u8]) -> Vec<u8> {
    let (r, s) = raw.split_at(raw.len() / 2);
    encode(tag::SEQUENCE, &[&unsigned_integer(r), &unsigned_integer(s)])
}

fn unsigned_integer(magnitude: &[u8]) -> Vec<u8> {
    let start = magnitude.iter().position(|byte| *byte != 0).unwrap_or(magnitude.len());
    match &magnitude[start..] {
        [] => encode(tag::INTEGER, &[&[0]]),
        significant if significant[0] & 0x80 != 0 => encode(tag::INTEGER, &[&[0], significant]),
        significant => encode(tag::INTEGER, &[significant]),
    }
}

fn is_ecdsa_der(value: &[u8]) -> bool {
    let parse = || -> Result<(), Malformed> {
        let mut reader = single(value, tag::SEQUENCE, "an ECDSA value")?.reader();
        reader.expect(tag::INTEGER, "r")?.unsigned()?;
        reader.expect(tag::INTEGER, "s")?.unsigned()?;
        reader.end()
    };
    parse().is_ok()
}

/// `RSAPublicKey ::= SEQUENCE { modulus INTEGER, publicExponent INTEGER }` (RFC 8017 §A.1.1)
fn rsa_key(bytes: &[u8]) -> Result<RsaPublicKey, KeyError> {
    let parse = || -> Result<(BigUint, BigUint), Malformed> {
        let mut reader = single(bytes, tag::SEQUENCE, "an RSAPublicKey")?.reader();
        let modulus = reader.expect(tag::INTEGER, "the modulus")?.unsigned()?;
        let exponent = reader.expect(tag::INTEGER, "the public exponent")?.unsigned()?;
        reader.end()?;
        Ok((BigUint::from_bytes_be(modulus), BigUint::from_bytes_be(exponent)))
    };
    let (modulus, exponent) = parse().map_err(|error| KeyError::Malformed(error.0))?;
    if !RSA_BITS.contains(&modulus.bits()) {
        return Err(KeyError::Unsupported(format!("RSA with {} bits", modulus.bits())));
    }
    if exponent < BigUint::from(MIN_RSA_EXPONENT) {
        return Err(KeyError::Unsupported(format!("RSA with public exponent {exponent}")));
    }
    RsaPublicKey::new_with_max_size(modulus, exponent, *RSA_BITS.end())
        .map_err(|error| KeyError::Unsupported(format!("RSA: {error}")))
}
