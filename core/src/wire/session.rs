//! Signing sessions of the browser.

use serde::{Deserialize, Serialize};

use super::SignerView;
use crate::Timestamp;

/// `POST /v1/sessions`: the tenant's backend opens a short-lived session for one signer.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct CreateSession {
    /// Who will sign.
    pub signer: SessionSigner,
    /// Origins of the pages that may use the token, such as `https://bank.example`.
    pub origins: Vec<String>,
    /// Life of the token in seconds: 60 to 3600, 900 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_in_seconds: Option<u32>,
    /// The order that the session is for, with `participant_id`; without, the session is for documents of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order_id: Option<String>,
    /// Which participant of the order signs: the one of `signer`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub participant_id: Option<String>,
}

/// The person or company of a session.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct SessionSigner {
    /// CPF (11 digits) or CNPJ (14 characters), without punctuation. Never logged, never sent back.
    pub identifier: String,
    /// Name as the bank knows it.
    pub name: String,
}

/// Answer to `POST /v1/sessions`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
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
