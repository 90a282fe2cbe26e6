//! First step: the revision with an empty place for the signature, and what has to be signed.

use super::PadesError;
use super::form::{add_signature_field, check_signable};
use super::plan::{PdfPlan, Slot};
use crate::Timestamp;
use crate::cms;
use crate::digest::Sha256Stream;
use crate::pdf::{Document, File, IncrementalUpdate};
use crate::x509::Certificate;

/// The least space for the CMS, in bytes: enough for one certificate and an RSA-4096 value.
const MIN_SLOT_BYTES: usize = 4096;
/// Space for everything of the CMS but the certificates, in bytes: attributes with two issuer names, an
/// RSA-4096 value.
const CMS_MARGIN_BYTES: usize = 2048;
/// Digits of one number in ByteRange: as many as a row of a cross-reference table has.
const BYTE_RANGE_DIGITS: usize = 10;

/// What the caller decides about a signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrepareOptions {
    /// The time that the signature claims (`/M`, whole seconds). Proof of nothing: a time stamp is.
    pub signing_time: Timestamp,
}

/// Builds the revision and the attributes to be signed.
///
/// The result depends on the arguments only: the same call gives the same bytes. `chain` holds the
/// certificates between signer and root, in any order; all of them go into the file. Allocates the revision
/// (about twice the certificates, in hexadecimal, and the page and form objects that change), whatever the
/// size of `pdf`.
///
/// # Errors
/// `not_a_pdf`, `pdf_damaged`, `pdf_encrypted`, `pdf_unsupported` and `pdf_signing_forbidden` for the
/// document; the codes of [`CmsError`](cms::CmsError) for the certificate.
pub fn prepare<'a>(
    pdf: impl Into<File<'a>>,
    signer: &Certificate,
    chain: &[Certificate],
    options: &PrepareOptions,
) -> Result<PdfPlan, PadesError> {
    let pdf = pdf.into();
    let document = Document::open(pdf)?;
    let (_, catalog) = document.catalog()?;
    check_signable(&document, &catalog)?;
    let mut update = IncrementalUpdate::new(&document)?;
    let signature = update.allocate();
    let body = SignatureBody::new(slot_bytes(signer, chain), options.signing_time);
    add_signature_field(&document, &mut update, signature)?;
    update.put_body(signature, body.bytes);

    let mut digest = Sha256Stream::new();
    pdf.feed(0..pdf.len(), |block| digest.update(block))?;
    let original_digest = digest.clone().finish();
    let revision = update.finish(|written| {
        let mut identifier = Sha256Stream::new();
        identifier.update(original_digest.as_bytes());
        identifier.update(written);
        identifier.finish().as_bytes()[..16].to_vec()
    })?;

    let mut appended = revision.bytes;
    let body_at = revision.body_offsets[&signature.number];
    let slot = Slot { start: body_at + body.slot.start, end: body_at + body.slot.end };
    let byte_range = slot.byte_range(pdf.len(), appended.len());
    let text = format!("{:<10} {:<10} {:<10}", byte_range[1], byte_range[2], byte_range[3]);
    let text_at = body_at + body.byte_range_at;
    appended[text_at..text_at + text.len()].copy_from_slice(text.as_bytes());

    digest.update(&appended[..slot.start]);
    digest.update(&appended[slot.end..]);
    let cms = cms::plan(&digest.finish(), signer, chain, None)?;
    Ok(PdfPlan::new(pdf.len(), original_digest, appended, slot, cms))
}

/// Bytes to reserve for the CMS.
fn slot_bytes(signer: &Certificate, chain: &[Certificate]) -> usize {
    let certificates: usize = chain.iter().chain([signer]).map(|certificate| certificate.der().len()).sum();
    (certificates + CMS_MARGIN_BYTES).max(MIN_SLOT_BYTES)
}

/// The signature dictionary, written by hand: two places in it are filled in later and must be found again.
struct SignatureBody {
    bytes: Vec<u8>,
    /// Where the last three numbers of ByteRange stand.
    byte_range_at: usize,
    /// The Contents string with its delimiters.
    slot: Slot,
}

impl SignatureBody {
    fn new(slot_bytes: usize, time: Timestamp) -> Self {
        let mut bytes = b"<</Type /Sig/Filter /Adobe.PPKLite/SubFilter /ETSI.CAdES.detached".to_vec();
        let t = time.to_date_time();
        let time = format!(
            "/M (D:{:04}{:02}{:02}{:02}{:02}{:02}Z)",
            t.year(),
            t.month(),
            t.day(),
            t.hour(),
            t.minutes(),
            t.seconds()
        );
        bytes.extend_from_slice(time.as_bytes());
        bytes.extend_from_slice(b"/ByteRange [0 ");
        let byte_range_at = bytes.len();
        bytes.resize(byte_range_at + 3 * BYTE_RANGE_DIGITS + 2, b' ');
        bytes.extend_from_slice(b"]/Contents ");
        let start = bytes.len();
        bytes.push(b'<');
        bytes.resize(start + 1 + 2 * slot_bytes, b'0');
        bytes.push(b'>');
        let slot = Slot { start, end: bytes.len() };
        bytes.extend_from_slice(b">>");
        Self { bytes, byte_range_at, slot }
    }
}
