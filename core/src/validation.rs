//! Validation of signatures, told in the words of ETSI EN 319 102-1.
//!
//! A report has one finding per check. The indication of a signature follows from its findings: one that
//! failed makes it failed, else one that is inconclusive makes it indeterminate, else it passed.

mod certificate;
mod cms;
mod context;
mod counter;
mod document;
mod level;
mod nature;
mod pdf;
mod policy;
mod proofs;
mod report;
mod revocation;
mod stamps;
#[cfg(test)]
mod testing;
mod text;
mod time_stamp;

pub use cms::{Content, validate_cms};
pub use context::{Context, RevocationMode};
pub use pdf::{Coverage, PdfRevision, PdfSignatureReport, validate_pdf};
pub(crate) use proofs::Proofs;
pub use report::{
    BaselineLevel, Check, Finding, IcpBrasilProfile, Indication, Integrity, Outcome, PolicyStatement,
    ProvenTime, Report, SignatureNature, SignatureReport, SubIndication, TimeStampKind, TimeStampReport,
    ValidationError,
};
pub use text::Language;
