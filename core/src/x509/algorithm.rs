//! Signature algorithms and their identifiers.

mod pss;

use serde::{Serialize, Serializer};

use crate::digest::DigestAlgorithm;
use crate::oid;
use crate::tlv::{Malformed, Reader, Tlv, encode, tag};

/// A signature algorithm that is verified here.
///
/// What is not among them (P-521, Ed448, SHA-3) cannot be computed, which is never the same as a
/// signature that fails. ICP-Brasil policies do not allow RSASSA-PSS; it is verified, not written.
///
/// **Shape**: the wire name, see [`SignatureAlgorithm::as_str`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SignatureAlgorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8017 §8.2).
    RsaPkcs1Sha256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    RsaPkcs1Sha384,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    RsaPkcs1Sha512,
    /// ECDSA with SHA-256 on P-256 or P-384 (FIPS 186-5).
    EcdsaSha256,
    /// ECDSA with SHA-384.
    EcdsaSha384,
    /// ECDSA with SHA-512.
    EcdsaSha512,
    /// Ed25519, which signs the message itself (RFC 8032 §5.1, RFC 8410).
    Ed25519,
    /// RSASSA-PSS with SHA-256, also inside MGF1 (RFC 8017 §8.1, RFC 4055 §3.1).
    RsaPssSha256 {
        /// Length of the salt, in bytes.
        salt_bytes: u16,
    },
    /// RSASSA-PSS with SHA-384.
    RsaPssSha384 {
        /// Length of the salt, in bytes.
        salt_bytes: u16,
    },
    /// RSASSA-PSS with SHA-512.
    RsaPssSha512 {
        /// Length of the salt, in bytes.
        salt_bytes: u16,
    },
}

impl SignatureAlgorithm {
    /// Every algorithm; RSASSA-PSS with a salt as long as the digest.
    pub const ALL: [Self; 10] = [
        Self::RsaPkcs1Sha256,
        Self::RsaPkcs1Sha384,
        Self::RsaPkcs1Sha512,
        Self::EcdsaSha256,
        Self::EcdsaSha384,
        Self::EcdsaSha512,
        Self::Ed25519,
        Self::RsaPssSha256 { salt_bytes: 32 },
        Self::RsaPssSha384 { salt_bytes: 48 },
        Self::RsaPssSha512 { salt_bytes: 64 },
    ];

    /// RSASSA-PKCS1-v1_5 with this digest.
    #[must_use]
    pub const fn rsa_pkcs1(digest: DigestAlgorithm) -> Self {
        match digest {
            DigestAlgorithm::Sha256 => Self::RsaPkcs1Sha256,
            DigestAlgorithm::Sha384 => Self::RsaPkcs1Sha384,
            DigestAlgorithm::Sha512 => Self::RsaPkcs1Sha512,
        }
    }

