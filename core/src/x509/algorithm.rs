//! Signature algorithms and their identifiers.

use serde::{Deserialize, Serialize};

use crate::digest::DigestAlgorithm;
use crate::oid;
use crate::tlv::{Malformed, Reader, Tlv, encode, tag};

/// A signature algorithm that is verified here. The first and the fourth are also written.
///
/// RSASSA-PSS, EdDSA and P-521 are not among them: ICP-Brasil policies do not allow the first, and a
/// signature with any of them gets the verdict *indeterminate*, never *failed*.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
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
}

impl SignatureAlgorithm {
    /// Every algorithm.
    pub const ALL: [Self; 6] = [
        Self::RsaPkcs1Sha256,
        Self::RsaPkcs1Sha384,
        Self::RsaPkcs1Sha512,
        Self::EcdsaSha256,
        Self::EcdsaSha384,
        Self::EcdsaSha512,
    ];

    /// The wire name, such as `rsa_pkcs1_sha256`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RsaPkcs1Sha256 => "rsa_pkcs1_sha256",
            Self::RsaPkcs1Sha384 => "rsa_pkcs1_sha384",
            Self::RsaPkcs1Sha512 => "rsa_pkcs1_sha512",
            Self::EcdsaSha256 => "ecdsa_sha256",
            Self::EcdsaSha384 => "ecdsa_sha384",
            Self::EcdsaSha512 => "ecdsa_sha512",
        }
    }

    /// The digest that is signed.
    #[must_use]
    pub const fn digest_algorithm(self) -> DigestAlgorithm {
        match self {
            Self::RsaPkcs1Sha256 | Self::EcdsaSha256 => DigestAlgorithm::Sha256,
            Self::RsaPkcs1Sha384 | Self::EcdsaSha384 => DigestAlgorithm::Sha384,
            Self::RsaPkcs1Sha512 | Self::EcdsaSha512 => DigestAlgorithm::Sha512,
        }
    }

    /// Whether the key is an RSA key; an elliptic-curve key otherwise.
    #[must_use]
    pub const fn is_rsa(self) -> bool {
        matches!(self, Self::RsaPkcs1Sha256 | Self::RsaPkcs1Sha384 | Self::RsaPkcs1Sha512)
    }

    /// DER of the AlgorithmIdentifier: NULL parameters for RSA, none for ECDSA (RFC 5754 §3).
    pub(crate) fn to_identifier(self) -> Vec<u8> {
        let oid = encode(tag::OID, &[self.oid().as_bytes()]);
        let parameters = if self.is_rsa() { encode(tag::NULL, &[]) } else { Vec::new() };
        encode(tag::SEQUENCE, &[&oid, &parameters])
    }

    /// The algorithm of a certificate or of a SignerInfo.
    pub(crate) fn from_identifier(identifier: &AlgorithmIdentifier<'_>) -> Result<Self, UnusableAlgorithm> {
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
        }
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
