//! Verification of a receipt: one finding per question.

use serde::Serialize;

use super::{Checkpoint, LogKey, NoteError, Receipt, RecordError, ReleaseRecord};
use crate::ErrorCode;
use crate::digest::to_hex;
use crate::merkle::verify_inclusion;
use crate::validation::{Indication, Outcome};

/// An artefact at hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ArtefactSeen {
    /// SHA-256 of its bytes.
    pub sha256: [u8; 32],
    /// Its length in bytes.
    pub size_bytes: u64,
}

/// What came of a receipt.
///
/// **Shape**: in JSON snake_case; `code` is there when the receipt does not hold.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ReceiptReport {
    /// Version of this form: 1.
    pub version: u32,
    /// `passed`: the log has this release, and what was given is what was released. `indeterminate`: nothing is wrong, but
    /// the signature of the log was not checked. `failed`: the receipt does not hold.
    pub indication: Indication,
    /// `receipt_invalid`, when it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<ErrorCode>,
    /// One per question, always in the same order.
    pub findings: Vec<ReceiptFinding>,
    /// What the log recorded. Only worth something when the receipt passed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub record: Option<ReleaseRecord>,
    /// What the log said of itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checkpoint: Option<Checkpoint>,
}

/// The answer to one question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct ReceiptFinding {
    /// What was asked.
    pub check: ReceiptCheck,
    /// `passed`, `failed` or `not_checked`.
    pub outcome: Outcome,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<ReceiptReason>,
}

/// A question to a receipt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ReceiptCheck {
    /// Can the record be read?
    Record,
    /// Did the log sign the checkpoint?
    Checkpoint,
    /// Is the record in the tree of the checkpoint?
    Inclusion,
    /// Is the artefact at hand the one that was released?
    Artefact,
    /// Is the document at hand the one that was signed?
    Document,
}

impl ReceiptCheck {
    /// Every check, in the order of a report.
    pub const ALL: [Self; 5] =
        [Self::Record, Self::Checkpoint, Self::Inclusion, Self::Artefact, Self::Document];
}

/// Why a check failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ReceiptReason {
    /// The part is not of the documented form.
    Malformed,
    /// A later version wrote it.
    UnknownVersion,
    /// Another key signed it, or another log.
    OtherKey,
    /// The signature does not verify.
    SignatureInvalid,
    /// The proof leads to another root.
    ProofInvalid,
    /// Another digest.
    DigestDiffers,
    /// Another length.
    SizeDiffers,
}

impl ReceiptReason {
    /// Every reason.
    pub const ALL: [Self; 7] = [
        Self::Malformed,
        Self::UnknownVersion,
        Self::OtherKey,
        Self::SignatureInvalid,
        Self::ProofInvalid,
        Self::DigestDiffers,
        Self::SizeDiffers,
    ];
}

impl From<RecordError> for ReceiptReason {
    fn from(error: RecordError) -> Self {
        match error {
            RecordError::Malformed => Self::Malformed,
            RecordError::UnknownVersion => Self::UnknownVersion,
        }
    }
}

impl From<NoteError> for ReceiptReason {
    fn from(error: NoteError) -> Self {
        match error {
            NoteError::Malformed => Self::Malformed,
            NoteError::OtherKey => Self::OtherKey,
            NoteError::SignatureInvalid => Self::SignatureInvalid,
        }
    }
}

/// Verifies a receipt. Needs nothing but what is given.
///
/// Without `key` the checkpoint may be anybody's: the verdict is at best indeterminate. `artefact` and `document`, the SHA-256 of
/// the latter, are compared with the record when they are given.
#[must_use]
pub fn verify_receipt(
    receipt: &Receipt,
    key: Option<&LogKey>,
    artefact: Option<&ArtefactSeen>,
    document: Option<&[u8; 32]>,
) -> ReceiptReport {
    let record = match receipt.version {
        Receipt::VERSION => ReleaseRecord::parse(&receipt.record).map_err(ReceiptReason::from),
        _ => Err(ReceiptReason::UnknownVersion),
    };
    let checkpoint = Checkpoint::read_unverified(&receipt.checkpoint).map_err(ReceiptReason::from);
    let signed = match key {
        Some(key) => {
            Some(Checkpoint::open(&receipt.checkpoint, key).map(|_| ()).map_err(ReceiptReason::from))
        }
        // Who signed is not known, but something that is no checkpoint was signed by nobody.
        None => checkpoint.as_ref().err().map(|reason| Err(*reason)),
    };
    let included = checkpoint.as_ref().ok().map(|checkpoint| is_included(receipt, checkpoint));
    let recorded = record.as_ref().ok();
    let findings = [
        Some(record.as_ref().map(|_| ()).map_err(|reason| *reason)),
        signed,
        included,
        recorded.zip(artefact).map(|(record, artefact)| is_artefact(record, artefact)),
        recorded.zip(document).map(|(record, document)| is_digest(&record.document_sha256, document)),
    ];
    let findings = ReceiptCheck::ALL.into_iter().zip(findings).map(|(check, result)| match result {
        None => ReceiptFinding { check, outcome: Outcome::NotChecked, reason: None },
        Some(Ok(())) => ReceiptFinding { check, outcome: Outcome::Passed, reason: None },
        Some(Err(reason)) => ReceiptFinding { check, outcome: Outcome::Failed, reason: Some(reason) },
    });
    let findings: Vec<_> = findings.collect();
    let indication = conclusion(&findings);
    ReceiptReport {
        version: 1,
        indication,
        code: (indication == Indication::Failed).then_some(ErrorCode::ReceiptInvalid),
        findings,
        record: record.ok(),
        checkpoint: checkpoint.ok(),
    }
}

/// One that failed decides; then all that make up the proof must have passed.
fn conclusion(findings: &[ReceiptFinding]) -> Indication {
    use ReceiptCheck::{Checkpoint, Inclusion, Record};
    if findings.iter().any(|finding| finding.outcome == Outcome::Failed) {
        return Indication::Failed;
    }
    let proof = findings.iter().filter(|finding| matches!(finding.check, Record | Checkpoint | Inclusion));
    if proof.clone().all(|finding| finding.outcome == Outcome::Passed) {
        Indication::Passed
    } else {
        Indication::Indeterminate
    }
}

fn is_included(receipt: &Receipt, checkpoint: &Checkpoint) -> Result<(), ReceiptReason> {
    let leaf = ReleaseRecord::leaf_hash(&receipt.record);
    let Checkpoint { size, root, .. } = *checkpoint;
    if verify_inclusion(receipt.leaf_index, size, leaf, &receipt.inclusion_proof, root) {
        Ok(())
    } else {
        Err(ReceiptReason::ProofInvalid)
    }
}

fn is_artefact(record: &ReleaseRecord, artefact: &ArtefactSeen) -> Result<(), ReceiptReason> {
    if record.artefact_size_bytes != artefact.size_bytes {
        return Err(ReceiptReason::SizeDiffers);
    }
    is_digest(&record.artefact_sha256, &artefact.sha256)
}

fn is_digest(recorded: &str, sha256: &[u8; 32]) -> Result<(), ReceiptReason> {
    if recorded == to_hex(sha256) { Ok(()) } else { Err(ReceiptReason::DigestDiffers) }
}
