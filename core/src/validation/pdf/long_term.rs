//! What a PDF carries for later validation: the document security store and document time stamps
//! (ETSI EN 319 142-1 §5.4).

use super::OpenFile;
use super::dictionary::PdfSignature;
use crate::pdf::{Dictionary, Document, Object, PdfError};
use crate::revocation::{Crl, Evidence, OcspResponse};
use crate::validation::document::DocumentStamp;
use crate::validation::{SignatureReport, TimeStampKind, TimeStampReport};
use crate::x509::Certificate;

/// Streams of one kind in a security store.
const MAX_STREAMS: usize = 1_000;

/// Certificates, CRLs and OCSP responses of the security store, those named in VRI entries included, which the main
/// lists hold too. What cannot be read helps nobody and is left out; without a store the evidence is empty.
pub(super) fn security_store(document: &Document<'_>) -> Evidence {
    read_store(document).unwrap_or_default()
}

fn read_store(document: &Document<'_>) -> Result<Evidence, PdfError> {
    let (_, catalog) = document.catalog()?;
    let Some(Object::Dictionary(store)) = document.value(&catalog, b"DSS")? else {
        return Ok(Evidence::default());
    };
    Ok(Evidence {
        certificates: streams(document, &store, b"Certs", |der| Certificate::from_der(der).ok())?,
        crls: streams(document, &store, b"CRLs", |der| Crl::from_der(der).ok())?,
        ocsp_responses: streams(document, &store, b"OCSPs", |der| OcspResponse::from_der(der).ok())?,
    })
}

fn streams<T>(
    document: &Document<'_>,
    store: &Dictionary,
    key: &[u8],
    read: impl Fn(&[u8]) -> Option<T>,
) -> Result<Vec<T>, PdfError> {
    let Some(Object::Array(list)) = document.value(store, key)? else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for item in list.iter().take(MAX_STREAMS) {
        let Some(object) = item.as_reference().map(|reference| document.object(reference)).transpose()?
        else {
            continue;
        };
        let Some(object) = object else { continue };
        let body = document.stream_body(&object)?;
        found.extend(body.and_then(|body| read(&body)));
    }
    Ok(found)
}

/// Whether the dictionary is that of a document time stamp.
pub(super) fn is_document_stamp(signature: &PdfSignature) -> bool {
    let sub_filter = signature.dictionary.get(b"SubFilter").and_then(Object::as_name);
    sub_filter == Some(b"ETSI.RFC3161") && !signature.dictionary.has_name(b"Type", b"Sig")
}

/// A document time stamp with what was found about its place in the file.
pub(super) fn document_stamp<'a>(
    file: &'a OpenFile<'_>,
    field: &str,
    signature: &'a PdfSignature,
    about_pdf: SignatureReport,
) -> DocumentStamp<'a> {
    let mut report = TimeStampReport::new(TimeStampKind::Document);
    report.field = Some(field.to_owned());
    report.covers_whole_file = about_pdf.covers_whole_file;
    report.pdf = about_pdf.pdf;
    report.findings = about_pdf.findings;
    let covered = [0..signature.gap.start, signature.gap.end..signature.end];
    let revision = file.history.ending_at(&file.document, signature.end);
    let evidence = revision
        .and_then(|index| file.history.document(&file.document, index).ok())
        .map_or_else(Evidence::default, |revision| security_store(&revision));
    DocumentStamp {
        report,
        contents: &signature.contents,
        end: signature.end,
        imprint: Box::new(move |algorithm| file.document.file().digest(algorithm, &covered).ok()),
        evidence,
    }
}
