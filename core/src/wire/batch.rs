//! Batches: many signatures by one key, without a person present.
//!
//! `POST /v1/batches` takes `application/x-ndjson`: the first line is a [`BatchHeader`], each further line a [`BatchLine`].

use serde::{Deserialize, Serialize};

use super::{Artefact, SignatureFormat, SignatureLevel, SignaturePolicy, SignatureProblem, SignatureState};
use crate::Timestamp;

/// First line of a manifest: what holds for every item.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct BatchHeader {
    /// A name for people: 1 to 200 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The caller's own name for the batch: 1 to 128 characters, without personal data, because events carry it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// The key that signs, `key_…`.
    pub key_id: String,
    /// Kind of artefact.
    pub format: SignatureFormat,
    /// Baseline level; when absent the lowest that the policy allows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<SignatureLevel>,
    /// Signature policy; `none` when absent.
    #[serde(default = "super::kind::policy_none")]
    pub policy: SignaturePolicy,
}

/// A further line of a manifest: one item. Exactly one of `sha256` and `document_id` is given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct BatchLine {
    /// The caller's own name for the item, unique in the batch: 1 to 128 characters.
    pub reference: String,
    /// SHA-256 of a document that stays with the caller, 64 lower-case hexadecimal digits; `cades` only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// An uploaded document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document_id: Option<String>,
    /// File name of the document, from which the artefact gets its own: at most 255 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// What an item signs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BatchContent {
    /// A digest alone: the document stays with the caller.
    Digest([u8; 32]),
    /// An uploaded document, by its identifier, which is not checked yet.
    Document(String),
}

/// Why a line of a manifest cannot be used (`manifest_invalid`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BatchLineError {
    /// The reference is empty or too long.
    #[error("`reference` must have 1 to 128 characters")]
    Reference,
    /// The name is empty, too long or a path.
    #[error("`name` must be a file name of 1 to 255 characters without `/`, `\\` or control characters")]
    Name,
    /// Both or none of the two members.
    #[error("give exactly one of `sha256` and `document_id`")]
    Content,
    /// Not a digest.
    #[error("`sha256` must be 64 lower-case hexadecimal digits")]
    Sha256,
    /// A PDF is signed inside, so its bytes are needed.
    #[error("`sha256` is for `cades` only: upload the document and give its `document_id`")]
    DigestOfPdf,
}

impl BatchLine {
    /// Checks what can be checked of one line alone, and gives what it signs.
    ///
    /// # Errors
    /// `manifest_invalid`, with the member at fault.
    pub fn content(&self, format: SignatureFormat) -> Result<BatchContent, BatchLineError> {
        if !(1..=128).contains(&self.reference.chars().count()) {
            return Err(BatchLineError::Reference);
        }
        let is_file_name = |name: &String| {
            (1..=255).contains(&name.chars().count())
                && !name.chars().any(|c| matches!(c, '/' | '\\') || c.is_control())
        };
        if !self.name.as_ref().is_none_or(is_file_name) {
            return Err(BatchLineError::Name);
        }
        match (&self.sha256, &self.document_id) {
            (Some(_), None) if format == SignatureFormat::Pades => Err(BatchLineError::DigestOfPdf),
            (Some(sha256), None) => {
                crate::digest::sha256_from_hex(sha256).map(BatchContent::Digest).ok_or(BatchLineError::Sha256)
            }
            (None, Some(document_id)) => Ok(BatchContent::Document(document_id.clone())),
            (None, None) | (Some(_), Some(_)) => Err(BatchLineError::Content),
        }
    }
}

/// A batch as the API shows it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Batch {
    /// `bat_…`
    pub id: String,
    /// A name for people.
    pub name: Option<String>,
    /// The caller's own name for it.
    pub reference: Option<String>,
    /// Where it stands.
    pub state: BatchState,
    /// Number of items.
    pub total: u64,
    /// Items by state; their sum is `total`.
    pub counts: BatchCounts,
    /// The key that signs.
    pub key_id: String,
    /// Kind of artefact.
    pub format: SignatureFormat,
    /// Baseline level.
    pub level: SignatureLevel,
    /// Signature policy.
    pub policy: SignaturePolicy,
    /// Time of creation.
    pub created_at: Timestamp,
    /// When the first item was begun.
    pub started_at: Option<Timestamp>,
    /// When it was completed or cancelled.
    pub ended_at: Option<Timestamp>,
}

