//! What a log of receipts says of itself.

use serde::{Deserialize, Serialize};

use crate::merkle::TreeHash;

/// `GET /v1/receipts/key`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ReceiptKey {
    /// Name of the log, which its checkpoints begin with.
    pub name: String,
    /// The public key as tools for signed notes take it: `name+id+key`.
    pub key: String,
}

/// `GET /v1/receipts/consistency`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ConsistencyProof {
    /// Leaves of the earlier tree.
    pub from: u64,
    /// Leaves of the later tree.
    pub to: u64,
    /// Hashes in standard base64, as RFC 6962 §2.1.2 has them.
    pub proof: Vec<TreeHash>,
}
