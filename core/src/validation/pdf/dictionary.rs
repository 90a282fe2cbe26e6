//! The signature dictionary (ISO 32000-2 §12.8.1, table 255) and its place in the file.

use core::ops::Range;

use super::OpenFile;
use crate::pdf::{Dictionary, Document, Object, PdfError, Reference, SignatureField, hex_value};
use crate::validation::{Check, SignatureReport, SubIndication};

/// A signature dictionary whose ByteRange leaves out its Contents and nothing else.
#[derive(Debug)]
pub(super) struct PdfSignature {
    pub(super) reference: Reference,
    pub(super) dictionary: Dictionary,
    /// Bytes of the Contents string.
    pub(super) contents: Vec<u8>,
    pub(super) byte_range: [u64; 4],
    /// Where the dictionary stands in the file.
    pub(super) span: Range<u64>,
    /// The Contents string with its delimiters, in the file.
    pub(super) gap: Range<u64>,
    /// End of the second signed part.
    pub(super) end: u64,
}

/// Why a dictionary is no signature over this file: the check that failed, and what was seen.
pub(super) type Refused = (Check, String);

pub(super) fn read_signature(
    document: &Document<'_>,
    field: &SignatureField,
) -> Result<PdfSignature, Refused> {
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
            let (dictionary, span) = (dictionary.clone(), span.clone());
            Ok(PdfSignature { reference, dictionary, contents, byte_range, span, gap, end })
        }
        _ => Err((
            Check::PdfByteRange,
            format!("ByteRange {start} {first} {second} {rest} does not leave out exactly bytes {gap:?}"),
        )),
    }
}

/// Four direct whole numbers. References are not followed: what they mean may change.
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
pub(super) fn check_dictionary(
    report: &mut SignatureReport,
    file: &OpenFile<'_>,
    field: &SignatureField,
    signature: &PdfSignature,
) -> bool {
    let check = Check::PdfDictionary;
    let sharing = file.fields.iter().filter(|other| other.value == field.value);
    if sharing.count() > 1 {
        let evidence = "several fields have the same signature";
        report.failed(check, SubIndication::FormatFailure, evidence);
    }
    if file.fields.iter().filter(|other| other.name == field.name).count() > 1 {
        report.warning(check, "several signature fields have the same name");
    }
    let sub_filter = signature.dictionary.get(b"SubFilter").and_then(Object::as_name).unwrap_or_default();
    let name = String::from_utf8_lossy(sub_filter);
    let is_time_stamp = signature.dictionary.has_name(b"Type", b"DocTimeStamp");
    match sub_filter {
        b"ETSI.CAdES.detached" | b"PBAD.PAdES" | b"PBAD_PAdES" | b"adbe.pkcs7.detached" if !is_time_stamp => {
            report.passed(check, format!("SubFilter {name}"));
            if sub_filter == b"adbe.pkcs7.detached" {
                report.warning(check, "the signature follows ISO 32000-1, not PAdES");
            }
            true
        }
        b"ETSI.RFC3161" if is_time_stamp || !signature.dictionary.has_name(b"Type", b"Sig") => {
            report.passed(check, format!("SubFilter {name}"));
            false
        }
        b"adbe.pkcs7.sha1" | b"adbe.x509.rsa_sha1" => {
            let evidence = format!("SubFilter {name} signs a SHA-1 digest, which proves nothing any more");
            report.indeterminate(check, SubIndication::CryptoConstraintsFailure, evidence);
            false
        }
        _ => {
            let what = if is_time_stamp { "a document time stamp of " } else { "" };
            let evidence = format!("{what}SubFilter {name} is not read here");
            report.indeterminate(check, SubIndication::Generic, evidence);
            false
        }
    }
}

/// Entries that a signature with certificates of its own must not have (ETSI EN 319 142-1 §6.3; DOC-ICP-15.03,
/// table of the signature dictionary).
pub(super) fn check_entries(report: &mut SignatureReport, signature: &PdfSignature, declares_policy: bool) {
    let check = Check::PdfDictionary;
    let present = |keys: &[&'static str]| -> Vec<&'static str> {
        keys.iter().copied().filter(|key| signature.dictionary.get(key.as_bytes()).is_some()).collect()
    };
    let is_pbad = matches!(
        signature.dictionary.get(b"SubFilter").and_then(Object::as_name),
        Some(b"PBAD.PAdES" | b"PBAD_PAdES")
    );
    let forbidden = present(&["Cert", "R", "Prop_AuthType"]);
    if !forbidden.is_empty() {
        let entries = forbidden.join(", ");
        if is_pbad || declares_policy {
            let evidence = format!("the policies of ICP-Brasil forbid {entries}");
            report.indeterminate(check, SubIndication::SigConstraintsFailure, evidence);
        } else {
            report.warning(check, format!("PAdES has no use for {entries}"));
        }
    }
    if declares_policy && !is_pbad {
        // The official verifier warns of it too; few readers know the names that the norm asks for.
        report.warning(check, "the policies of ICP-Brasil ask for Filter PBAD_PAdES, SubFilter PBAD.PAdES");
    }
    if declares_policy && !is_pbad && !present(&["Reason"]).is_empty() {
        report.warning(check, "PAdES forbids Reason beside a signature policy");
    }
}
