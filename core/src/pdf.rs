//! PDF files as far as signing needs them: a bounded reader and a writer of incremental updates.
//!
//! The reader is **strict and lazy**. Strict, because two programs that read one file in two ways are how
//! signatures get forged: what is ambiguous is refused, never repaired. Lazy, because a signature touches
//! five objects: cross-reference rows are decoded when asked for, and nothing else of the file is looked at.
//! So the cost does not grow with the document, and a damaged page 700 is none of our business.
//!
//! Nothing reads the file whole: bytes come from a [`File`], which is memory or anything that implements
//! [`Source`]. Offsets are `u64` bytes from the start of the file.
//!
//! **What is refused, and why.** Other readers repair these, each in its own way, and then show different
//! documents:
//! bytes before the header; no `startxref` with `%%EOF` at the end; a `startxref`, `Prev`, row or `Length` that is
//! off by a byte; rows of other than 20 bytes; an object twice in one section; a dictionary with a key twice; a
//! `Size` that is too small; a hybrid section that names two places for one object; trailers that disagree about
//! encryption; loops. Not read at all: certificate encryption, message authentication codes (ISO/TS 32004), filters
//! other than FlateDecode in what signing has to read. Limits on depth, count, length and work have an error of
//! their own, [`PdfError::Limit`]; whatever the file, reading takes less than 64 MiB.
//!
//! Source: ISO 32000-2 (PDF 2.0), §7 for the syntax, §12.7 for forms, §12.8 for signatures.

mod changes;
mod crypt;
mod document;
mod field;
mod filter;
mod object;
mod parser;
#[cfg(test)]
pub(crate) mod sample;
mod source;
#[cfg(test)]
mod tests;
mod update;
mod xref;

pub(crate) use changes::History;
pub(crate) use document::{Document, IndirectObject};
pub(crate) use field::{
    FormField, SignatureField, form_fields, signature_fields, text_string, write_text_string,
};
pub(crate) use object::{Dictionary, Object, Reference, write_hex};
pub(crate) use parser::{Parser, hex_value};
pub(crate) use update::{IncrementalUpdate, Revision};
pub(crate) use xref::{Entry, Section, SectionKind};

pub use changes::{Change, ChangeKind, ModificationLevel, changes_since};
pub use source::{File, Source, SourceError};

use crate::ErrorCode;

/// Why a PDF cannot be read or extended.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PdfError {
    /// The bytes do not begin as a PDF.
    #[error("the file does not begin with %PDF-")]
    NotAPdf,
    /// The structure cannot be followed: cut off, overwritten or written wrongly.
    #[error("damaged PDF at byte {offset}: {what}")]
    Damaged {
        /// Where the reader stood, in bytes from the start of the file or of the stream it was reading.
        offset: u64,
        /// What was expected or found there.
        what: &'static str,
    },
    /// The file is encrypted and cannot be opened without a password.
    #[error("the PDF is encrypted and needs a password")]
    Encrypted,
    /// The password is neither the owner's nor the user's.
    #[error("the password does not open the PDF")]
    PasswordWrong,
    /// The permissions of an encrypted file do not let the user do this; the owner may.
    #[error("the permissions of the encrypted PDF forbid {what}")]
    Forbidden {
        /// What is not allowed.
        what: &'static str,
    },
    /// A well-formed structure that we do not sign.
    #[error("the PDF uses {what}")]
    Unsupported {
        /// The structure, as the object of "uses".
        what: &'static str,
    },
    /// Size, depth, count or work is beyond what is read here.
    #[error("the PDF exceeds a limit: {maximum} {what}")]
    Limit {
        /// What is limited, as a plural: "levels of nested objects".
        what: &'static str,
        /// How much of it is allowed.
        maximum: u64,
    },
    /// The bytes of the file cannot be had.
    #[error("the file cannot be read: {0}")]
    Source(#[from] SourceError),
}

impl PdfError {
    pub(crate) const fn damaged(offset: u64, what: &'static str) -> Self {
        Self::Damaged { offset, what }
    }

    pub(crate) const fn unsupported(what: &'static str) -> Self {
        Self::Unsupported { what }
    }

    pub(crate) const fn limit(what: &'static str, maximum: u64) -> Self {
        Self::Limit { what, maximum }
    }

    /// The stable code: `not_a_pdf`, `pdf_damaged`, `pdf_encrypted`, `pdf_password_wrong`,
    /// `pdf_signing_forbidden`, `pdf_unsupported`, `limit_exceeded` or `file_unreadable`.
    #[must_use]
    pub const fn code(&self) -> ErrorCode {
        match self {
            Self::NotAPdf => ErrorCode::NotAPdf,
            Self::Damaged { .. } => ErrorCode::PdfDamaged,
            Self::Encrypted => ErrorCode::PdfEncrypted,
            Self::PasswordWrong => ErrorCode::PdfPasswordWrong,
            Self::Forbidden { .. } => ErrorCode::PdfSigningForbidden,
            Self::Unsupported { .. } => ErrorCode::PdfUnsupported,
            Self::Limit { .. } => ErrorCode::LimitExceeded,
            Self::Source(_) => ErrorCode::FileUnreadable,
        }
    }
}
