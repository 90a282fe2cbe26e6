//! Verification by aws-lc-rs: several times faster than pure Rust.

use std::sync::{Arc, OnceLock};

use aws_lc_rs::digest;
use aws_lc_rs::signature::{self, ParsedPublicKey, VerificationAlgorithm};

use super::material::Material;
use super::{KeyError, Signed, portable};
use crate::digest::DigestAlgorithm as D;
use crate::x509::SignatureAlgorithm;

/// A key parsed once for each algorithm it was used with.
#[derive(Debug, Clone)]
pub(super) struct Verifier(Arc<[OnceLock<Option<ParsedPublicKey>>; 6]>);

impl Verifier {
    pub(super) fn new(material: &Material) -> Result<Self, KeyError> {
        let (algorithm, refused): (&'static dyn VerificationAlgorithm, _) = match material {
            Material::Rsa { .. } => {
                (&signature::RSA_PKCS1_2048_8192_SHA256, KeyError::Unsupported("RSA: modulus".to_owned()))
            }
            Material::P256(_) => {
                (&signature::ECDSA_P256_SHA256_ASN1, KeyError::Malformed("a point on the curve"))
            }
            Material::P384(_) => {
                (&signature::ECDSA_P384_SHA256_ASN1, KeyError::Malformed("a point on the curve"))
            }
            Material::Ed25519(_) => (&signature::ED25519, KeyError::Malformed("a point on the curve")),
        };
        let parsed = ParsedPublicKey::new(algorithm, bytes(material)).map_err(|_| refused)?;
        let slots = <[OnceLock<_>; 6]>::default();
        slots[0].get_or_init(|| Some(parsed));
        Ok(Self(Arc::new(slots)))
    }

    /// The algorithm fits the key; the caller has checked that.
    pub(super) fn verifies(
        &self,
        material: &Material,
        algorithm: SignatureAlgorithm,
        signed: Signed<'_>,
        value: &[u8],
    ) -> bool {
        let Some((slot, native)) = native(material, algorithm) else {
            return portable::Verifier::new(material)
                .is_ok_and(|verifier| verifier.verifies(material, algorithm, signed, value));
        };
        let key = self.0[slot].get_or_init(|| ParsedPublicKey::new(native, bytes(material)).ok());
        let Some(key) = key else { return false };
        let verified = match signed {
            Signed::Message(message) => key.verify_sig(message, value),
            Signed::Digest(digest) => {
                digest::Digest::import_less_safe(digest.as_bytes(), digest_algorithm(digest.algorithm()))
                    .and_then(|digest| key.verify_digest_sig(&digest, value))
            }
        };
        verified.is_ok()
    }
}

fn bytes(material: &Material) -> &[u8] {
    match material {
        Material::Rsa { der, .. } => der,
        Material::P256(point) => point,
        Material::P384(point) => point,
        Material::Ed25519(key) => key,
    }
}

/// The library's algorithm and the slot for its key. It must be `'static` there, so RSASSA-PSS
/// has it for the usual salt only, which is as long as the digest.
fn native(
    material: &Material,
    algorithm: SignatureAlgorithm,
) -> Option<(usize, &'static dyn VerificationAlgorithm)> {
    let digest = algorithm.digest_algorithm();
    let slot = match digest {
        D::Sha256 => 0,
        D::Sha384 => 1,
        D::Sha512 => 2,
    };
    Some(match (material, algorithm.pss_salt_bytes().map(usize::from)) {
        (Material::Rsa { .. }, None) => match digest {
            D::Sha256 => (slot, &signature::RSA_PKCS1_2048_8192_SHA256),
            D::Sha384 => (slot, &signature::RSA_PKCS1_2048_8192_SHA384),
            D::Sha512 => (slot, &signature::RSA_PKCS1_2048_8192_SHA512),
        },
        (Material::Rsa { .. }, Some(salt)) if salt == digest.size_bytes() => match digest {
            D::Sha256 => (3 + slot, &signature::RSA_PSS_2048_8192_SHA256),
            D::Sha384 => (3 + slot, &signature::RSA_PSS_2048_8192_SHA384),
            D::Sha512 => (3 + slot, &signature::RSA_PSS_2048_8192_SHA512),
        },
        (Material::P256(_), _) => match digest {
            D::Sha256 => (slot, &signature::ECDSA_P256_SHA256_ASN1),
            D::Sha384 => (slot, &signature::ECDSA_P256_SHA384_ASN1),
            D::Sha512 => (slot, &signature::ECDSA_P256_SHA512_ASN1),
        },
        (Material::P384(_), _) => match digest {
            D::Sha256 => (slot, &signature::ECDSA_P384_SHA256_ASN1),
            D::Sha384 => (slot, &signature::ECDSA_P384_SHA384_ASN1),
            D::Sha512 => (slot, &signature::ECDSA_P384_SHA512_ASN1),
        },
        (Material::Ed25519(_), _) => (0, &signature::ED25519),
        (Material::Rsa { .. }, Some(_)) => return None,
    })
}

fn digest_algorithm(algorithm: D) -> &'static digest::Algorithm {
    match algorithm {
        D::Sha256 => &digest::SHA256,
        D::Sha384 => &digest::SHA384,
        D::Sha512 => &digest::SHA512,
    }
}
