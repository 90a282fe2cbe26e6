//! Verification in pure Rust (RustCrypto, dalek): for the browser, and the second opinion of the tests.

use p256::ecdsa::signature::hazmat::PrehashVerifier;
use rsa::{BigUint, Pkcs1v15Sign, Pss, RsaPublicKey};
use sha2::{Sha256, Sha384, Sha512};

use super::material::{Material, RSA_BITS, RsaParts};
use super::{KeyError, Signed};
use crate::digest::DigestAlgorithm;
use crate::x509::SignatureAlgorithm;

/// A key as the libraries want it.
#[derive(Debug, Clone)]
pub(super) enum Verifier {
    Rsa(RsaPublicKey),
    P256(p256::ecdsa::VerifyingKey),
    P384(p384::ecdsa::VerifyingKey),
    /// The bytes are in the material: nothing of the curve is linked where nothing is verified.
    Ed25519,
}

impl Verifier {
    pub(super) fn new(material: &Material) -> Result<Self, KeyError> {
        const OFF_CURVE: KeyError = KeyError::Malformed("a point on the curve");
        Ok(match material {
            Material::Rsa { der, .. } => {
                let parts = RsaParts::parse(der).map_err(|error| KeyError::Malformed(error.0))?;
                let [modulus, exponent] = [parts.modulus, parts.exponent].map(BigUint::from_bytes_be);
                let key = RsaPublicKey::new_with_max_size(modulus, exponent, *RSA_BITS.end());
                Self::Rsa(key.map_err(|error| KeyError::Unsupported(format!("RSA: {error}")))?)
            }
            Material::P256(point) => {
                Self::P256(p256::ecdsa::VerifyingKey::from_sec1_bytes(point).map_err(|_| OFF_CURVE)?)
            }
            Material::P384(point) => {
                Self::P384(p384::ecdsa::VerifyingKey::from_sec1_bytes(point).map_err(|_| OFF_CURVE)?)
            }
            Material::Ed25519(_) => Self::Ed25519,
        })
    }

    /// The algorithm fits the key; the caller has checked that.
    pub(super) fn verifies(
        &self,
        material: &Material,
        algorithm: SignatureAlgorithm,
        signed: Signed<'_>,
        value: &[u8],
    ) -> bool {
        match (self, signed) {
            (Self::Rsa(key), Signed::Digest(digest)) => rsa(key, algorithm, digest.as_bytes(), value),
            (Self::P256(key), Signed::Digest(digest)) => p256::ecdsa::Signature::from_der(value)
                .and_then(|value| key.verify_prehash(digest.as_bytes(), &value))
                .is_ok(),
            (Self::P384(key), Signed::Digest(digest)) => p384::ecdsa::Signature::from_der(value)
                .and_then(|value| key.verify_prehash(digest.as_bytes(), &value))
                .is_ok(),
            (Self::Ed25519, Signed::Message(message)) => ed25519(material, message, value),
            (Self::Ed25519, Signed::Digest(_))
            | (Self::Rsa(_) | Self::P256(_) | Self::P384(_), Signed::Message(_)) => false,
        }
    }
}

fn rsa(key: &RsaPublicKey, algorithm: SignatureAlgorithm, hash: &[u8], value: &[u8]) -> bool {
    use DigestAlgorithm as D;
    let digest = algorithm.digest_algorithm();
    let verified = match (algorithm.pss_salt_bytes().map(usize::from), digest) {
        (None, D::Sha256) => key.verify(Pkcs1v15Sign::new::<Sha256>(), hash, value),
        (None, D::Sha384) => key.verify(Pkcs1v15Sign::new::<Sha384>(), hash, value),
        (None, D::Sha512) => key.verify(Pkcs1v15Sign::new::<Sha512>(), hash, value),
        (Some(salt), D::Sha256) => key.verify(Pss::new_with_salt::<Sha256>(salt), hash, value),
        (Some(salt), D::Sha384) => key.verify(Pss::new_with_salt::<Sha384>(salt), hash, value),
        (Some(salt), D::Sha512) => key.verify(Pss::new_with_salt::<Sha512>(salt), hash, value),
    };
    verified.is_ok()
}

fn ed25519(material: &Material, message: &[u8], value: &[u8]) -> bool {
    let (Material::Ed25519(key), Ok(value)) = (material, <&[u8; 64]>::try_from(value)) else { return false };
    let Ok(key) = ed25519_dalek::VerifyingKey::from_bytes(key) else { return false };
    ed25519_dalek::Verifier::verify(&key, message, &ed25519_dalek::Signature::from_bytes(value)).is_ok()
}
