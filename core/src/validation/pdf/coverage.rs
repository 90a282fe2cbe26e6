//! How much of the file a signature covers, and what came behind it.

use serde::{Deserialize, Serialize};

use super::OpenFile;
use super::dictionary::PdfSignature;
use super::permissions::Permissions;
use crate::pdf::{Change, ChangeKind, ModificationLevel};
use crate::validation::{Check, SignatureReport, SubIndication};

/// Changes that are named in a finding; the report lists all.
const MAX_NAMED: usize = 5;

/// How much of a PDF a signature covers, as pyHanko names it. The order is from good to bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Coverage {
    /// Everything to the end of the file.
    EntireFile,
    /// Everything to the end of a revision, after which others came.
    EntireRevision,
    /// Everything from the start, but not to the end of a revision.
    ContiguousBlockFromStart,
    /// Anything else.
    Unclear,
}

/// What belongs to a signature inside a PDF.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PdfSignatureReport {
    /// How much of the file is signed.
    pub coverage: Coverage,
    /// Number of the revision that is signed, from 1, as in `revisions` of the report; `None` when the
    /// signed bytes are no whole revision.
    pub revision: Option<usize>,
    /// How deep the changes behind the signed revision go; `None` when that cannot be told.
    pub modification_level: Option<ModificationLevel>,
}

impl PdfSignatureReport {
    pub(super) const fn unclear() -> Self {
        Self { coverage: Coverage::Unclear, revision: None, modification_level: None }
    }
}

/// Whether the signed bytes are a whole revision, and whether what came after it is permitted.
pub(super) fn check_coverage(report: &mut SignatureReport, file: &OpenFile<'_>, signature: &PdfSignature) {
    let (document, history) = (&file.document, &file.history);
    let index = history.ending_at(document, signature.end);
    let revision = index.map(|index| index + 1);
    if signature.end == document.file().len() {
        let (coverage, level) = (Coverage::EntireFile, Some(ModificationLevel::None));
        report.pdf = Some(PdfSignatureReport { coverage, revision, modification_level: level });
        report.passed(Check::PdfCoverage, "the whole file");
        return report.passed(Check::PdfModifications, "nothing follows the signature");
    }
    let not_whole = |report: &mut SignatureReport, evidence: String| {
        let coverage = Coverage::ContiguousBlockFromStart;
        report.pdf = Some(PdfSignatureReport { coverage, ..PdfSignatureReport::unclear() });
        report.failed(Check::PdfCoverage, SubIndication::FormatFailure, evidence);
    };
    let Some(index) = index else {
        let evidence = format!("the signed bytes end at {}, where no revision ends", signature.end);
        return not_whole(report, evidence);
    };
    let signed = match history.document(document, index) {
        Ok(signed) => signed,
        Err(error) => return not_whole(report, format!("the signed revision cannot be read: {error}")),
    };
    let start = index.checked_sub(1).map_or(0, |before| history.revisions()[before].end);
    let number = signature.reference.number;
    if signed.entry(number) != document.entry(number) || signature.span.start < start {
        let evidence = "the signature dictionary does not belong to the revision that it signs";
        return not_whole(report, evidence.to_owned());
    }
    report.passed(Check::PdfCoverage, format!("a whole revision of {} bytes", signature.end));
    let later: Vec<&Change> = history.later(index).collect();
    let level = later.iter().map(|change| change.kind.level()).max().unwrap_or(ModificationLevel::None);
    let coverage = Coverage::EntireRevision;
    report.pdf = Some(PdfSignatureReport { coverage, revision, modification_level: Some(level) });
    if level == ModificationLevel::None {
        return report.passed(Check::PdfModifications, "only white space follows the signature");
    }
    Permissions::of(&signed, signature).check(report, &later, level);
}

/// Changes in words: "adds a signature (PySig); changes the metadata".
pub(super) fn in_words<'c>(changes: impl IntoIterator<Item = &'c Change>) -> String {
    let mut named: Vec<String> = Vec::new();
    for change in changes {
        let text = sentence(change);
        if !named.contains(&text) {
            named.push(text);
        }
    }
    if let Some(more) = named.len().checked_sub(MAX_NAMED).filter(|more| *more > 0) {
        named.truncate(MAX_NAMED);
        named.push(format!("and {more} more"));
    }
    named.join("; ")
}

fn sentence(change: &Change) -> String {
    match (&change.kind, &change.field, &change.detail) {
        (ChangeKind::Unexplained, _, Some(detail)) => detail.clone(),
        (kind, Some(field), _) => format!("{} ({field})", kind.english()),
        (kind, None, _) => kind.english().to_owned(),
    }
}
