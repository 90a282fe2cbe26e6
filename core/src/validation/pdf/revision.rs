//! The revisions of a file for people: what was saved when, and what each save changed.

use serde::{Deserialize, Serialize};

use super::OpenFile;
use super::dictionary::{PdfSignature, Refused};
use crate::pdf::{Change, ModificationLevel};

/// One state of a PDF as it was saved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PdfRevision {
    /// From 1, the oldest first.
    pub number: usize,
    /// Length of the file when this revision was its last, in bytes, without a last line end.
    pub end: u64,
    /// Names of the fields whose signature or time stamp covers exactly this revision.
    pub signed_by: Vec<String>,
    /// How deep it changed the revision before; `None` up to the first that is signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modification_level: Option<ModificationLevel>,
    /// What it changed; empty up to the first revision that is signed.
    pub changes: Vec<Change>,
}

pub(super) fn list(file: &OpenFile<'_>, signatures: &[Result<PdfSignature, Refused>]) -> Vec<PdfRevision> {
    let mut revisions: Vec<PdfRevision> = file
        .history
        .revisions()
        .iter()
        .enumerate()
        .map(|(index, revision)| PdfRevision {
            number: index + 1,
            end: revision.end,
            signed_by: Vec::new(),
            modification_level: revision.level(),
            changes: revision.changes.clone().unwrap_or_default(),
        })
        .collect();
    for (field, signature) in file.fields.iter().zip(signatures) {
        if let Ok(signature) = signature
            && let Some(index) = file.history.ending_at(&file.document, signature.end)
        {
            revisions[index].signed_by.push(field.name.clone());
        }
    }
    revisions
}
