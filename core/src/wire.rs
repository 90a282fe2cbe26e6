//! Bodies of the HTTP contract. Snake case on the wire, the same words as in SQL, logs and events.
//!
//! Requests refuse unknown members; answers are read tolerantly, so that a new member breaks no old SDK.

use serde::{Deserialize, Serialize};

use crate::validation::Report;
use crate::{ErrorCode, Timestamp};

/// Where the private key lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Custody {
    /// The person's own device, reached through Web PKI.
    Local,
    /// Our hardware security module.
    Hsm,
}

/// The kind of artefact that a signature releases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignatureFormat {
    /// A PDF with the signature inside (ETSI EN 319 142-1).
    Pades,
    /// A detached CMS beside the document (ETSI EN 319 122-1).
    Cades,
}

/// Baseline level (ETSI EN 319 122-1 and 319 142-1), each above the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignatureLevel {
    /// Basic: no proof of time.
    B,
    /// With a time stamp on the signature.
    T,
    /// Also with what validates it later: certificates, CRLs, OCSP responses.
    Lt,
    /// Also with a time stamp over all of it, to be renewed.
    Lta,
}

/// Signature policy of ICP-Brasil named in the signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignaturePolicy {
    /// No policy is named.
    None,
    /// AD-RB: basic reference; level `b` or higher.
    AdRb,
    /// AD-RT: reference of time; level `t` or higher.
    AdRt,
    /// AD-RV: references for validation; CAdES only, level `lt`.
    AdRv,
    /// AD-RC: complete references; level `lt`.
    AdRc,
    /// AD-RA: references for archiving; level `lta`.
    AdRa,
}

/// State of a signature. It moves only along these edges:
///
/// `accepted → prepared → signing → released`, for `hsm`;
/// `prepared → released`, for `local` at level `b`, `prepared → signing → released` above it; every state but `released` may end in `failed`, `prepared` also in `expired`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignatureState {
    /// Taken, nothing built yet.
    Accepted,
    /// The data to be signed are built and pinned; for `local` it is the person's turn.
    Prepared,
    /// The intent is committed: the key may have been used. Above level `b` the signature stays here while time stamps and
    /// revocation data are collected; an authority that does not answer is asked again, without another use of the key.
    Signing,
    /// The artefact was verified and can be fetched.
    Released,
    /// Ended without artefact.
    Failed,
    /// Nobody completed it in time.
    Expired,
}

impl SignatureState {
    /// Every state.
    pub const ALL: [Self; 6] =
        [Self::Accepted, Self::Prepared, Self::Signing, Self::Released, Self::Failed, Self::Expired];

    /// The wire and SQL string.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Prepared => "prepared",
            Self::Signing => "signing",
            Self::Released => "released",
            Self::Failed => "failed",
            Self::Expired => "expired",
        }
    }

    /// Whether nothing can happen to the signature any more.
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Released | Self::Failed | Self::Expired)
    }
}

/// `POST /v1/sessions`: the tenant's backend opens a short-lived session for one signer.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CreateSession {
    /// Who will sign.
    pub signer: SessionSigner,
    /// Origins of the pages that may use the token, such as `https://bank.example`.
    pub origins: Vec<String>,
    /// Life of the token in seconds: 60 to 3600, 900 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_in_seconds: Option<u32>,
}

/// The person or company of a session.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SessionSigner {
    /// CPF (11 digits) or CNPJ (14 characters), without punctuation. Never logged, never sent back.
    pub identifier: String,
    /// Name as the bank knows it.
    pub name: String,
}

/// Answer to `POST /v1/sessions`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Session {
    /// `ses_…`
    pub id: String,
    /// Bearer token of the browser. Shown once.
    pub token: String,
    /// End of the session.
    pub expires_at: Timestamp,
    /// The signer, masked.
    pub signer: SignerView,
}

/// A person or company as it may be shown on a screen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignerView {
    /// Name.
    pub name: String,
    /// CPF as `***.982.247-**`, CNPJ as `**.222.333/****-**`; absent when the certificate names none.
    pub identifier_masked: Option<String>,
}

