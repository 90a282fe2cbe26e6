//! What a SubjectPublicKeyInfo holds, and which keys are good enough.

use std::sync::Arc;

use super::KeyError;
use crate::oid;
use crate::tlv::{Malformed, single, tag};
use crate::x509::{AlgorithmIdentifier, SignatureAlgorithm, UnusableAlgorithm};

/// Bits of the RSA moduli accepted: below is weak, above only costs time.
pub(super) const RSA_BITS: core::ops::RangeInclusive<usize> = 2048..=8192;
/// FIPS 186-5 §5.1 asks for more than 2¹⁶; small exponents made forged signatures possible. No writer uses
/// more than 33 bits, and the libraries take no more.
const RSA_EXPONENTS: core::ops::RangeInclusive<u64> = 65_537..=(1 << 33) - 1;

/// A key whose kind, size and parameters are acceptable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Material {
    Rsa {
        /// DER of RSAPublicKey.
        der: Arc<[u8]>,
        bits: usize,
        /// The only algorithm of a key marked id-RSASSA-PSS, with the shortest salt it allows.
        pss: Option<SignatureAlgorithm>,
    },
    /// Uncompressed point.
    P256([u8; 65]),
    /// Uncompressed point.
    P384([u8; 97]),
    Ed25519([u8; 32]),
}

/// Parts of an RSAPublicKey, big-endian without leading zeros.
pub(super) struct RsaParts<'a> {
    pub(super) modulus: &'a [u8],
    pub(super) exponent: &'a [u8],
}

impl<'a> RsaParts<'a> {
    /// `RSAPublicKey ::= SEQUENCE { modulus INTEGER, publicExponent INTEGER }` (RFC 8017 §A.1.1)
    pub(super) fn parse(der: &'a [u8]) -> Result<Self, Malformed> {
        let mut reader = single(der, tag::SEQUENCE, "an RSAPublicKey")?.reader();
        let modulus = reader.expect(tag::INTEGER, "the modulus")?.unsigned()?;
        let exponent = reader.expect(tag::INTEGER, "the public exponent")?.unsigned()?;
        reader.end()?;
        Ok(Self { modulus, exponent })
    }
}

impl Material {
    pub(super) fn from_spki_der(spki: &[u8]) -> Result<Self, KeyError> {
        let (algorithm, key) = split(spki).map_err(|error| KeyError::Malformed(error.0))?;
        let is = |known: const_oid::ObjectIdentifier| known.as_bytes() == algorithm.oid;
        if is(oid::RSA_ENCRYPTION) {
            rsa(key, None)
        } else if is(oid::RSA_PSS) {
            rsa(key, Some(pss_restriction(&algorithm)?))
        } else if is(oid::EC_PUBLIC_KEY) {
            elliptic(&algorithm, key)
        } else if is(oid::ED25519) {
            ed25519(&algorithm, key)
        } else {
            Err(KeyError::Unsupported(format!("algorithm {}", oid::to_text(algorithm.oid))))
        }
    }

    /// Whether a key of this kind may have made a signature of this algorithm.
    pub(super) fn fits(&self, algorithm: SignatureAlgorithm) -> bool {
        match self {
            Self::Rsa { pss: None, .. } => algorithm.is_rsa(),
            Self::Rsa { pss: Some(only), .. } => match (only.pss_salt_bytes(), algorithm.pss_salt_bytes()) {
                (Some(least), Some(salt)) => {
                    salt >= least && only.digest_algorithm() == algorithm.digest_algorithm()
                }
                (_, None) | (None, _) => false,
            },
            Self::P256(_) | Self::P384(_) => algorithm.is_ecdsa(),
            Self::Ed25519(_) => algorithm == SignatureAlgorithm::Ed25519,
        }
    }
}

/// `SubjectPublicKeyInfo ::= SEQUENCE { algorithm AlgorithmIdentifier, subjectPublicKey BIT STRING }`
fn split(spki: &[u8]) -> Result<(AlgorithmIdentifier<'_>, &[u8]), Malformed> {
    let mut reader = single(spki, tag::SEQUENCE, "a SubjectPublicKeyInfo")?.reader();
    let algorithm = AlgorithmIdentifier::read(&mut reader)?;
    let key = reader.expect(tag::BIT_STRING, "the bits of the public key")?.bit_string_bytes()?;
    reader.end()?;
    Ok((algorithm, key))
}

