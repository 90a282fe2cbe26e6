//! How a key comes into the token: consents and enrolments.

use serde::{Deserialize, Serialize};
use zeroize::Zeroize;

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
    /// It comes in a PKCS#12 file.
    Import,
}

impl EnrolmentMethod {
    /// Every method.
    pub const ALL: [Self; 2] = [Self::Generate, Self::Import];
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

/// A password, or bytes that hold a secret: wiped when dropped, `***` in logs, read and never written.
///
/// **Shape**: a JSON string.
#[derive(Clone, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(value_type = String))]
#[serde(transparent)]
pub struct SecretText(String);

impl SecretText {
    /// The text. Never log it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<String> for SecretText {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl Drop for SecretText {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl core::fmt::Debug for SecretText {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("***")
    }
}

/// A PKCS#12 file with its password.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Pkcs12File {
    /// The file in standard base64, at most 256 KiB before it.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub file: SecretText,
    /// Its password.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub password: SecretText,
}

/// `POST /v1/enrolments`.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct CreateEnrolment {
    /// How the key comes into the token.
    pub method: EnrolmentMethod,
    /// Consent of this person.
    pub consent_id: String,
    /// Kind of the key that is made; RSA when absent. Not for imports.
    #[serde(default)]
    pub algorithm: Option<EnrolmentAlgorithm>,
    /// The key that is imported, with its certificate. For imports only.
    #[serde(default)]
    pub pkcs12: Option<Pkcs12File>,
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
