//! Validations.

use serde::{Deserialize, Serialize};

use crate::validation::Report;

/// Answer to `POST /v1/validations`.
///
/// The request is the signed file itself, or `multipart/form-data` with the parts `file` and `content`, the latter for a
/// detached signature. Query: `at`, the time the question is asked for, RFC 3339, now when absent; `language`, `pt-BR`
/// or `en`, asks for the text. Nothing of it is stored.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
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
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NotFetched {
    /// As a certificate names it.
    pub url: String,
    /// Why, for an operator.
    pub reason: String,
}