fn rsa(der: &[u8], pss: Option<SignatureAlgorithm>) -> Result<Material, KeyError> {
    let parts = RsaParts::parse(der).map_err(|error| KeyError::Malformed(error.0))?;
    let leading = parts.modulus.first().map_or(0, |first| first.leading_zeros() as usize);
    let bits = parts.modulus.len() * 8 - leading;
    if !RSA_BITS.contains(&bits) {
        return Err(KeyError::Unsupported(format!("RSA with {bits} bits")));
    }
    let exponent = match parts.exponent {
        bytes if bytes.len() > 8 => u64::MAX,
        bytes => bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)),
    };
    if !RSA_EXPONENTS.contains(&exponent) || exponent.is_multiple_of(2) {
        return Err(KeyError::Unsupported(format!("RSA with public exponent {exponent}")));
    }
    if parts.modulus.last().is_some_and(|last| last % 2 == 0) {
        return Err(KeyError::Unsupported("RSA with an even modulus".to_owned()));
    }
    Ok(Material::Rsa { der: der.into(), bits, pss })
}

/// RFC 4055 §3.1: without parameters any digest and salt may be used; the choice is then SHA-256, since
/// nothing in the field leaves them out and also means another digest.
fn pss_restriction(algorithm: &AlgorithmIdentifier<'_>) -> Result<SignatureAlgorithm, KeyError> {
    if algorithm.parameters.is_none() {
        return Ok(SignatureAlgorithm::RsaPssSha256 { salt_bytes: 0 });
    }
    SignatureAlgorithm::from_identifier(algorithm).map_err(|unusable| match unusable {
        UnusableAlgorithm::Weak(what) | UnusableAlgorithm::Unknown(what) => {
            KeyError::Unsupported(format!("RSASSA-PSS key for {what}"))
        }
    })
}

fn elliptic(algorithm: &AlgorithmIdentifier<'_>, key: &[u8]) -> Result<Material, KeyError> {
    let curve = algorithm.parameters.filter(|parameters| parameters.tag == tag::OID);
    let curve = curve.ok_or_else(|| KeyError::Unsupported("a curve without a name".to_owned()))?.value;
    // Compressed points and the point at infinity do not occur in certificates (RFC 5480 §2.2).
    const WHAT: KeyError = KeyError::Malformed("an uncompressed point");
    if key.first() != Some(&4) {
        return Err(WHAT);
    }
    if curve == oid::P256.as_bytes() {
        key.try_into().map(Material::P256).map_err(|_| WHAT)
    } else if curve == oid::P384.as_bytes() {
        key.try_into().map(Material::P384).map_err(|_| WHAT)
    } else {
        Err(KeyError::Unsupported(format!("curve {}", oid::to_text(curve))))
    }
}

/// RFC 8410 §3 and §4: no parameters, 32 bytes.
fn ed25519(algorithm: &AlgorithmIdentifier<'_>, key: &[u8]) -> Result<Material, KeyError> {
    if algorithm.parameters.is_some() {
        return Err(KeyError::Malformed("Ed25519 without parameters"));
    }
    let key: [u8; 32] = key.try_into().map_err(|_| KeyError::Malformed("an Ed25519 key of 32 bytes"))?;
    if is_small_order_or_not_reduced(&key) {
        return Err(KeyError::Unsupported("Ed25519 with a weak point".to_owned()));
    }
    Ok(Material::Ed25519(key))
}

/// y coordinates, little-endian, of the points whose order divides eight: such a key accepts values that
/// belong to no message in particular.
pub(super) const SMALL_ORDER_Y: [[u8; 32]; 5] = {
    let mut zero_one_minus_one = [[0; 32], [0; 32], [0xff; 32]];
    zero_one_minus_one[1][0] = 1;
    zero_one_minus_one[2][0] = 0xec;
    zero_one_minus_one[2][31] = 0x7f;
    let [zero, one, minus_one] = zero_one_minus_one;
    [
        zero,
        one,
        minus_one,
        [
            0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0,
            0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05,
        ],
        [
            0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f,
            0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a,
        ],
    ]
};

fn is_small_order_or_not_reduced(key: &[u8; 32]) -> bool {
    let mut y = *key;
    y[31] &= 0x7f;
    // p = 2²⁵⁵ − 19, so what is not reduced ends in ff…ff 7f and starts with ed or more.
    let reduced = y[31] != 0x7f || y[1..31].iter().any(|byte| *byte != 0xff) || y[0] < 0xed;
    !reduced || SMALL_ORDER_Y.contains(&y)
}
