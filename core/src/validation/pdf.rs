//! Checks of the signatures inside a PDF (ISO 32000-2 §12.8, ETSI EN 319 142-1).
//!
//! The CMS inside is checked as any other; here it is checked that it is about *this file*: that the signed
//! bytes are the whole file but the signature itself, or a whole earlier revision of it after which nothing
//! but permitted changes came. The known attacks aim at exactly these places: signature forgery by missing
//! entries, signature wrapping by a second xref or a wide gap, and content added by a later revision.

mod coverage;
mod date;
mod dictionary;
mod long_term;
mod permissions;
mod policy_entries;
mod revision;

pub use coverage::{Coverage, PdfSignatureReport};
pub use revision::PdfRevision;
pub(super) use revision::write_history;

use coverage::check_coverage;
use dictionary::{PdfSignature, Refused, check_dictionary, check_entries, read_signature};

use super::cms::{Content, Role, Setting, Subject, Surroundings, signature_report};
use super::document::{DocumentStamps, without_padding};
use super::{Check, Context, Finding, Report, SignatureReport, SubIndication, ValidationError};
use crate::cms::{SignedAttributes, SignedData};
use crate::digest::DigestAlgorithm;
use crate::pdf::{Document, File, History, Object, PdfError, SignatureField, signature_fields};
use crate::wire::SignatureFormat;

/// Signatures of one file: each costs a digest of the file.
const MAX_SIGNATURES: usize = 500;

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
    let allowance = long_term::Allowance::new();
    let store = long_term::security_store(&file.document, &allowance);
    let (stamps, signatures): (Vec<_>, Vec<_>) = file
        .fields
        .iter()
        .zip(&read)
        .partition(|(_, signature)| signature.as_ref().is_ok_and(long_term::is_document_stamp));
    let stamps = stamps
        .into_iter()
        .filter_map(|(field, signature)| Some((field, signature.as_ref().ok()?)))
        .map(|(field, signature)| {
            let mut about_pdf = SignatureReport::new(SignatureFormat::Pades);
            check_place(&mut about_pdf, &file, field, signature);
            long_term::document_stamp(&file, &field.name, signature, about_pdf, &allowance)
        })
        .collect();
    let stamps = DocumentStamps::validate(stamps, &store, context);
    let mut reports: Vec<(u64, SignatureReport)> = signatures
        .into_iter()
        .map(|(field, signature)| {
            let end = signature.as_ref().map_or(u64::MAX, |signature| signature.end);
            let proofs = stamps.proofs_before(end);
            let surroundings = Surroundings { evidence: store.clone(), proofs, ..Surroundings::default() };
            (end, field_report(&file, field, signature.as_ref(), &stamps, surroundings, context))
        })
        .collect();
    reports.sort_by_key(|(end, _)| *end);
    let mut report = Report::new(context.at, reports.into_iter().map(|(_, report)| report).collect());
    report.add_time_stamps(stamps.reports(), stamps.wanted());
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
    stamps: &DocumentStamps,
    surroundings: Surroundings,
    context: &Context,
) -> SignatureReport {
    let mut report = SignatureReport::new(SignatureFormat::Pades);
    match signature {
        Ok(signature) => {
            if check_place(&mut report, file, field, signature) {
                check_cms(&mut report, file, signature, stamps, surroundings, context);
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

/// Dictionary, ByteRange and coverage. Says whether Contents is a signature that is read here.
fn check_place(
    report: &mut SignatureReport,
    file: &OpenFile<'_>,
    field: &SignatureField,
    signature: &PdfSignature,
) -> bool {
    let holds_cms = check_dictionary(report, file, field, signature);
    let evidence = signature.byte_range.map(|number| number.to_string()).join(" ");
    report.passed(Check::PdfByteRange, format!("{evidence}: everything but the signature"));
    report.covers_whole_file = Some(signature.end == file.document.file().len());
    check_coverage(report, file, signature);
    holds_cms
}

fn check_cms(
    report: &mut SignatureReport,
    open: &OpenFile<'_>,
    signature: &PdfSignature,
    stamps: &DocumentStamps,
    surroundings: Surroundings,
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
    let digest = match open.document.file().digest(algorithm, &signed_parts) {
        Ok(digest) => digest,
        Err(error) => return failed(report, error.to_string()),
    };
    let content = Content::Digest(&digest);
    let file = Some((without_padding(&signature.contents), 0));
    let subject = Subject { signed: &signed, signer, content, role: Role::Pades, file };
    let claimed_time = signature.dictionary.get(b"M").and_then(Object::as_string).and_then(date::parse);
    let set = signer.signed_attributes.as_deref();
    let declared = set.and_then(|set| SignedAttributes::parse(set).ok());
    let policy_entries = declared
        .is_some_and(|attributes| attributes.declares_policy())
        .then(|| policy_entries::policy_entries(open, signature, stamps));
    let surroundings = Surroundings { claimed_time, policy_entries, ..surroundings };
    let cms = signature_report(subject, &Setting::inside(context, &surroundings));
    let about_pdf: Vec<Finding> = core::mem::take(&mut report.findings);
    let (covers_whole_file, pdf) = (report.covers_whole_file, report.pdf.take());
    *report = SignatureReport { covers_whole_file, pdf, ..cms };
    report.findings.splice(0..0, about_pdf);
    let declares_policy = report.policy.is_some();
    check_entries(report, signature, declares_policy);
}

#[cfg(test)]
mod tests;
