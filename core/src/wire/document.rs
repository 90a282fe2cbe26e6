//! Documents.

use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// A document: immutable bytes.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
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
