//! How a key comes into the token: consents and enrolments.

use serde::{Deserialize, Serialize};

use super::CertificateView;
use crate::{ErrorCode, Timestamp};

/// A text that people agree to, as it is shown to them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ConsentText {
    /// Version of the text: another wording is another version.
    pub text_version: String,
    /// BCP 47.
    pub language: String,
    /// Plain text, paragraphs divided by empty lines.
    pub text: String,
    /// SHA-256 of the text in UTF-8, lower-case hexadecimal.
    pub text_sha256: String,
}

/// The texts of this version, one for each language.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ConsentTextList {
    /// The texts.
    pub items: Vec<ConsentText>,
}

/// `POST /v1/consents`: the person has read a text and agrees.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct CreateConsent {
    /// Version of the text that was shown.
    pub text_version: String,
    /// Its language.
    pub language: String,
    /// SHA-256 of what was shown, lower-case hexadecimal.
    pub text_sha256: String,
}

/// A consent as the API shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Consent {
    /// `cns_…`
    pub id: String,
    /// Version of the text.
    pub text_version: String,
    /// Its language.
    pub language: String,
    /// SHA-256 of the text, lower-case hexadecimal.
    pub text_sha256: String,
    /// When the person agreed.
    pub given_at: Timestamp,
    /// When the person took it back.
    pub withdrawn_at: Option<Timestamp>,
}

/// How a key comes into the token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum EnrolmentMethod {
    /// The token makes it. It was never anywhere else.
    Generate,
}

impl EnrolmentMethod {
    /// Every method.
    pub const ALL: [Self; 1] = [Self::Generate];
}

/// Kind of the key that the token makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum EnrolmentAlgorithm {
    /// RSA-2048.
    #[default]
    Rsa,
    /// P-256.
    Ec,
}

/// `POST /v1/enrolments`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct CreateEnrolment {
    /// How the key comes into the token.
    pub method: EnrolmentMethod,
    /// Consent of this person.
    pub consent_id: String,
    /// Kind of key; RSA when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub algorithm: Option<EnrolmentAlgorithm>,
}

/// `POST /v1/enrolments/{id}/certificate`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct CertifyEnrolment {
    /// The certificate in PEM, or its DER in standard base64. More behind it is ignored.
    pub certificate: String,
}

/// Where an enrolment stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum EnrolmentState {
    /// The key is being made.
    Creating,
    /// The key is in the token and may not sign; its certificate is awaited.
    AwaitingCertificate,
    /// The key may sign.
    Completed,
    /// Taken back.
    Cancelled,
    /// Ended without a key.
    Failed,
}

impl EnrolmentState {
    /// Every state.
    pub const ALL: [Self; 5] =
        [Self::Creating, Self::AwaitingCertificate, Self::Completed, Self::Cancelled, Self::Failed];
}

/// An enrolment as the API shows it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Enrolment {
    /// `enr_…`
    pub id: String,
    /// How the key comes into the token.
    pub method: EnrolmentMethod,
    /// Where it stands.
    pub state: EnrolmentState,
    /// Consent under which the key is kept; `null` for a key of the tenant's own, enrolled by an operator.
    pub consent_id: Option<String>,
    /// PKCS#10 request in PEM, for the authority; `null` while there is none.
    pub csr: Option<String>,
    /// The key, once it may sign.
    pub key_id: Option<String>,
    /// Its certificate.
    pub certificate: Option<CertificateView>,
    /// Why it failed.
    pub code: Option<ErrorCode>,
    /// Time of creation.
    pub created_at: Timestamp,
    /// Until when the certificate is awaited.
    pub expires_at: Timestamp,
}

/// Enrolments, the latest first.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EnrolmentList {
    /// At most 50.
    pub items: Vec<Enrolment>,
}
