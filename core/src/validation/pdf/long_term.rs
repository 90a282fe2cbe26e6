//! What a PDF carries for later validation: the document security store and document time stamps
//! (ETSI EN 319 142-1 §5.4).

use std::cell::Cell;

use super::OpenFile;
use super::dictionary::PdfSignature;
use crate::pdf::{Dictionary, Document, Object, PdfError};
use crate::revocation::{Crl, Evidence, OcspResponse};
use crate::validation::document::DocumentStamp;
use crate::validation::{SignatureReport, TimeStampKind, TimeStampReport};
use crate::x509::Certificate;

/// Streams of one kind in a security store.
const MAX_STREAMS: usize = 1_000;

/// Bytes by which all streams of all stores of a file may grow when they are inflated. What they hold in the file
/// itself is limited by its length.
const MAX_GROWTH_BYTES: usize = 64 << 20;
/// What a stream costs that cannot be inflated, in the same bytes: as much as one may become.
const FAILURE_BYTES: usize = 16 << 20;

/// What may still be spent on the stores of one file.
#[derive(Debug)]
pub(super) struct Allowance(Cell<usize>);

impl Allowance {
    pub(super) const fn new() -> Self {
        Self(Cell::new(MAX_GROWTH_BYTES))
    }

    fn spend(&self, bytes: usize) -> Result<(), PdfError> {
        let limit = PdfError::limit("bytes that security stores inflate to", MAX_GROWTH_BYTES as u64);
        self.0.set(self.0.get().checked_sub(bytes).ok_or(limit)?);
        Ok(())
    }
}

/// Certificates, CRLs and OCSP responses of the security store, those named in VRI entries included, which the main
/// lists hold too. What cannot be read helps nobody and is left out; without a store the evidence is empty.
pub(super) fn security_store(document: &Document<'_>, allowance: &Allowance) -> Evidence {
    read_store(document, allowance).unwrap_or_default()
}

fn read_store(document: &Document<'_>, allowance: &Allowance) -> Result<Evidence, PdfError> {
    let (_, catalog) = document.catalog()?;
    let Some(Object::Dictionary(store)) = document.value(&catalog, b"DSS")? else {
        return Ok(Evidence::default());
    };
    Ok(Evidence {
        certificates: streams(document, allowance, &store, b"Certs", |der| Certificate::from_der(der).ok())?,
        crls: streams(document, allowance, &store, b"CRLs", |der| Crl::from_der(der).ok())?,
        ocsp_responses: streams(document, allowance, &store, b"OCSPs", |der| {
            OcspResponse::from_der(der).ok()
        })?,
    })
}

fn streams<T>(
    document: &Document<'_>,
    allowance: &Allowance,
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
        match document.stream_data(&object) {
            Ok(Some(data)) => {
                let length = object.stream.as_ref().map_or(0, |body| body.end - body.start);
                allowance.spend(data.len().saturating_sub(usize::try_from(length).unwrap_or(usize::MAX)))?;
                found.extend(read(&data));
            }
            // A filter that is not read here costs nothing.
            Ok(None) | Err(PdfError::Unsupported { .. }) => {}
            Err(_) => allowance.spend(FAILURE_BYTES)?,
        }
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
    allowance: &Allowance,
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
        .map_or_else(Evidence::default, |revision| security_store(&revision, allowance));
    DocumentStamp {
        report,
        contents: &signature.contents,
        end: signature.end,
        imprint: Box::new(move |algorithm| file.document.file().digest(algorithm, &covered).ok()),
        evidence,
    }
}

#[cfg(test)]
mod tests {
    use miniz_oxide::deflate::compress_to_vec_zlib;

    use super::*;
    use crate::pdf::sample::{Sample, find};

    const CERTIFICATE: &[u8] = include_bytes!("../../../testdata/pdf/root-test.der");

    /// A file whose store holds these streams as certificates, each with entries of its dictionary.
    fn with_store(streams: &[(&str, &[u8])]) -> Vec<u8> {
        let references: Vec<_> = (0..streams.len()).map(|at| format!("{} 0 R", 50 + at)).collect();
        let catalog = format!("<</Type /Catalog /Pages 2 0 R /DSS <</Certs [{}]>>>>", references.join(" "));
        let mut sample = Sample::new().with(1, &catalog);
        for ((entries, body), number) in streams.iter().zip(50..) {
            let (length, place) = (body.len(), "X".repeat(body.len()));
            sample =
                sample.with(number, &format!("<</Length {length} {entries}>>\nstream\n{place}\nendstream"));
        }
        let mut file = sample.table();
        for (_, body) in streams {
            let at = find(&file, "X".repeat(body.len()).as_bytes()).unwrap();
            file[at..at + body.len()].copy_from_slice(body);
        }
        file
    }

    fn certificates(file: &[u8]) -> usize {
        security_store(&Document::open(file).unwrap(), &Allowance::new()).certificates.len()
    }

    #[test]
    fn the_streams_of_a_store_are_inflated() {
        let inflated = compress_to_vec_zlib(CERTIFICATE, 6);
        let flate = ("/Filter /FlateDecode", &inflated[..]);
        let unknown = ("/Filter /Unknown", CERTIFICATE);
        assert_eq!(certificates(&with_store(&[flate])), 1);
        assert_eq!(certificates(&with_store(&[unknown, flate, ("", CERTIFICATE), flate, unknown])), 3);
    }

    #[test]
    fn streams_that_inflate_without_end_are_given_up_soon() {
        let bomb = compress_to_vec_zlib(&vec![0; 1 << 20], 9);
        let mut broken = compress_to_vec_zlib(&vec![0; 1 << 20], 9);
        broken.truncate(broken.len() - 1);
        for body in [bomb, broken] {
            let streams = vec![("/Filter /FlateDecode", &body[..]); 100];
            let file = with_store(&[&[("", CERTIFICATE)][..], &streams].concat());
            let allowance = Allowance::new();
            let limit = read_store(&Document::open(&file[..]).unwrap(), &allowance);
            assert!(matches!(limit, Err(PdfError::Limit { .. })), "{limit:?}");
        }
    }
}
