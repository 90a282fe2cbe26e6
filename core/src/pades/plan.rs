//! Everything between the two steps, and the second step.

use base64ct::{Base64, Encoding as _};
use serde::{Deserialize, Serialize};

use super::PadesError;
use super::revision::Sealed;
use crate::cms::{CmsError, CmsPlan, SignedData};
use crate::digest::Digest;

/// Form of the stored plan. A change that an older program would misread raises it.
const VERSION: u32 = 1;

/// A prepared PDF signature: pinned, stored, and never built again.
///
/// **Shape**: JSON `{ version, original_length, original_digest, appended, slot: { start, end }, cms }`;
/// `appended` in standard base64; `slot` counts bytes of `appended`. Reading refuses another version and a
/// slot that is not empty.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct PdfPlan {
    original_length: u64,
    original_digest: Digest,
    appended: Vec<u8>,
    slot: Slot,
    cms: CmsPlan,
}

/// The place of the Contents string, with its delimiters, in the appended bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Slot {
    /// Of `<`.
    pub(super) start: usize,
    /// Behind `>`.
    pub(super) end: usize,
}

impl Slot {
    /// ByteRange over an original and the appended bytes, lengths in bytes.
    pub(super) const fn byte_range(self, original: u64, appended: usize) -> [u64; 4] {
        [0, original + self.start as u64, original + self.end as u64, (appended - self.end) as u64]
    }
}

impl PdfPlan {
    pub(super) fn new(sealed: Sealed, cms: CmsPlan) -> Self {
        let Sealed { appended, slot, original_length, original_digest, .. } = sealed;
        Self { original_length, original_digest, appended, slot, cms }
    }

    /// Length of the document that was prepared, in bytes.
    #[must_use]
    pub const fn original_length(&self) -> u64 {
        self.original_length
    }

    /// SHA-256 of the document that was prepared.
    #[must_use]
    pub const fn original_digest(&self) -> &Digest {
        &self.original_digest
    }

    /// The bytes to append to the document, with zeros where the signature will stand.
    #[must_use]
    pub fn appended(&self) -> &[u8] {
        &self.appended
    }

    /// ByteRange of the signed file: offset and length of both signed parts (ISO 32000-2 §12.8.1).
    #[must_use]
    pub const fn byte_range(&self) -> [u64; 4] {
        self.slot.byte_range(self.original_length, self.appended.len())
    }

    /// Bytes that the CMS may have: when it needs more, prepare again with a larger reserve.
    #[must_use]
    pub const fn slot_bytes(&self) -> usize {
        (self.slot.end - self.slot.start - 2) / 2
    }

    /// The CMS part: attributes, algorithm, certificates.
    #[must_use]
    pub const fn cms(&self) -> &CmsPlan {
        &self.cms
    }

    /// The attributes to be signed: DER of a `SET OF` (RFC 5652 §5.4).
    #[must_use]
    pub fn signed_attributes(&self) -> &[u8] {
        self.cms.signed_attributes()
    }

    /// The digest of the attributes: what the key signs.
    #[must_use]
    pub fn to_sign(&self) -> Digest {
        self.cms.to_sign()
    }

    /// Verifies the signature value against the pinned attributes and certificate and writes the CMS, in DER.
    /// Unsigned attributes, such as a time stamp, may be added to it before [`PdfPlan::embed_cms`].
    ///
    /// # Errors
    /// The codes of [`CmsPlan::assemble`], `signature_value_invalid` above all.
    pub fn assemble(&self, signature_value: &[u8]) -> Result<Vec<u8>, PadesError> {
        Ok(self.cms.assemble(signature_value)?)
    }

    /// Puts the signature in: the signed file is the original followed by these bytes.
    ///
    /// The value is verified against the pinned attributes and certificate first.
    ///
    /// # Errors
    /// The codes of [`CmsPlan::assemble`], `signature_value_invalid` above all; `contents_slot_too_small`.
    pub fn embed(&self, signature_value: &[u8]) -> Result<Vec<u8>, PadesError> {
        fill(&self.appended, self.slot, &self.assemble(signature_value)?)
    }

    /// Puts a finished CMS in: the result of [`PdfPlan::assemble`], perhaps with unsigned attributes added.
    ///
    /// # Errors
    /// `cms_malformed` when it cannot be read, has not exactly one signer, or other signed attributes than
    /// the pinned ones; `signature_value_invalid`; `contents_slot_too_small`.
    pub fn embed_cms(&self, cms: &[u8]) -> Result<Vec<u8>, PadesError> {
        let signed = SignedData::parse(cms)?;
        match signed.signers() {
            [signer] if signer.signed_attributes.as_deref() == Some(self.signed_attributes()) => {
                self.cms.assemble(&signer.value)?;
            }
            _ => return Err(CmsError::Malformed("one signer with the pinned attributes").into()),
        }
        fill(&self.appended, self.slot, cms)
    }
}

/// The appended bytes with `contents` in the slot.
///
/// # Errors
/// `contents_slot_too_small`.
pub(super) fn fill(appended: &[u8], slot: Slot, contents: &[u8]) -> Result<Vec<u8>, PadesError> {
    let reserved = (slot.end - slot.start - 2) / 2;
    if contents.len() > reserved {
        return Err(PadesError::SlotTooSmall { needed: contents.len(), reserved });
    }
    let mut hex = Vec::with_capacity(2 * contents.len());
    crate::pdf::write_hex(&mut hex, contents);
    let mut filled = appended.to_vec();
    filled[slot.start + 1..][..hex.len()].copy_from_slice(&hex);
    Ok(filled)
}

/// Checks that the slot is an empty hexadecimal string of the appended bytes.
pub(super) fn empty_slot(appended: &[u8], slot: Slot) -> Result<(), &'static str> {
    match appended.get(slot.start..slot.end).ok_or("the slot is outside appended")? {
        [b'<', digits @ .., b'>'] if digits.len() % 2 == 0 && digits.iter().all(|digit| *digit == b'0') => {
            Ok(())
        }
        _ => Err("the slot is not an empty hexadecimal string"),
    }
}

/// The stored form.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    version: u32,
    original_length: u64,
    original_digest: Digest,
    appended: String,
    slot: Slot,
    cms: CmsPlan,
}

impl From<PdfPlan> for Stored {
    fn from(plan: PdfPlan) -> Self {
        Self {
            version: VERSION,
            original_length: plan.original_length,
            original_digest: plan.original_digest,
            appended: Base64::encode_string(&plan.appended),
            slot: plan.slot,
            cms: plan.cms,
        }
    }
}

impl TryFrom<Stored> for PdfPlan {
    type Error = &'static str;

    fn try_from(stored: Stored) -> Result<Self, Self::Error> {
        if stored.version != VERSION {
            return Err("a plan of another version");
        }
        let appended = Base64::decode_vec(&stored.appended).map_err(|_| "appended is not base64")?;
        empty_slot(&appended, stored.slot)?;
        let Stored { original_length, original_digest, slot, cms, .. } = stored;
        Ok(Self { original_length, original_digest, appended, slot, cms })
    }
}