/// What is shown of a certificate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CertificateView {
    /// Holder: the common name without a CPF or CNPJ behind the last colon.
    pub holder: SignerView,
    /// Common name of the issuer.
    pub issuer: String,
    /// Serial number, lower-case hexadecimal.
    pub serial: String,
    /// SHA-256 of the DER, lower-case hexadecimal.
    pub sha256: String,
    /// ICP-Brasil type by policy OID (`A1`, `A3`, `SE-S`, …), absent outside ICP-Brasil.
    pub icp_type: Option<String>,
    /// `person`, `company` or `seal`; absent outside ICP-Brasil.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holder_kind: Option<String>,
    /// Dotted identifier of the ICP-Brasil certificate policy, or of the first policy; absent when none is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// Kind and size of the key (`RSA-2048`, `P-256`, `Ed25519`); absent when it is not supported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Start of validity.
    pub not_before: Timestamp,
    /// End of validity.
    pub not_after: Timestamp,
}

/// A document: immutable bytes.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Document {
    /// `doc_…`
    pub id: String,
    /// File name given at upload.
    pub name: String,
    /// `application/pdf` or `application/octet-stream`.
    pub media_type: String,
    /// Length in bytes.
    pub size_bytes: u64,
    /// SHA-256 of the bytes, lower-case hexadecimal.
    pub sha256: String,
    /// Time of upload.
    pub created_at: Timestamp,
}

/// `GET /v1/custody`: where this signer's key is (design: the sequential check).
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CustodyAnswer {
    /// The custody to use, absent when the person has to be asked.
    pub custody: Option<Custody>,
    /// The key found, when the custody is `hsm`.
    pub key: Option<KeyView>,
    /// What the person may choose from when nothing was found.
    pub options: Vec<Custody>,
    /// Every source that was asked, in order.
    pub sources: Vec<CustodySource>,
}

/// One source of the sequential check.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CustodySource {
    /// The source that was asked.
    pub source: Custody,
    /// Its answer.
    pub outcome: CustodyOutcome,
    /// Time it took, in milliseconds.
    pub duration_ms: u64,
}

/// A source that is down or slow is *unknown*, never *no*.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CustodyOutcome {
    /// A usable key is there.
    Yes,
    /// There is none.
    No,
    /// The source could not tell.
    Unknown,
}

/// A key in a custody.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct KeyView {
    /// `key_…`
    pub id: String,
    /// Its certificate.
    pub certificate: CertificateView,
}

/// `POST /v1/signatures`, all of it.
///
/// [`CreateSignature`] is the part that the browser's SDK sends; both are read the same way.
#[derive(Debug, Clone, Deserialize)]
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
    #[serde(default = "policy_none")]
    pub policy: SignaturePolicy,
    /// Signer's certificate, DER in standard base64. Required for `local`, refused for `hsm`.
    #[serde(default)]
    pub certificate: Option<String>,
    /// How the signature stands in the PDF; refused for `cades`.
    #[serde(default)]
    pub pdf: Option<PdfOptions>,
}

/// How a signature stands in a PDF. Every member may be absent.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PdfOptions {
    /// Fully qualified name of an empty signature field to sign.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// Name of a new field; the next free `SignatureN` when both are absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new_field: Option<String>,
    /// Makes the signature a certification, the first of the file (DocMDP, ISO 32000-2 §12.8.2.2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certification: Option<PdfCertification>,
    /// The names under which the signature is stored; `etsi` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sub_filter: Option<PdfSubFilter>,
    /// Why the person signs. Refused beside a policy (EN 319 142-1 §6.3).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Where the person signs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// What is shown on a page; nothing when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub appearance: Option<PdfAppearance>,
}

/// What a certification allows afterwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PdfCertification {
    /// Nothing but validation data and document time stamps.
    NoChanges,
    /// Filling in forms and signing.
    FormFilling,
    /// Also annotations.
    Annotations,
}

/// The names under which a signature is stored in a PDF.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PdfSubFilter {
    /// `/ETSI.CAdES.detached`: what every reader understands.
    Etsi,
    /// `/PBAD.PAdES`: what DOC-ICP-15.03 writes and few readers understand.
    Pbad,
}

