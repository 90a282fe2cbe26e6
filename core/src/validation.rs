//! Validation of signatures, told in the words of ETSI EN 319 102-1.
//!
//! A report has one finding per check. The indication of a signature follows from its findings: one that
//! failed makes it failed, else one that is inconclusive makes it indeterminate, else it passed.

mod cms;
mod context;
mod pdf;
mod report;
mod text;

pub use cms::{Content, validate_cms};
pub use context::{Context, RevocationMode};
pub use pdf::{Coverage, PdfRevision, PdfSignatureReport, validate_pdf};
pub use report::{
    BaselineLevel, Check, Finding, IcpBrasilProfile, Indication, Integrity, Outcome, PolicyStatement,
    ProvenTime, Report, SignatureNature, SignatureReport, SubIndication, TimeStampKind, TimeStampReport,
    ValidationError,
};
pub use text::Language;
