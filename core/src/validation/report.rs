//! The shape of a validation report, version 2.
//!
//! JSON: snake_case members, times as RFC 3339, reasons as the standard writes them. Members are added, never
//! renamed; a member that is absent is not known, `null` means that there is none.

mod check;
mod finding;
mod signature;
mod time_stamp;

use serde::{Deserialize, Serialize};

pub use check::{Check, SubIndication};
pub(crate) use finding::Record;
pub use finding::{Finding, Indication, Outcome};
pub use signature::{
    BaselineLevel, IcpBrasilProfile, Integrity, PolicyStatement, ProvenTime, SignatureNature, SignatureReport,
};
pub use time_stamp::{TimeStampKind, TimeStampReport};

use super::PdfRevision;
use crate::cms::CmsError;
use crate::pdf::PdfError;
use crate::revocation::Wanted;
use crate::{ErrorCode, Timestamp};

/// Result of the validation of one file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Report {
    /// Version of this shape: 2.
    pub version: u32,
    /// The time the question was asked for.
    pub at: Timestamp,
    /// The worst indication among the signatures.
    pub indication: Indication,
    /// One entry per signature, in the order of the file. Empty only for a PDF that has document time stamps and
    /// nothing else.
    pub signatures: Vec<SignatureReport>,
    /// Document time stamps of a PDF, in the order in which they were made.
    pub time_stamps: Vec<TimeStampReport>,
    /// In a PDF, how it came to be what it is, the oldest revision first. Empty elsewhere.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub revisions: Vec<PdfRevision>,
    /// Certificates and revocation data that would help to decide: fetch them, add them to the context, ask again.
    /// In a stable order, each once. Not part of the JSON.
    #[serde(skip)]
    pub wanted: Vec<Wanted>,
}

impl Report {
    /// A report at a point in time.
    #[must_use]
    pub fn new(at: Timestamp, signatures: Vec<SignatureReport>) -> Self {
        let mut report = Self {
            version: 2,
            at,
            indication: Indication::Indeterminate,
            signatures,
            time_stamps: Vec::new(),
            revisions: Vec::new(),
            wanted: Vec::new(),
        };
        report.indication = report.overall();
        for signature in &mut report.signatures {
            collect(&mut report.wanted, signature);
        }
        report
    }

    /// Adds the document time stamps of a PDF and what would help to validate them.
    pub(crate) fn add_time_stamps<'w>(
        &mut self,
        time_stamps: Vec<TimeStampReport>,
        wanted: impl Iterator<Item = &'w Wanted>,
    ) {
        self.time_stamps = time_stamps;
        self.indication = self.overall();
        wanted.for_each(|one| push_new(&mut self.wanted, one));
    }

    /// The worst indication among the signatures or, when there is none, among the document time stamps;
    /// indeterminate when there is nothing at all.
    #[must_use]
    pub fn overall(&self) -> Indication {
        let signatures = self.signatures.iter().map(|signature| signature.indication).max();
        let time_stamps = self.time_stamps.iter().map(|time_stamp| time_stamp.indication).max();
        signatures.or(time_stamps).unwrap_or(Indication::Indeterminate)
    }
}

/// Takes over what a signature wants, and those nested in it.
fn collect(wanted: &mut Vec<Wanted>, signature: &mut SignatureReport) {
    core::mem::take(&mut signature.wanted).iter().for_each(|one| push_new(wanted, one));
    signature.counter_signatures.iter_mut().for_each(|counter| collect(wanted, counter));
}

fn push_new(wanted: &mut Vec<Wanted>, one: &Wanted) {
    if !wanted.contains(one) {
        wanted.push(one.clone());
    }
}

/// There is nothing to report on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ValidationError {
    /// The file cannot be read as a signature.
    #[error(transparent)]
    Cms(#[from] CmsError),
    /// The file cannot be read as a PDF.
    #[error(transparent)]
    Pdf(#[from] PdfError),
    /// The file can be read and carries no signature.
    #[error("the file carries no signature")]
    NotSigned,
    /// The signature is detached and its content was not given.
    #[error("the signature is detached: its content is needed")]
    ContentRequired,
}

impl ValidationError {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> ErrorCode {
        match self {
            Self::Cms(error) => error.code(),
            Self::Pdf(error) => error.code(),
            Self::NotSigned => ErrorCode::NotSigned,
            Self::ContentRequired => ErrorCode::ContentRequired,
        }
    }
}
