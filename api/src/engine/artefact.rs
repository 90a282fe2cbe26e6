//! Second step: from a signature value to an artefact that was validated before anybody sees it.

use rubrica_core::ErrorCode;
use rubrica_core::cades::CadesError;
use rubrica_core::cms::CmsError;
use rubrica_core::pades::PadesError;
use rubrica_core::validation::{
    Content, Context, Indication, Report, ValidationError, validate_cms, validate_pdf,
};
use rubrica_core::wire::{SignatureFormat, SignatureProblem};
use rubrica_core::x509::PathError;

use super::plan::Plan;
use crate::hex;
use crate::objects::sha256;
use crate::ports::SigningKeyError;
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
    /// What was made cannot be read again.
    #[error("the new signature cannot be read: {0}")]
    Unreadable(#[from] ValidationError),
    /// The signer's certificate does not lead to a trusted root any more.
    #[error(transparent)]
    Path(#[from] PathError),
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
            Self::Path(error) => error.code(),
            Self::Unreadable(_) | Self::NotValid(_) => ErrorCode::Internal,
        }
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
/// Takes time in proportion to the document: call it off the async threads.
pub(crate) fn seal(
    plan: &Plan,
    mut document: Vec<u8>,
    signature_value: &[u8],
    context: &Context,
) -> Result<Sealed, SigningFailure> {
    let tail = plan.embed(signature_value)?;
    match plan {
        Plan::Pades(_) => {
            document.extend_from_slice(&tail);
            let report = validate_pdf(&document, context)?;
            check_last(&report)?;
            Ok(Sealed { size_bytes: document.len() as u64, sha256: sha256(&document), tail })
        }
        Plan::Cades(_) => {
            let report = validate_cms(&tail, Content::Bytes(&document), context)?;
            check_last(&report)?;
            Ok(Sealed { size_bytes: tail.len() as u64, sha256: sha256(&tail), tail })
        }
    }
}

/// The last signature is the new one; earlier ones of the document are not ours to judge.
fn check_last(report: &Report) -> Result<(), SigningFailure> {
    let signature = report.signatures.last().ok_or(ValidationError::NotSigned)?;
    if signature.indication == Indication::Passed && signature.covers_whole_file != Some(false) {
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
    released_at: rubrica_core::Timestamp,
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