/// State of a batch; [`BatchState::may_become`] has the edges.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum BatchState {
    /// Taken; no item was begun.
    Queued,
    /// Items are being signed.
    Running,
    /// No further item is begun until it is resumed.
    Paused,
    /// Taken back: items not begun are cancelled, those whose key use was committed still end by themselves.
    Cancelled,
    /// Every item is released.
    Completed,
    /// Every item ended, some without artefact.
    CompletedWithErrors,
}

impl BatchState {
    /// Every state.
    pub const ALL: [Self; 6] = [
        Self::Queued,
        Self::Running,
        Self::Paused,
        Self::Cancelled,
        Self::Completed,
        Self::CompletedWithErrors,
    ];

    /// The wire and SQL string.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Cancelled => "cancelled",
            Self::Completed => "completed",
            Self::CompletedWithErrors => "completed_with_errors",
        }
    }

    /// Whether the batch cannot be moved any more.
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Cancelled | Self::Completed | Self::CompletedWithErrors)
    }

    /// Whether this edge exists. A paused batch whose last items were under way ends from `paused`.
    #[must_use]
    pub const fn may_become(self, next: Self) -> bool {
        use BatchState::{Cancelled, Completed, CompletedWithErrors, Paused, Queued, Running};
        match self {
            Queued => matches!(next, Running | Paused | Cancelled),
            Running => matches!(next, Paused | Cancelled | Completed | CompletedWithErrors),
            Paused => matches!(next, Queued | Running | Cancelled | Completed | CompletedWithErrors),
            Cancelled | Completed | CompletedWithErrors => false,
        }
    }
}

/// Items of a batch by the state of their signature.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BatchCounts {
    /// Waiting.
    pub accepted: u64,
    /// Built and pinned.
    pub prepared: u64,
    /// The key use is committed.
    pub signing: u64,
    /// The artefact can be fetched.
    pub released: u64,
    /// Ended without artefact.
    pub failed: u64,
    /// Taken back before the key was used.
    pub cancelled: u64,
}

impl BatchCounts {
    /// Number of items.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.accepted + self.prepared + self.signing + self.released + self.failed + self.cancelled
    }

    /// Counts `items` more in a state. Items of a batch do not expire: a state they cannot have changes nothing.
    pub const fn add(&mut self, state: SignatureState, items: u64) {
        let count = match state {
            SignatureState::Accepted => &mut self.accepted,
            SignatureState::Prepared => &mut self.prepared,
            SignatureState::Signing => &mut self.signing,
            SignatureState::Released => &mut self.released,
            SignatureState::Failed => &mut self.failed,
            SignatureState::Cancelled => &mut self.cancelled,
            SignatureState::Expired => return,
        };
        *count += items;
    }

    /// The state in which a batch with these items ends; `None` while any is under way.
    #[must_use]
    pub const fn outcome(&self) -> Option<BatchState> {
        if self.accepted + self.prepared + self.signing > 0 {
            return None;
        }
        Some(match self.failed + self.cancelled {
            0 => BatchState::Completed,
            _ => BatchState::CompletedWithErrors,
        })
    }
}

/// An item of a batch as the API shows it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BatchItem {
    /// Place in the manifest, from 1; the header does not count.
    pub position: u64,
    /// The caller's own name for it.
    pub reference: String,
    /// `sig_…`
    pub signature_id: String,
    /// Where it stands.
    pub state: SignatureState,
    /// SHA-256 of the document, lower-case hexadecimal, when only that was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// The document, when it was uploaded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document_id: Option<String>,
    /// The result, once released.
    pub artefact: Option<Artefact>,
    /// Why it ended without artefact.
    pub problem: Option<SignatureProblem>,
}

/// What became of an item: a line of `results.ndjson`, in the archive of a batch and in the folder of `rubrica batch`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BatchResult {
    /// Path of the artefact beside this file; `null` when the item ended without.
    pub file: Option<String>,
    /// The item.
    #[serde(flatten)]
    pub item: BatchItem,
}

/// A page of `GET /v1/batches`, latest first.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BatchList {
    /// The batches.
    pub items: Vec<Batch>,
    /// Give it as `cursor` for the next page; absent on the last.
    pub next_cursor: Option<String>,
}

/// A page of `GET /v1/batches/{id}/items`, in the order of the manifest.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BatchItemList {
    /// The items.
    pub items: Vec<BatchItem>,
    /// Give it as `cursor` for the next page; absent on the last.
    pub next_cursor: Option<String>,
}

#[cfg(test)]
mod tests;
