//! Second step: from a signature value to an artefact that was validated before anybody sees it.

use rubrica_core::cades::CadesError;
use rubrica_core::cms::{CmsError, SignedData};
use rubrica_core::pades::PadesError;
use rubrica_core::validation::{
    Content, Context, Indication, Report, ValidationError, validate_cms, validate_pdf,
};
use rubrica_core::wire::{SignatureFormat, SignatureProblem};
use rubrica_core::x509::PathError;
use rubrica_core::{ErrorCode, Timestamp};

use super::plan::{Plan, Shape};
use crate::fetch::StampError;
use crate::hex;
use crate::input::Input;
use crate::objects::sha256;
use crate::ports::SigningKeyError;
use crate::ports::cloud::CloudError;
use crate::ports::composer::ComposerError;
use crate::store::signatures::ArtefactRow;

/// Why a signature could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum SigningFailure {
    /// The PDF cannot be signed, or the value is wrong.
    #[error(transparent)]
    Pades(#[from] PadesError),
    /// The certificate, the key or the value is wrong.
    #[error(transparent)]
    Cms(#[from] CmsError),
    /// The same, for a signature in a file of its own.
    #[error(transparent)]
    Cades(#[from] CadesError),
    /// The token did not sign.
    #[error(transparent)]
    Token(#[from] SigningKeyError),
    /// The cloud service did not sign.
    #[error(transparent)]
    Cloud(#[from] CloudError),
    /// What makes the signature instead of our own code did not, or not this one.
    #[error(transparent)]
    Composer(#[from] ComposerError),
    /// Our own code was asked for a signature that a composer began.
    #[error("another program makes this signature")]
    MadeElsewhere,
    /// What was made cannot be read again.
    #[error("the new signature cannot be read: {0}")]
    Unreadable(#[from] ValidationError),
    /// The signer's certificate does not lead to a trusted root any more.
    #[error(transparent)]
    Path(#[from] PathError),
    /// No time-stamping authority is configured.
    #[error("no time-stamping authority is configured")]
    NoAuthority,
    /// The authority gave no time stamp, or not the one that was asked for.
    #[error(transparent)]
    TimeStamp(#[from] StampError),
    /// Nobody says whether a certificate was revoked.
    #[error("whether a certificate was revoked cannot be found out{0}")]
    RevocationUnknown(String),
    /// A certificate of a path was revoked.
    #[error("the certificate with serial number {serial} was revoked on {since}")]
    Revoked {
        /// Hexadecimal.
        serial: String,
        since: Timestamp,
    },
    /// The disk.
    #[error("the disk: {0}")]
    Io(#[from] std::io::Error),
    /// What was made does not pass our own validation.
    #[error("the new signature does not validate: {0}")]
    NotValid(String),
}

impl SigningFailure {
    pub(crate) fn code(&self) -> ErrorCode {
        match self {
            Self::Pades(error) => error.code(),
            Self::Cms(error) => error.code(),
            Self::Cades(error) => error.code(),
            Self::Token(error) => crate::http::problem::token_error_code(error),
            Self::Cloud(error) => error.code(),
            Self::Composer(error) => error.code(),
            Self::Path(error) => error.code(),
            Self::NoAuthority => ErrorCode::TimeStampUnavailable,
            Self::TimeStamp(error) => error.code(),
            Self::RevocationUnknown(_) => ErrorCode::RevocationUnknown,
            Self::Revoked { .. } => ErrorCode::CertificateRevoked,
            Self::MadeElsewhere | Self::Unreadable(_) | Self::Io(_) | Self::NotValid(_) => {
                ErrorCode::Internal
            }
        }
    }

    /// Whether the same may succeed later without anybody acting on the signature: an authority is down, refuses for now
    /// or is misconfigured, which its operator mends.
    pub(crate) fn is_transient(&self) -> bool {
        matches!(
            self,
            Self::NoAuthority
                | Self::TimeStamp(_)
                | Self::RevocationUnknown(_)
                | Self::Composer(ComposerError::Unavailable(_))
        )
    }

    /// What the row and the API say.
    pub(crate) fn to_problem(&self) -> SignatureProblem {
        SignatureProblem { code: self.code(), detail: self.to_string() }
    }
}

/// A finished, validated artefact.
#[derive(Debug)]
pub(crate) struct Sealed {
    /// What follows the document (PAdES) or stands beside it (CAdES).
    pub(crate) tail: Vec<u8>,
    /// Length of the whole artefact.
    pub(crate) size_bytes: u64,
    /// Digest of the whole artefact.
    pub(crate) sha256: [u8; 32],
}

/// Verifies the value against the pinned bytes, embeds it, reads the result from zero and validates it.
///
/// For PAdES `document` becomes the signed file. Takes time in proportion to the document: call it off the async threads.
pub(crate) fn seal(
    plan: &Plan,
    shape: &Shape,
    document: &mut Input,
    signature_value: &[u8],
    context: &Context,
) -> Result<Sealed, SigningFailure> {
    let tail = plan.embed(signature_value)?;
    match plan {
        Plan::Composed(_) => Err(SigningFailure::MadeElsewhere),
        Plan::Pades(_) => {
            document.append(&tail)?;
            check_pdf(document, context, Followed::Never)?;
            Ok(Sealed { size_bytes: document.size_bytes(), sha256: document.sha256()?, tail })
        }
        Plan::Cades(_) => {
            check_cms(&tail, shape, document, context)?;
            Ok(Sealed { size_bytes: tail.len() as u64, sha256: sha256(&tail), tail })
        }
    }
}

/// What may follow a new signature in its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Followed {
    /// Nothing.
    Never,
    /// Revisions with validation data and document time stamps, which the validation judges.
    ByProofs,
}

/// Checks the new signature of a PDF.
pub(super) fn check_pdf(
    document: &Input,
    context: &Context,
    followed: Followed,
) -> Result<(), SigningFailure> {
    check_last(&validate_pdf(document.file(), context)?, followed)
}

/// Checks the new signature of a CMS.
pub(super) fn check_cms(
    cms: &[u8],
    shape: &Shape,
    document: &Input,
    context: &Context,
) -> Result<(), SigningFailure> {
    let is_inside = SignedData::parse(cms)?.content().is_some();
    let content = if is_inside { Content::Inside } else { Content::File(document.file()) };
    let report = validate_cms(cms, content, context)?;
    match shape {
        Shape::Detached | Shape::Enveloping | Shape::CoSignature(_) => check_last(&report, Followed::Never),
        // The value was verified when it was put in; here the signature below must still hold together.
        Shape::CounterSignature(_, position) => match report.signatures.get(*position) {
            Some(signature) if signature.indication != Indication::Failed => Ok(()),
            _ => Err(SigningFailure::NotValid("the countersigned signature fails".to_owned())),
        },
    }
}

/// The last signature is the new one; earlier ones of the document are not ours to judge.
pub(super) fn check_last(report: &Report, followed: Followed) -> Result<(), SigningFailure> {
    let signature = report.signatures.last().ok_or(ValidationError::NotSigned)?;
    let is_at_the_end = signature.covers_whole_file != Some(false) || followed == Followed::ByProofs;
    if signature.indication == Indication::Passed && is_at_the_end {
        return Ok(());
    }
    let findings: Vec<_> = signature
        .findings
        .iter()
        .filter(|finding| finding.sub_indication.is_some())
        .map(|finding| format!("{}: {}", finding.check.as_str(), finding.evidence))
        .collect();
    Err(SigningFailure::NotValid(findings.join("; ")))
}

/// The row of an artefact.
pub(crate) fn row(
    sealed: &Sealed,
    format: SignatureFormat,
    document_name: &str,
    tail: [u8; 32],
    released_at: Timestamp,
) -> ArtefactRow {
    tracing::debug!(artefact.sha256 = hex::encode(sealed.sha256), "artefact sealed");
    ArtefactRow {
        name: artefact_name(format, document_name),
        media_type: match format {
            SignatureFormat::Pades => "application/pdf",
            SignatureFormat::Cades => "application/pkcs7-signature",
        }
        .to_owned(),
        size_bytes: sealed.size_bytes,
        sha256: sealed.sha256,
        tail,
        released_at,
    }
}

/// `contrato.pdf` becomes `contrato-assinado.pdf` or `contrato.pdf.p7s`.
pub(crate) fn artefact_name(format: SignatureFormat, document_name: &str) -> String {
    match format {
        SignatureFormat::Pades => {
            let stem = match document_name.rsplit_once('.') {
                Some((stem, extension)) if extension.eq_ignore_ascii_case("pdf") && !stem.is_empty() => stem,
                _ => document_name,
            };
            format!("{stem}-assinado.pdf")
        }
        SignatureFormat::Cades => format!("{document_name}.p7s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn artefacts_are_named_after_their_document() {
        for (format, document, artefact) in [
            (SignatureFormat::Pades, "contrato.pdf", "contrato-assinado.pdf"),
            (SignatureFormat::Pades, "a.b.PDF", "a.b-assinado.pdf"),
            (SignatureFormat::Pades, "contrato", "contrato-assinado.pdf"),
            (SignatureFormat::Pades, ".pdf", ".pdf-assinado.pdf"),
            (SignatureFormat::Cades, "contrato.pdf", "contrato.pdf.p7s"),
        ] {
            assert_eq!(artefact_name(format, document), artefact);
        }
    }
}
