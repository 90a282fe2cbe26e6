//! PAdES: a signature inside a PDF, in two steps (ETSI EN 319 142-1, ISO 32000-2 §12.8).
//!
//! [`prepare`] builds the revision that carries the signature, with zeros where the signature will stand, and
//! the attributes to be signed. Both are pinned in a [`PdfPlan`]. [`PdfPlan::embed`] puts the signature value
//! in. The document itself is only read: it is hashed once and never copied.

mod appearance;
mod dictionary;
mod dss;
mod field;
mod form;
mod inspect;
mod options;
mod permissions;
mod plan;
mod prepare;
mod revision;
mod seed;
#[cfg(test)]
pub(crate) mod tests;
mod time_stamp;

pub use appearance::{Appearance, Placement, Rectangle, signature_lines};
pub use dss::{PolicyArtifacts, ValidationData, add_validation_data};
pub use inspect::{Concern, Refusals, inspect};
pub use options::{Certification, FieldChoice, Options, SubFilter, TIME_STAMP_RESERVE_BYTES};
pub use plan::PdfPlan;
pub use prepare::prepare;
pub use time_stamp::{TimeStampOptions, TimeStampPlan, prepare_time_stamp};

pub(crate) use permissions::docmdp_permission;

use crate::ErrorCode;
use crate::cms::CmsError;
use crate::icp_brasil::signature_policy::PolicyNotApplicable;
use crate::pdf::PdfError;
use crate::tsp::TspError;

/// Why a PDF cannot be signed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PadesError {
    /// The PDF cannot be read or extended.
    #[error(transparent)]
    Pdf(#[from] PdfError),
    /// The document has something that forbids to sign it ([`Options::refusals`]).
    #[error("the PDF has {}, and the settings forbid to sign that", .0.description())]
    Refused(Concern),
    /// An earlier signature forbids changes (DocMDP, ISO 32000-2 §12.8.2.2), or certification comes too late.
    #[error("the PDF cannot be signed this way: {0}")]
    SigningForbidden(&'static str),
    /// The form has no signature field of that name.
    #[error("the PDF has no signature field of that name")]
    FieldNotFound,
    /// The field, or the name for a new one, cannot be used; the text says why.
    #[error("the signature field cannot be used: {0}")]
    FieldUnusable(String),
    /// The visible signature cannot be drawn; the text says why.
    #[error("the visible signature cannot be drawn: {0}")]
    AppearanceInvalid(String),
    /// The signature policy does not allow this signature.
    #[error(transparent)]
    Policy(#[from] PolicyNotApplicable),
    /// EN 319 142-1 §6.3 forbids `/Reason` beside a signature policy.
    #[error("no reason may be stated in a signature with a policy")]
    ReasonBesidePolicy,
    /// A text for the signature dictionary is too long.
    #[error("name, location, contact and reason have at most {limit} characters")]
    TextTooLong {
        /// In characters.
        limit: usize,
    },
    /// The signature lacks what the level builds upon; the text says what.
    #[error("the signature cannot be raised to this level: {0}")]
    NotExtendable(&'static str),
    /// The time-stamp token cannot be read.
    #[error(transparent)]
    TimeStamp(#[from] TspError),
    /// The time-stamp token stamps something else than this file.
    #[error("the time stamp is not one of this file")]
    OtherTimeStamp,
    /// The CMS part failed: certificate, key or signature value.
    #[error(transparent)]
    Cms(#[from] CmsError),
    /// The finished CMS is longer than the space that was reserved for it. It never grows in place: prepare
    /// again.
    #[error("the signature needs {needed} bytes, {reserved} are reserved")]
    SlotTooSmall {
        /// Length of the CMS in bytes.
        needed: usize,
        /// Length of the reserved space in bytes, two hexadecimal digits each.
        reserved: usize,
    },
}

impl PadesError {
    /// The stable code: the one of the PDF or CMS error, or of the variant.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Pdf(error) => error.code(),
            Self::Refused(_) => ErrorCode::PdfUnsupported,
            Self::SigningForbidden(_) => ErrorCode::PdfSigningForbidden,
            Self::FieldNotFound => ErrorCode::SignatureFieldNotFound,
            Self::FieldUnusable(_) => ErrorCode::SignatureFieldUnusable,
            Self::AppearanceInvalid(_) => ErrorCode::AppearanceInvalid,
            Self::Policy(_) | Self::ReasonBesidePolicy => ErrorCode::PolicyNotApplicable,
            Self::NotExtendable(_) => ErrorCode::SignatureNotExtendable,
            Self::TimeStamp(error) => error.code(),
            Self::OtherTimeStamp => ErrorCode::TimeStampInvalid,
            Self::TextTooLong { .. } => ErrorCode::InvalidRequest,
            Self::Cms(error) => error.code(),
            Self::SlotTooSmall { .. } => ErrorCode::ContentsSlotTooSmall,
        }
    }
}
