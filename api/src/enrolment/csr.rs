//! Requests for certificates (PKCS#10, RFC 2986).

use base64ct::{Base64, Encoding};
use const_oid::db::rfc4519::{CN, COUNTRY_NAME};
use const_oid::db::rfc5912::{
    ECDSA_WITH_SHA_256, ID_EC_PUBLIC_KEY, RSA_ENCRYPTION, SHA_256_WITH_RSA_ENCRYPTION,
};
use der::asn1::{BitString, PrintableStringRef, SetOfVec, Utf8StringRef};
use der::{Any, AnyRef, Decode, Encode};
use spki::{AlgorithmIdentifierOwned, SubjectPublicKeyInfoOwned};
use x509_cert::attr::AttributeTypeAndValue;
use x509_cert::name::{RdnSequence, RelativeDistinguishedName};
use x509_cert::request::{CertReq, CertReqInfo, Version};

/// Longest common name (RFC 5280, ub-common-name), in characters.
const LONGEST_NAME: usize = 64;

/// A request that lacks its signature.
#[derive(Debug)]
pub(super) struct Request {
    info: CertReqInfo,
    to_be_signed: Vec<u8>,
    algorithm: AlgorithmIdentifierOwned,
}

impl Request {
    /// A request for this key. The subject is country and name: the authority, which identifies the person, adds the rest.
    /// `None` for keys that cannot sign with SHA-256.
    pub(super) fn new(name: &str, spki: &[u8]) -> Option<Self> {
        let public_key = SubjectPublicKeyInfoOwned::from_der(spki).ok()?;
        let algorithm = if public_key.algorithm.oid == RSA_ENCRYPTION {
            AlgorithmIdentifierOwned {
                oid: SHA_256_WITH_RSA_ENCRYPTION,
                parameters: Some(AnyRef::NULL.into()),
            }
        } else if public_key.algorithm.oid == ID_EC_PUBLIC_KEY {
            AlgorithmIdentifierOwned { oid: ECDSA_WITH_SHA_256, parameters: None }
        } else {
            return None;
        };
        let name: String = name.chars().take(LONGEST_NAME).collect();
        let country = Any::from(PrintableStringRef::new("BR").ok()?);
        let common_name = Any::from(Utf8StringRef::new(&name).ok()?);
        let parts = [(COUNTRY_NAME, country), (CN, common_name)].map(|(oid, value)| {
            SetOfVec::try_from(vec![AttributeTypeAndValue { oid, value }]).map(RelativeDistinguishedName)
        });
        let subject = RdnSequence(parts.into_iter().collect::<Result<_, _>>().ok()?);
        let info = CertReqInfo { version: Version::V1, subject, public_key, attributes: SetOfVec::new() };
        let to_be_signed = info.to_der().ok()?;
        Some(Self { info, to_be_signed, algorithm })
    }

    pub(super) fn to_be_signed(&self) -> &[u8] {
        &self.to_be_signed
    }

    /// The whole request in DER.
    pub(super) fn signed(self, value: &[u8]) -> Vec<u8> {
        let signature = BitString::from_bytes(value).expect("a signature value is short");
        CertReq { info: self.info, algorithm: self.algorithm, signature }
            .to_der()
            .expect("what was encoded in part can be encoded whole")
    }
}

/// A request as authorities take it (RFC 7468 §7).
pub(crate) fn to_pem(csr: &[u8]) -> String {
    let base64 = Base64::encode_string(csr);
    let lines: Vec<&str> = base64
        .as_bytes()
        .chunks(64)
        .map(|line| std::str::from_utf8(line).expect("base64 is ASCII"))
        .collect();
    format!("-----BEGIN CERTIFICATE REQUEST-----\n{}\n-----END CERTIFICATE REQUEST-----\n", lines.join("\n"))
}
