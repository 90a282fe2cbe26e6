//! What is sent to an authority (RFC 3161 §2.4.1).

use core::fmt;
use core::str::FromStr;

use const_oid::ObjectIdentifier;

use crate::digest::Digest;
use crate::tlv::{encode, tag};

/// Identifier of an authority's policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PolicyId(pub(super) ObjectIdentifier);

/// The text is not a dotted identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a dotted object identifier")]
#[non_exhaustive]
pub struct InvalidPolicyId;

impl FromStr for PolicyId {
    type Err = InvalidPolicyId;

    fn from_str(text: &str) -> Result<Self, InvalidPolicyId> {
        ObjectIdentifier::new(text).map(Self).map_err(|_| InvalidPolicyId)
    }
}

impl fmt::Display for PolicyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// A request for a time stamp on a digest. The authority's certificate is always asked for.
///
/// **Source**: RFC 3161 §2.4.1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    imprint: Digest,
    /// Magnitude without leading zeros.
    nonce: Option<Vec<u8>>,
    policy: Option<PolicyId>,
}

impl Request {
    /// Asks for a time stamp on `imprint`. `nonce` is a number as big-endian bytes, drawn at random by the
    /// caller (8 bytes are usual); it proves that the answer is fresh. `policy` is wanted from the authority.
    #[must_use]
    pub fn new(imprint: Digest, nonce: Option<Vec<u8>>, policy: Option<PolicyId>) -> Self {
        let nonce = nonce.map(|nonce| magnitude(&nonce).to_vec());
        Self { imprint, nonce, policy }
    }

    /// What will be stamped.
    #[must_use]
    pub const fn imprint(&self) -> &Digest {
        &self.imprint
    }

    pub(super) fn nonce(&self) -> Option<&[u8]> {
        self.nonce.as_deref()
    }

    pub(super) const fn policy(&self) -> Option<PolicyId> {
        self.policy
    }

    /// The body to send as `application/timestamp-query`.
    ///
    /// **Shape**: `TimeStampReq ::= SEQUENCE { version 1, messageImprint, reqPolicy OID OPTIONAL, nonce
    /// INTEGER OPTIONAL, certReq TRUE }` in DER.
    #[must_use]
    pub fn to_der(&self) -> Vec<u8> {
        let policy = self.policy.map_or_else(Vec::new, |policy| encode(tag::OID, &[policy.0.as_bytes()]));
        let nonce = self.nonce.as_ref().map_or_else(Vec::new, |nonce| {
            // A leading zero where the first bit would make the number negative, or where there is nothing.
            let sign: &[u8] = if nonce.first().is_none_or(|first| first & 0x80 != 0) { &[0] } else { &[] };
            encode(tag::INTEGER, &[sign, nonce])
        });
        encode(
            tag::SEQUENCE,
            &[
                &[tag::INTEGER, 1, 1],
                &message_imprint(&self.imprint),
                &policy,
                &nonce,
                &[tag::BOOLEAN, 1, 0xff],
            ],
        )
    }
}

/// `MessageImprint ::= SEQUENCE { hashAlgorithm, hashedMessage OCTET STRING }`. With NULL parameters, which
/// is what authorities are used to.
fn message_imprint(digest: &Digest) -> Vec<u8> {
    let algorithm = encode(tag::OID, &[digest.algorithm().oid().as_bytes()]);
    let algorithm = encode(tag::SEQUENCE, &[&algorithm, &[tag::NULL, 0]]);
    encode(tag::SEQUENCE, &[&algorithm, &encode(tag::OCTET_STRING, &[digest.as_bytes()])])
}

fn magnitude(number: &[u8]) -> &[u8] {
    let start = number.iter().position(|byte| *byte != 0).unwrap_or(number.len());
    &number[start..]
}