    /// The wire name, such as `rsa_pkcs1_sha256`. The salt of RSASSA-PSS is not part of it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RsaPkcs1Sha256 => "rsa_pkcs1_sha256",
            Self::RsaPkcs1Sha384 => "rsa_pkcs1_sha384",
            Self::RsaPkcs1Sha512 => "rsa_pkcs1_sha512",
            Self::EcdsaSha256 => "ecdsa_sha256",
            Self::EcdsaSha384 => "ecdsa_sha384",
            Self::EcdsaSha512 => "ecdsa_sha512",
            Self::Ed25519 => "ed25519",
            Self::RsaPssSha256 { .. } => "rsa_pss_sha256",
            Self::RsaPssSha384 { .. } => "rsa_pss_sha384",
            Self::RsaPssSha512 { .. } => "rsa_pss_sha512",
        }
    }

    /// The digest that is signed. Ed25519 signs the message; SHA-512 is what goes with it (RFC 8419 §3.1).
    #[must_use]
    pub const fn digest_algorithm(self) -> DigestAlgorithm {
        match self {
            Self::RsaPkcs1Sha256 | Self::EcdsaSha256 | Self::RsaPssSha256 { .. } => DigestAlgorithm::Sha256,
            Self::RsaPkcs1Sha384 | Self::EcdsaSha384 | Self::RsaPssSha384 { .. } => DigestAlgorithm::Sha384,
            Self::RsaPkcs1Sha512 | Self::EcdsaSha512 | Self::RsaPssSha512 { .. } | Self::Ed25519 => {
                DigestAlgorithm::Sha512
            }
        }
    }

    /// Whether the key is an RSA key.
    #[must_use]
    pub const fn is_rsa(self) -> bool {
        !self.is_ecdsa() && !self.signs_message()
    }

    /// Whether the key is one on a curve of NIST.
    #[must_use]
    pub const fn is_ecdsa(self) -> bool {
        matches!(self, Self::EcdsaSha256 | Self::EcdsaSha384 | Self::EcdsaSha512)
    }

    /// Whether the message itself is signed and not its digest: a device that signs hashes cannot do it.
    #[must_use]
    pub const fn signs_message(self) -> bool {
        matches!(self, Self::Ed25519)
    }

    /// Length of the salt of RSASSA-PSS in bytes; `None` for everything else.
    #[must_use]
    pub const fn pss_salt_bytes(self) -> Option<u16> {
        match self {
            Self::RsaPssSha256 { salt_bytes }
            | Self::RsaPssSha384 { salt_bytes }
            | Self::RsaPssSha512 { salt_bytes } => Some(salt_bytes),
            Self::RsaPkcs1Sha256
            | Self::RsaPkcs1Sha384
            | Self::RsaPkcs1Sha512
            | Self::EcdsaSha256
            | Self::EcdsaSha384
            | Self::EcdsaSha512
            | Self::Ed25519 => None,
        }
    }

    /// DER of the AlgorithmIdentifier: NULL parameters for PKCS#1 v1.5 (RFC 5754 §3.2), all of them for
    /// RSASSA-PSS (RFC 4055 §3.1), none for ECDSA and Ed25519.
    pub(crate) fn to_identifier(self) -> Vec<u8> {
        let oid = encode(tag::OID, &[self.oid().as_bytes()]);
        let parameters = match self.pss_salt_bytes() {
            Some(salt_bytes) => pss::encode_parameters(self.digest_algorithm(), salt_bytes),
            None if self.is_rsa() => encode(tag::NULL, &[]),
            None => Vec::new(),
        };
        encode(tag::SEQUENCE, &[&oid, &parameters])
    }

    /// The algorithm of a certificate or of a SignerInfo.
    pub(crate) fn from_identifier(identifier: &AlgorithmIdentifier<'_>) -> Result<Self, UnusableAlgorithm> {
        if identifier.oid == oid::RSA_PSS.as_bytes() {
            return pss::from_parameters(identifier.parameters);
        }
        let known = Self::ALL.into_iter().find(|known| known.oid().as_bytes() == identifier.oid);
        let Some(algorithm) = known else {
            let weak = [oid::SHA1_WITH_RSA, oid::MD5_WITH_RSA, oid::ECDSA_WITH_SHA1];
            return Err(if weak.iter().any(|weak| weak.as_bytes() == identifier.oid) {
                UnusableAlgorithm::Weak(oid::to_text(identifier.oid))
            } else {
                UnusableAlgorithm::Unknown(oid::to_text(identifier.oid))
            });
        };
        // RFC 5754 §3.2 and §3.3: RSA has NULL (absent is tolerated by every verifier), ECDSA has none.
        let parameters_fit = match identifier.parameters {
            None => true,
            Some(parameters) => algorithm.is_rsa() && parameters.raw == [tag::NULL, 0],
        };
        if parameters_fit {
            Ok(algorithm)
        } else {
            Err(UnusableAlgorithm::Unknown(format!("{} with parameters", oid::to_text(identifier.oid))))
        }
    }

    const fn oid(self) -> const_oid::ObjectIdentifier {
        match self {
            Self::RsaPkcs1Sha256 => oid::SHA256_WITH_RSA,
            Self::RsaPkcs1Sha384 => oid::SHA384_WITH_RSA,
            Self::RsaPkcs1Sha512 => oid::SHA512_WITH_RSA,
            Self::EcdsaSha256 => oid::ECDSA_WITH_SHA256,
            Self::EcdsaSha384 => oid::ECDSA_WITH_SHA384,
            Self::EcdsaSha512 => oid::ECDSA_WITH_SHA512,
            Self::Ed25519 => oid::ED25519,
            Self::RsaPssSha256 { .. } | Self::RsaPssSha384 { .. } | Self::RsaPssSha512 { .. } => oid::RSA_PSS,
        }
    }
}

impl Serialize for SignatureAlgorithm {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// Why an algorithm cannot be computed or must not be relied upon. Holds its dotted identifier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum UnusableAlgorithm {
    /// SHA-1 or MD5.
    Weak(String),
    /// Not implemented.
    Unknown(String),
}

/// `AlgorithmIdentifier ::= SEQUENCE { algorithm OID, parameters ANY OPTIONAL }`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AlgorithmIdentifier<'a> {
    /// Contents octets of the identifier.
    pub(crate) oid: &'a [u8],
    /// Parameters as they stand.
    pub(crate) parameters: Option<Tlv<'a>>,
}

impl<'a> AlgorithmIdentifier<'a> {
    /// Reads the contents of the SEQUENCE.
    pub(crate) fn parse(sequence: Tlv<'a>) -> Result<Self, Malformed> {
        let mut reader = sequence.reader();
        let oid = reader.expect(tag::OID, "the identifier of an algorithm")?.value;
        let parameters = if reader.is_empty() { None } else { Some(reader.element()?) };
        reader.end()?;
        Ok(Self { oid, parameters })
    }

    /// Reads the next element of `reader`.
    pub(crate) fn read(reader: &mut Reader<'a>) -> Result<Self, Malformed> {
        Self::parse(reader.expect(tag::SEQUENCE, "an AlgorithmIdentifier")?)
    }
}
