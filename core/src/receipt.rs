//! Receipts: evidence of one release that can be checked without us.
//!
//! Each release writes a [`ReleaseRecord`] into a list that only grows. A Merkle tree over the list is signed from time to
//! time as a *checkpoint*; a [`Receipt`] holds the record, the checkpoint, and the proof that the one is in the other. Whoever
//! has the receipt and the public key of the log can check it years later, with this module or with any implementation
//! of RFC 6962 and of signed notes.
//!
//! **The leaf** is the UTF-8 text of the record exactly as it was written at the release, and the receipt carries that text.
//! Nothing is ever serialised again to be verified, so there is no canonical form of JSON to agree on, and a later version may
//! add members without touching old leaves.
//!
//! Records hold no personal data: the signer is a keyed hash, so an erasure elsewhere does not break the tree.

mod checkpoint;
mod note;
mod record;
mod report;
mod text;

use serde::{Deserialize, Serialize};

pub use checkpoint::Checkpoint;
pub use note::{InvalidLogKey, LogKey, NoteError};
pub use record::{RecordError, ReleaseRecord};
pub use report::{ArtefactSeen, ReceiptCheck, ReceiptFinding, ReceiptReason, ReceiptReport, verify_receipt};

use crate::merkle::TreeHash;

/// Evidence that one signature was released, `GET /v1/signatures/{id}/receipt`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Receipt {
    /// Version of this form: 1.
    pub version: u32,
    /// The [`ReleaseRecord`] as a JSON text. Its UTF-8 bytes are the leaf.
    pub record: String,
    /// Place of the leaf in the log, from 0.
    pub leaf_index: u64,
    /// Proof that the leaf is in the tree of the checkpoint, from the leaf upwards; standard base64 (RFC 6962 §2.1.1).
    pub inclusion_proof: Vec<TreeHash>,
    /// Signed note with size and root of the tree: see [`Checkpoint`].
    pub checkpoint: String,
}

impl Receipt {
    /// The version that is written.
    pub const VERSION: u32 = 1;
}

#[cfg(test)]
mod tests;
