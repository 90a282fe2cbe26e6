//! Checks of the signatures inside a PDF (ISO 32000-2 §12.8, ETSI EN 319 142-1).
//!
//! The CMS inside is checked as any other; here it is checked that it is about *this file*: that the signed
//! bytes are the whole file but the signature itself, or a whole earlier revision of it after which nothing
//! but further signatures came. The known attacks aim at exactly these places: signature forgery by missing
//! entries, signature wrapping by a second xref or a wide gap, and content added by a later revision.

mod date;

use core::ops::Range;

use super::cms::{Content, SignatureKind, signature_report};
use super::{Check, Context, Finding, Report, SignatureReport, SubIndication, ValidationError};
use crate::cms::SignedData;
use crate::digest::DigestAlgorithm;
use crate::pades::docmdp_permission;
use crate::pdf::{
    Dictionary, Document, File, LaterChanges, Object, PdfError, Reference, SignatureField, hex_value,
    later_changes, signature_fields,
};
use crate::wire::SignatureFormat;

/// Signatures of one file: each costs a digest of the file.
const MAX_SIGNATURES: usize = 500;
/// `%%EOF` is looked for in this many last bytes of what was signed.
const TAIL_BYTES: u64 = 2048;

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
        return Err(PdfError::unsupported("too many signatures").into());
    }
    let mut reports: Vec<(u64, SignatureReport)> = fields
        .iter()
        .map(|field| {
            let shared = fields.iter().filter(|other| other.value == field.value).count() > 1;
            field_report(&document, field, shared, context)
        })
        .collect();
    reports.sort_by_key(|(end, _)| *end);
    Ok(Report::new(context.at, reports.into_iter().map(|(_, report)| report).collect()))
}

/// The report on one field, with the end of the signed bytes.
fn field_report(
    document: &Document<'_>,
    field: &SignatureField,
    shared: bool,
    context: &Context,
) -> (u64, SignatureReport) {
    let mut report = SignatureReport::new(SignatureFormat::Pades);
    let mut end = u64::MAX;
    match read_signature(document, field) {
        Ok(signature) => {
            end = signature.end;
            let holds_cms = check_dictionary(&mut report, &signature, shared);
            let evidence = signature.byte_range.map(|number| number.to_string()).join(" ");
            report.passed(Check::PdfByteRange, format!("{evidence}: everything but the signature"));
            report.covers_whole_file = Some(signature.end == document.file().len());
            check_coverage(&mut report, document, &signature);
            if holds_cms {
                check_cms(&mut report, document, &signature, context);
            }
        }
        Err((check, evidence)) => report.failed(check, SubIndication::FormatFailure, evidence),
    }
    report.field = Some(field.name.clone());
    report.conclude();
    (end, report)
}

/// A signature dictionary whose ByteRange leaves out its Contents and nothing else.
struct PdfSignature {
    reference: Reference,
    dictionary: Dictionary,
    /// Bytes of the Contents string.
    contents: Vec<u8>,
    byte_range: [u64; 4],
    /// The Contents string with its delimiters, in the file.
    gap: Range<u64>,
    /// End of the second signed part.
    end: u64,
}

type Refused = (Check, String);

fn read_signature(document: &Document<'_>, field: &SignatureField) -> Result<PdfSignature, Refused> {
    let dictionary_error = |text: &str| (Check::PdfDictionary, text.to_owned());
    let unreadable = |error: PdfError| (Check::PdfDictionary, error.to_string());
    let reference = field
        .value
        .as_reference()
        .ok_or_else(|| dictionary_error("the value of the field is no reference"))?;
    let object = document.object(reference).map_err(unreadable)?;
    let object = object.ok_or_else(|| dictionary_error("the value of the field is missing"))?;
    let (Object::Dictionary(dictionary), None, Some(span)) = (&object.value, &object.stream, &object.span)
    else {
        return Err(dictionary_error("the value of the field is not a dictionary of its own"));
    };
    if dictionary.raw(b"Type").is_some_and(|name| !matches!(name.as_name(), Some(b"Sig" | b"DocTimeStamp"))) {
        return Err(dictionary_error("the Type of the dictionary is not Sig"));
    }
    let Some(byte_range) = dictionary.get(b"ByteRange").and_then(four_offsets) else {
        return Err((Check::PdfByteRange, "ByteRange is not four whole numbers from 0".to_owned()));
    };
    let gap = document.value_span(&object, b"Contents").map_err(unreadable)?;
    let gap = gap.ok_or_else(|| dictionary_error("there is no Contents"))?;
    let contents = contents_bytes(&document.file().read(gap.clone()).map_err(unreadable)?)
        .ok_or_else(|| dictionary_error("Contents is not one hexadecimal string"))?;
    let [start, first, second, rest] = byte_range;
    let end = second.checked_add(rest).filter(|end| *end <= document.file().len());
    match end {
        Some(end) if start == 0 && first == gap.start && second == gap.end && end >= span.end => {
            Ok(PdfSignature { reference, dictionary: dictionary.clone(), contents, byte_range, gap, end })
        }
        _ => Err((
            Check::PdfByteRange,
            format!("ByteRange {start} {first} {second} {rest} does not leave out exactly bytes {gap:?}"),
        )),
    }
}