/// A visible signature.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PdfAppearance {
    /// Page and rectangle; absent for an existing field, which has a place of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub placement: Option<PdfPlacement>,
    /// Lines of text; when absent who signs, the masked CPF or the CNPJ, and when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lines: Option<Vec<String>>,
    /// A PNG or JPEG file in standard base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
}

/// Page and rectangle in points (1/72 inch), from the lower left corner of the page as a reader shows it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PdfPlacement {
    /// Number of the page, from 1.
    pub page: u32,
    /// Distance from the left edge.
    pub left: f64,
    /// Distance from the lower edge.
    pub bottom: f64,
    /// To the right.
    pub width: f64,
    /// Upwards.
    pub height: f64,
}

/// What the browser's SDK sends to `POST /v1/signatures`.
#[derive(Debug, Clone, Serialize, Deserialize)]
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
    #[serde(default = "policy_none")]
    pub policy: SignaturePolicy,
    /// Signer's certificate, DER in standard base64. Required for `local`, refused for `hsm`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<String>,
}

const fn policy_none() -> SignaturePolicy {
    SignaturePolicy::None
}

/// One signer's act on one document.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Signature {
    /// `sig_…`
    pub id: String,
    /// The document.
    pub document_id: String,
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

/// What the key has to sign, with everything the SDK needs to check it before.
///
/// The SDK recomputes each digest from the bytes and refuses on any difference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
pub struct RevisionToSign {
    /// Appended bytes, standard base64. The `Contents` string in them is all zeros.
    pub appended: String,
    /// ByteRange over document and appended bytes (ISO 32000-2 §12.8.1).
    pub byte_range: [u64; 4],
}

/// `POST /v1/signatures/{id}/complete`. The same body again gives the same answer; another body is a conflict.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CompleteSignature {
    /// Raw signature value as the device gave it, standard base64.
    pub signature_value: String,
}

/// The released bytes; fetch them at `GET /v1/signatures/{id}/content`.
#[derive(Debug, Clone, Serialize, Deserialize)]
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
pub struct SignatureProblem {
    /// Stable code.
    pub code: ErrorCode,
    /// What happened, for a developer; no personal data.
    pub detail: String,
}

/// Answer to `POST /v1/validations`.
///
/// The request is the signed file itself, or `multipart/form-data` with the parts `file` and `content`, the latter for a
/// detached signature. Query: `at`, the time the question is asked for, RFC 3339, now when absent; `language`, `pt-BR`
/// or `en`, asks for the text. Nothing of it is stored.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Validation {
    /// SHA-256 of the signed file, lower-case hexadecimal.
    pub file_sha256: String,
    /// What was checked and found.
    pub report: Report,
    /// The report for people, when a language was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Addresses of CRLs, OCSP responders and issuer certificates that gave nothing.
    pub not_fetched: Vec<NotFetched>,
}

/// An address that gave nothing to a validation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotFetched {
    /// As a certificate names it.
    pub url: String,
    /// Why, for an operator.
    pub reason: String,
}

/// Error body, `application/problem+json` (RFC 9457).
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Problem {
    /// Stable URI ending in the code.
    #[serde(rename = "type")]
    pub type_uri: String,
    /// Short sentence of the code.
    pub title: String,
    /// HTTP status.
    pub status: u16,
    /// What is wrong in this case and what to do.
    pub detail: String,
    /// Path that was called.
    pub instance: String,
    /// Branch on this, never on text.
    pub code: ErrorCode,
    /// Found again in the log.
    pub request_id: String,
    /// Members at fault, when the input is invalid.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<ProblemMember>,
}

/// One member at fault.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ProblemMember {
    /// JSON Pointer (RFC 6901) into the request.
    pub pointer: String,
    /// What is wrong with it.
    pub detail: String,
}

/// `GET /health/live` and `GET /health/ready`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Health {
    /// `ok` or `failing`.
    pub status: String,
    /// One entry per part checked.
    pub checks: Vec<HealthCheck>,
}

/// One part checked.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct HealthCheck {
    /// `store`, `objects` or `token`.
    pub name: String,
    /// Whether the part works.
    pub ok: bool,
    /// What is wrong and what to do.
    pub detail: Option<String>,
}
