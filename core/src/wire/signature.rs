//! Signatures: what is asked for and what is answered.

use serde::{Deserialize, Serialize};

use super::{
    CertificateView, Custody, PdfOptions, SignatureFormat, SignatureLevel, SignaturePolicy, SignatureState,
    ToSign,
};
use crate::{ErrorCode, Timestamp};

/// `POST /v1/signatures`, all of it.
///
/// [`CreateSignature`] is the part that the browser's SDK sends; both are read the same way.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct SignatureRequest {
    /// The document to sign.
    pub document_id: String,
    /// Whose key store signs.
    pub custody: Custody,
    /// Kind of artefact.
    pub format: SignatureFormat,
    /// Baseline level; when absent the lowest that the policy allows.
    #[serde(default)]
    pub level: Option<SignatureLevel>,
    /// Signature policy; `none` when absent.
    #[serde(default = "super::kind::policy_none")]
    pub policy: SignaturePolicy,
    /// Signer's certificate, DER in standard base64. Required for `local`, refused for `hsm`.
    #[serde(default)]
    pub certificate: Option<String>,
    /// The permission to use the key. Required for `lacuna`, refused otherwise.
    #[serde(default)]
    pub authorization_id: Option<String>,
    /// How the signature stands in the PDF; refused for `cades`.
    #[serde(default)]
    pub pdf: Option<PdfOptions>,
}

/// What the browser's SDK sends to `POST /v1/signatures`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct CreateSignature {
    /// The document to sign.
    pub document_id: String,
    /// Whose key store signs.
    pub custody: Custody,
    /// Kind of artefact.
    pub format: SignatureFormat,
    /// Baseline level; when absent the lowest that the policy allows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<SignatureLevel>,
    /// Signature policy; `none` when absent.
    #[serde(default = "super::kind::policy_none")]
    pub policy: SignaturePolicy,
    /// Signer's certificate, DER in standard base64. Required for `local`, refused for `hsm`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<String>,
    /// The permission to use the key. Required for `lacuna`, refused otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorization_id: Option<String>,
}

/// One signer's act on one document.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Signature {
    /// `sig_…`
    pub id: String,
    /// The document; absent when the caller kept it and gave only its digest.
    pub document_id: Option<String>,
    /// The order it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order_id: Option<String>,
    /// Who signs, in an order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub participant_id: Option<String>,
    /// The batch it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch_id: Option<String>,
    /// Whose key store signs.
    pub custody: Custody,
    /// Kind of artefact.
    pub format: SignatureFormat,
    /// Baseline level.
    pub level: SignatureLevel,
    /// Signature policy.
    pub policy: SignaturePolicy,
    /// Where it stands.
    pub state: SignatureState,
    /// Certificate of the signer.
    pub certificate: CertificateView,
    /// Time of creation.
    pub created_at: Timestamp,
    /// Until when a `prepared` signature may be completed.
    pub expires_at: Timestamp,
    /// What has to be signed, while it is the person's turn.
    pub to_sign: Option<ToSign>,
    /// The result, once released.
    pub artefact: Option<Artefact>,
    /// Why it failed or expired.
    pub problem: Option<SignatureProblem>,
}

/// `POST /v1/signatures/{id}/complete`. The same body again gives the same answer; another body is a conflict.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct CompleteSignature {
    /// Raw signature value as the device gave it, standard base64.
    pub signature_value: String,
}

/// The released bytes; fetch them at `GET /v1/signatures/{id}/content`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Artefact {
    /// Proposed file name.
    pub name: String,
    /// `application/pdf` or `application/pkcs7-signature`.
    pub media_type: String,
    /// Length in bytes.
    pub size_bytes: u64,
    /// SHA-256 of the bytes, lower-case hexadecimal.
    pub sha256: String,
    /// Time of release.
    pub released_at: Timestamp,
}

/// Why a signature ended without artefact.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SignatureProblem {
    /// Stable code.
    pub code: ErrorCode,
    /// What happened, for a developer; no personal data.
    pub detail: String,
}