fn four_offsets(object: &Object) -> Option<[u64; 4]> {
    let numbers: Option<Vec<u64>> =
        object.as_array()?.iter().map(|item| u64::try_from(item.as_integer()?).ok()).collect();
    numbers?.try_into().ok()
}

/// Decodes `<hex>`, strictly: these bytes are not signed, so nothing may hide in them. One alphabet, even
/// length, no white space.
fn contents_bytes(raw: &[u8]) -> Option<Vec<u8>> {
    let [b'<', digits @ .., b'>'] = raw else { return None };
    let is_lower = digits.iter().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'));
    let is_upper = digits.iter().all(|digit| matches!(digit, b'0'..=b'9' | b'A'..=b'F'));
    if digits.is_empty() || !digits.len().is_multiple_of(2) || !(is_lower || is_upper) {
        return None;
    }
    Some(digits.chunks_exact(2).map(|pair| hex_value(pair[0]) << 4 | hex_value(pair[1])).collect())
}

/// Says whether Contents is a signature that is read here.
fn check_dictionary(report: &mut SignatureReport, signature: &PdfSignature, shared: bool) -> bool {
    let check = Check::PdfDictionary;
    if shared {
        let evidence = "several fields have the same signature";
        report.failed(check, SubIndication::FormatFailure, evidence);
    }
    let sub_filter = signature.dictionary.get(b"SubFilter").and_then(Object::as_name).unwrap_or_default();
    let name = String::from_utf8_lossy(sub_filter);
    let is_time_stamp = signature.dictionary.has_name(b"Type", b"DocTimeStamp");
    match sub_filter {
        b"ETSI.CAdES.detached" | b"PBAD.PAdES" | b"adbe.pkcs7.detached" if !is_time_stamp => {
            report.passed(check, format!("SubFilter {name}"));
            if sub_filter == b"adbe.pkcs7.detached" {
                report.warning(check, "the signature follows ISO 32000-1, not PAdES");
            }
            true
        }
        _ => {
            let what = if is_time_stamp { "a document time stamp of " } else { "" };
            let evidence = format!("{what}SubFilter {name} is not read here");
            report.indeterminate(check, SubIndication::Generic, evidence);
            false
        }
    }
}

/// Whether the signed bytes are a whole revision, and what came after it.
fn check_coverage(report: &mut SignatureReport, document: &Document<'_>, signature: &PdfSignature) {
    if signature.end == document.file().len() {
        report.passed(Check::PdfCoverage, "the whole file");
        report.passed(Check::PdfModifications, "nothing follows the signature");
        return;
    }
    let prefix = document.file().prefix(signature.end);
    let tail = prefix.read(prefix.len().saturating_sub(TAIL_BYTES)..prefix.len());
    let ends_as_revision = tail.is_ok_and(|tail| tail.trim_ascii_end().ends_with(b"%%EOF"));
    let signed = Document::open(prefix).ok().filter(|_| ends_as_revision);
    let Some(signed) = signed else {
        let evidence = format!("the signed bytes end at {}, where no revision ends", signature.end);
        return report.failed(Check::PdfCoverage, SubIndication::FormatFailure, evidence);
    };
    if signed.entry(signature.reference.number) != document.entry(signature.reference.number) {
        let evidence = "the signature dictionary does not belong to the revision that it signs";
        return report.failed(Check::PdfCoverage, SubIndication::FormatFailure, evidence);
    }
    report.passed(Check::PdfCoverage, format!("a whole revision of {} bytes", signature.end));
    let check = Check::PdfModifications;
    let is_locked =
        signed.catalog().and_then(|(_, catalog)| docmdp_permission(&signed, &catalog)) == Ok(Some(1));
    match later_changes(&signed, document) {
        LaterChanges::Nothing => report.passed(check, "only white space follows the signature"),
        LaterChanges::Signatures if is_locked => report.failed(
            check,
            SubIndication::SigConstraintsFailure,
            "the certification signature forbids later revisions",
        ),
        LaterChanges::Signatures => report.passed(check, "only further signatures follow"),
        LaterChanges::Other(what) => {
            report.indeterminate(
                check,
                SubIndication::SigConstraintsFailure,
                format!("later changes: {what}"),
            );
        }
    }
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
    let covers_whole_file = report.covers_whole_file;
    *report = SignatureReport { covers_whole_file, ..cms };
    report.findings.splice(0..0, about_pdf);
    let stated = signature.dictionary.get(b"M").and_then(Object::as_string).and_then(date::parse);
    report.claimed_time = report.claimed_time.or(stated);
}

#[cfg(test)]
mod tests;
