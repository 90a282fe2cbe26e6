//! What makes a document risky to sign: it can act, change or show something else later.
//!
//! A signature over such a document holds, and yet the reader may be shown what the signer never saw. So
//! this is looked for before signing, in the catalogue, in the form and on the first pages; nothing is run,
//! and no stream is decoded.

mod walk;

use super::PadesError;
use crate::pdf::{Document, File};

/// Something in a document that may change what it shows or does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Concern {
    /// A script of the document, of a page, or of a field.
    JavaScript,
    /// An action that starts a program.
    Launch,
    /// An action that sends the form away.
    SubmitForm,
    /// An action that fills the form from a file.
    ImportData,
    /// An XFA form, which readers show instead of the pages.
    Xfa,
    /// A stream whose bytes lie in another file.
    ExternalStream,
    /// A filter that no standard defines.
    UnknownFilter,
    /// Layers that differ between the screen, the printer and an export.
    ContentDiffersWhenPrinted,
    /// Layers that are off.
    HiddenContent,
    /// Files inside the document.
    EmbeddedFiles,
    /// Usage rights (`/UR3`), which a signature makes invalid: Acrobat warns.
    UsageRights,
    /// Fields whose appearance each reader makes anew (`/NeedAppearances`).
    NeedAppearances,
    /// More pages or annotations than are looked at.
    NotAllInspected,
}

impl Concern {
    /// Every concern, the gravest first.
    pub const ALL: [Self; 13] = [
        Self::JavaScript,
        Self::Launch,
        Self::SubmitForm,
        Self::ImportData,
        Self::Xfa,
        Self::ExternalStream,
        Self::UnknownFilter,
        Self::ContentDiffersWhenPrinted,
        Self::HiddenContent,
        Self::EmbeddedFiles,
        Self::UsageRights,
        Self::NeedAppearances,
        Self::NotAllInspected,
    ];

    /// The wire name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::JavaScript => "javascript",
            Self::Launch => "launch",
            Self::SubmitForm => "submit_form",
            Self::ImportData => "import_data",
            Self::Xfa => "xfa",
            Self::ExternalStream => "external_stream",
            Self::UnknownFilter => "unknown_filter",
            Self::ContentDiffersWhenPrinted => "content_differs_when_printed",
            Self::HiddenContent => "hidden_content",
            Self::EmbeddedFiles => "embedded_files",
            Self::UsageRights => "usage_rights",
            Self::NeedAppearances => "need_appearances",
            Self::NotAllInspected => "not_all_inspected",
        }
    }

    /// What it is, as the object of "has".
    pub(super) const fn description(self) -> &'static str {
        match self {
            Self::JavaScript => "a script",
            Self::Launch => "an action that starts a program",
            Self::SubmitForm => "an action that sends a form",
            Self::ImportData => "an action that imports data",
            Self::Xfa => "an XFA form",
            Self::ExternalStream => "content in another file",
            Self::UnknownFilter => "content in an unknown encoding",
            Self::ContentDiffersWhenPrinted => "layers that differ between screen and print",
            Self::HiddenContent => "layers that are off",
            Self::EmbeddedFiles => "embedded files",
            Self::UsageRights => "usage rights",
            Self::NeedAppearances => "fields without a fixed appearance",
            Self::NotAllInspected => "more pages than were inspected",
        }
    }

    const fn bit(self) -> u16 {
        1 << self as u16
    }
}

/// The concerns that forbid to sign; the others are for the caller to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusals(u16);

impl Refusals {
    /// Nothing is refused but XFA forms, which are not signed at all.
    pub const NONE: Self = Self(0);
    /// Scripts, actions that start, send or import, XFA, content elsewhere or in an unknown encoding, and
    /// layers that differ in print.
    pub const DEFAULT: Self = Self::NONE
        .with(Concern::JavaScript)
        .with(Concern::Launch)
        .with(Concern::SubmitForm)
        .with(Concern::ImportData)
        .with(Concern::Xfa)
        .with(Concern::ExternalStream)
        .with(Concern::UnknownFilter)
        .with(Concern::ContentDiffersWhenPrinted);

    /// The same and one more.
    #[must_use]
    pub const fn with(self, concern: Concern) -> Self {
        Self(self.0 | concern.bit())
    }

    /// The same without one.
    #[must_use]
    pub const fn without(self, concern: Concern) -> Self {
        Self(self.0 & !concern.bit())
    }

    /// Whether this concern forbids to sign.
    #[must_use]
    pub const fn contains(self, concern: Concern) -> bool {
        self.0 & concern.bit() != 0
    }
}

impl Default for Refusals {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// Looks for concerns, the gravest first.
///
/// Looks at the catalogue with its name trees, at the form, and at the first 64 pages with their annotations:
/// what a reader meets when it opens the file. The cost does not grow with the document.
///
/// # Errors
/// `not_a_pdf`, `pdf_damaged`, `pdf_encrypted`, `pdf_unsupported`, `limit_exceeded`.
pub fn inspect<'a>(pdf: impl Into<File<'a>>) -> Result<Vec<Concern>, PadesError> {
    Ok(walk::concerns(&Document::open(pdf)?)?)
}

/// Refuses a document with a concern that forbids to sign it.
///
/// # Errors
/// `pdf_unsupported`.
pub(super) fn check(document: &Document<'_>, refusals: Refusals) -> Result<(), PadesError> {
    if refusals == Refusals::NONE {
        return Ok(());
    }
    let found = walk::concerns(document)?;
    match found.into_iter().find(|concern| refusals.contains(*concern)) {
        Some(concern) => Err(PadesError::Refused(concern)),
        None => Ok(()),
    }
}
