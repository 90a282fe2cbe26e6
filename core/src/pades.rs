//! PAdES: a signature inside a PDF, in two steps (ETSI EN 319 142-1, ISO 32000-2 §12.8).
//!
//! [`prepare`] builds the revision that carries the signature, with zeros where the signature will stand, and
//! the attributes to be signed. Both are pinned in a [`PdfPlan`]. [`PdfPlan::embed`] puts the signature value
//! in. The document itself is only read: it is hashed once and never copied.

mod form;
mod plan;
mod prepare;
#[cfg(test)]
pub(crate) mod tests;

pub use plan::PdfPlan;
pub use prepare::{PrepareOptions, prepare};

pub(crate) use form::docmdp_permission;

use crate::ErrorCode;
use crate::cms::CmsError;
use crate::pdf::PdfError;

/// Why a PDF cannot be signed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PadesError {
    /// The PDF cannot be read or extended.
    #[error(transparent)]
    Pdf(#[from] PdfError),
    /// A certification signature forbids changes: DocMDP with P = 1 (ISO 32000-2 §12.8.2.2).
    #[error("a certification signature in the PDF forbids any change")]
    SigningForbidden,
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
    /// The stable code: the one of the PDF or CMS error, `pdf_signing_forbidden` or
    /// `contents_slot_too_small`.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Pdf(error) => error.code(),
            Self::SigningForbidden => ErrorCode::PdfSigningForbidden,
            Self::Cms(error) => error.code(),
            Self::SlotTooSmall { .. } => ErrorCode::ContentsSlotTooSmall,
        }
    }
}
