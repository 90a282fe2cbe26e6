//! What a key has to sign, with everything needed to check it before.

use serde::{Deserialize, Serialize};

/// What the key has to sign, with everything the SDK needs to check it before.
///
/// The SDK recomputes each digest from the bytes and refuses on any difference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ToSign {
    /// DER of the signed attributes as `SET OF` (RFC 5652 §5.4), standard base64.
    pub signed_attributes: String,
    /// Digest algorithm of attributes and content: `sha256`.
    pub digest_algorithm: String,
    /// Digest of `signed_attributes`, standard base64: what the device signs.
    pub digest: String,
    /// `rsa_pkcs1_sha256` or `ecdsa_sha256`.
    pub signature_algorithm: String,
    /// For PAdES, the revision that is appended to the document.
    pub revision: Option<RevisionToSign>,
}

/// The bytes appended to the document, so that the SDK can compute the digest over the ByteRange itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RevisionToSign {
    /// Appended bytes, standard base64. The `Contents` string in them is all zeros.
    pub appended: String,
    /// ByteRange over document and appended bytes (ISO 32000-2 §12.8.1).
    pub byte_range: [u64; 4],
}
