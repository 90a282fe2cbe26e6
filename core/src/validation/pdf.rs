//! Checks of the signatures inside a PDF (ISO 32000-2 §12.8, ETSI EN 319 142-1).
//!
//! The CMS inside is checked as any other; here it is checked that it is about *this file*: that the signed
//! bytes are the whole file but the signature itself, or a whole earlier revision of it after which nothing
//! but permitted changes came. The known attacks aim at exactly these places: signature forgery by missing
//! entries, signature wrapping by a second xref or a wide gap, and content added by a later revision.

mod coverage;
mod date;
mod dictionary;
mod permissions;
mod revision;

pub use coverage::{Coverage, PdfSignatureReport};
pub use revision::PdfRevision;

use coverage::check_coverage;
use dictionary::{PdfSignature, Refused, check_dictionary, check_entries, read_signature};

use const_oid::ObjectIdentifier;

use super::cms::{Content, SignatureKind, signature_report};
use super::{Check, Context, Finding, Report, SignatureReport, SubIndication, ValidationError};
use crate::cms::{SignedAttributes, SignedData};
use crate::digest::DigestAlgorithm;
use crate::pdf::{Document, File, History, Object, PdfError, SignatureField, signature_fields};
use crate::wire::SignatureFormat;

/// Signatures of one file: each costs a digest of the file.
const MAX_SIGNATURES: usize = 500;
/// sigPolicyId: the attribute by which a signature declares its policy (RFC 5126 §5.8.1).
const SIGNATURE_POLICY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.2.15");

/// Validates every signature in a PDF, in the order in which they were made.
///
/// # Errors
/// `not_a_pdf`, `pdf_damaged`, `pdf_encrypted`, `pdf_unsupported`; `not_signed` when no field holds a
/// signature.
pub fn validate_pdf<'a>(file: impl Into<File<'a>>, context: &Context) -> Result<Report, ValidationError> {
    let document = Document::open(file)?;
    let fields = signature_fields(&document)?;
    if fields.is_empty() {
        return Err(ValidationError::NotSigned);
    }
    if fields.len() > MAX_SIGNATURES {
        return Err(PdfError::limit("signatures", MAX_SIGNATURES as u64).into());
    }
    let read: Vec<_> = fields.iter().map(|field| read_signature(&document, field)).collect();
    let ends: Vec<u64> = read.iter().flatten().map(|signature| signature.end).collect();
    let history = History::read(&document, &ends);
    let file = OpenFile { document, fields, history };
    let mut reports: Vec<(u64, SignatureReport)> = file
        .fields
        .iter()
        .zip(&read)
        .map(|(field, signature)| {
            let end = signature.as_ref().map_or(u64::MAX, |signature| signature.end);
            (end, field_report(&file, field, signature.as_ref(), context))
        })
        .collect();
    reports.sort_by_key(|(end, _)| *end);
    let mut report = Report::new(context.at, reports.into_iter().map(|(_, report)| report).collect());
    report.revisions = revision::list(&file, &read);
    Ok(report)
}

/// What is looked up for every signature of a file.
struct OpenFile<'a> {
    document: Document<'a>,
    fields: Vec<SignatureField>,
    history: History,
}

fn field_report(
    file: &OpenFile<'_>,
    field: &SignatureField,
    signature: Result<&PdfSignature, &Refused>,
    context: &Context,
) -> SignatureReport {
    let mut report = SignatureReport::new(SignatureFormat::Pades);
    match signature {
        Ok(signature) => {
            let holds_cms = check_dictionary(&mut report, file, field, signature);
            let evidence = signature.byte_range.map(|number| number.to_string()).join(" ");
            report.passed(Check::PdfByteRange, format!("{evidence}: everything but the signature"));
            report.covers_whole_file = Some(signature.end == file.document.file().len());
            check_coverage(&mut report, file, signature);
            if holds_cms {
                check_cms(&mut report, &file.document, signature, context);
            }
        }
        Err((check, evidence)) => {
            report.pdf = Some(PdfSignatureReport::unclear());
            report.failed(*check, SubIndication::FormatFailure, evidence);
        }
    }
    report.field = Some(field.name.clone());
    report.conclude();
    report
}

fn check_cms(
    report: &mut SignatureReport,
    document: &Document<'_>,
    signature: &PdfSignature,
    context: &Context,
) {
    let failed = |report: &mut SignatureReport, evidence: String| {
        report.failed(Check::Format, SubIndication::FormatFailure, evidence);
    };
    let signed = match SignedData::parse_zero_padded(&signature.contents) {
        Ok(signed) => signed,
        Err(error) => return failed(report, error.to_string()),
    };
    let Some(signer) = signed.signers().first() else {
        return failed(report, "the SignedData has no signer".to_owned());
    };
    let signed_parts = [0..signature.gap.start, signature.gap.end..signature.end];
    // Without an algorithm that is known, the digest is not asked for.
    let algorithm = DigestAlgorithm::from_oid(signer.digest_algorithm()).unwrap_or(DigestAlgorithm::Sha256);
    let digest = match document.file().digest(algorithm, &signed_parts) {
        Ok(digest) => digest,
        Err(error) => return failed(report, error.to_string()),
    };
    let cms = signature_report(&signed, signer, Content::Digest(&digest), context, SignatureKind::Pades);
    let about_pdf: Vec<Finding> = core::mem::take(&mut report.findings);
    let (covers_whole_file, pdf) = (report.covers_whole_file, report.pdf.take());
    *report = SignatureReport { covers_whole_file, pdf, ..cms };
    report.findings.splice(0..0, about_pdf);
    let attributes = signer.signed_attributes.as_deref().map(SignedAttributes::parse);
    let declares_policy = matches!(&attributes, Some(Ok(attributes)) if attributes.has(SIGNATURE_POLICY));
    check_entries(report, signature, declares_policy);
    let stated = signature.dictionary.get(b"M").and_then(Object::as_string).and_then(date::parse);
    report.claimed_time = report.claimed_time.or(stated);
}

#[cfg(test)]
mod tests;
