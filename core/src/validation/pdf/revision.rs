//! The revisions of a file for people: what was saved when, and what each save changed.

use core::fmt::{self, Formatter};

use serde::{Deserialize, Serialize};

use super::OpenFile;
use super::dictionary::{PdfSignature, Refused};
use crate::pdf::{Change, ModificationLevel};
use crate::validation::Language;

/// One state of a PDF as it was saved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
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

impl PdfRevision {
    /// One line: number, length, whose signature covers it, what it changed. An unknown change is told by what
    /// was seen, in English.
    #[must_use]
    pub fn sentence(&self, language: Language) -> String {
        let (revision, signed_by) = match language {
            Language::PtBr => ("revisão", "assinada em"),
            Language::En => ("revision", "signed in"),
        };
        let mut line = format!("{revision} {}, {} bytes", self.number, self.end);
        if !self.signed_by.is_empty() {
            line += &format!(", {signed_by} {}", self.signed_by.join(", "));
        }
        let changes: Vec<String> = self.changes.iter().map(|change| words(change, language)).collect();
        if !changes.is_empty() {
            line += &format!(": {}", changes.join("; "));
        }
        line
    }
}

fn words(change: &Change, language: Language) -> String {
    let text = match language {
        Language::PtBr => change.kind.portuguese(),
        Language::En => change.kind.english(),
    };
    let about = change.field.as_ref().or(change.detail.as_ref());
    about.map_or_else(|| text.to_owned(), |about| format!("{text} ({about})"))
}

/// The history below the signatures. One revision has none.
pub(in crate::validation) fn write_history(
    out: &mut Formatter<'_>,
    revisions: &[PdfRevision],
    language: Language,
) -> fmt::Result {
    if revisions.len() < 2 {
        return Ok(());
    }
    writeln!(out)?;
    writeln!(
        out,
        "{}",
        if language == Language::PtBr { "Histórico do arquivo" } else { "History of the file" }
    )?;
    revisions.iter().try_for_each(|revision| writeln!(out, "  {}", revision.sentence(language)))
}
