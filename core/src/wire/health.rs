//! Health.

use serde::{Deserialize, Serialize};

/// `GET /health/live` and `GET /health/ready`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Health {
    /// `ok` or `failing`.
    pub status: String,
    /// One entry per part checked.
    pub checks: Vec<HealthCheck>,
}

/// One part checked.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HealthCheck {
    /// `store`, `objects` or `token`.
    pub name: String,
    /// Whether the part works.
    pub ok: bool,
    /// What is wrong and what to do.
    pub detail: Option<String>,
}
