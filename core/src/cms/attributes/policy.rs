//! signature-policy-identifier as read (RFC 5126 §5.8.1).

use crate::digest::{Digest, DigestAlgorithm};
use crate::oid;
use crate::tlv::{Malformed, Reader, single, tag};
use crate::x509::AlgorithmIdentifier;

/// The policy that a signature declares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyReference {
    /// Dotted identifier of the policy.
    pub oid: String,
    /// Hash of the policy; `None` when its algorithm is not accepted (SHA-1 in policies before 2012) or the
    /// length is another one.
    pub hash: Option<Digest>,
    /// Where the policy is said to be published. Untrusted text.
    pub uri: Option<String>,
}

impl PolicyReference {
    /// `SignaturePolicyId ::= SEQUENCE { sigPolicyId OID, sigPolicyHash SEQUENCE { hashAlgorithm,
    /// hashValue OCTET STRING }, sigPolicyQualifiers SEQUENCE OF SEQUENCE { id OID, qualifier ANY } OPTIONAL }`
    pub(super) fn parse(value: &[u8]) -> Result<Self, Malformed> {
        let mut reader = single(value, tag::SEQUENCE, "a SignaturePolicyId")?.reader();
        let identifier = reader.expect(tag::OID, "the identifier of a policy")?.value;
        let mut hash = reader.expect(tag::SEQUENCE, "the hash of a policy")?.reader();
        let qualifiers = reader.optional(tag::SEQUENCE)?;
        reader.end()?;

        let algorithm = DigestAlgorithm::from_oid(AlgorithmIdentifier::read(&mut hash)?.oid);
        let bytes = hash.expect(tag::OCTET_STRING, "the hash of a policy")?.value;
        hash.end()?;
        let uri = match qualifiers {
            Some(qualifiers) => uri_of(qualifiers.reader())?,
            None => None,
        };
        Ok(Self {
            oid: oid::to_text(identifier),
            hash: algorithm.and_then(|algorithm| Digest::from_bytes(algorithm, bytes).ok()),
            uri,
        })
    }
}

fn uri_of(mut qualifiers: Reader<'_>) -> Result<Option<String>, Malformed> {
    let mut uri = None;
    while !qualifiers.is_empty() {
        let mut qualifier = qualifiers.expect(tag::SEQUENCE, "a qualifier of a policy")?.reader();
        let kind = qualifier.expect(tag::OID, "the kind of a qualifier")?.value;
        let value = qualifier.element()?;
        qualifier.end()?;
        if kind == oid::SIGNATURE_POLICY_URI.as_bytes() && value.tag == tag::IA5_STRING {
            uri = Some(String::from_utf8_lossy(value.value).into_owned());
        }
    }
    Ok(uri)
}
