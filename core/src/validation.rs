//! Validation of signatures, told in the words of ETSI EN 319 102-1.
//!
//! A report has one finding per check. The indication of a signature follows from its findings: one that
//! failed makes it failed, else one that is inconclusive makes it indeterminate, else it passed.
//!
//! **Not decided yet: revocation.** CRL and OCSP are not asked. Every report says so in a finding
//! `revocation: not_checked`, which is shown in text and JSON; `passed` speaks about all other checks.

mod cms;
mod context;
mod pdf;
mod report;
mod text;

pub use cms::{Content, validate_cms};
pub use context::{Context, RevocationMode};
pub use pdf::validate_pdf;
pub use report::{
    Check, Finding, Indication, Outcome, Report, SignatureReport, SubIndication, ValidationError,
};
