//! Errors (RFC 9457).

use serde::{Deserialize, Serialize};

use crate::ErrorCode;

/// Error body, `application/problem+json` (RFC 9457).
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
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
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ProblemMember {
    /// JSON Pointer (RFC 6901) into the request.
    pub pointer: String,
    /// What is wrong with it.
    pub detail: String,
    /// Its own code, when it has one beside that of the problem.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<ErrorCode>,
}
