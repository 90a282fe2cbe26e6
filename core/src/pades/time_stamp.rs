//! Document time stamps (EN 319 142-1 §5.4.3): a time-stamp token over the whole file, in a field of its own.
//! It proves that everything before it existed; a later one renews the proof before its algorithms age.

use base64ct::{Base64, Encoding as _};
use serde::{Deserialize, Serialize};

use super::dictionary::{SignatureBody, time_stamp_entries};
use super::field::new_name;
use super::form::{Widget, add_extension, add_field, check_form};
use super::plan::{Slot, empty_slot, fill};
use super::revision::Draft;
use super::{PadesError, TIME_STAMP_RESERVE_BYTES};
use crate::digest::{Digest, DigestAlgorithm};
use crate::pdf::{Document, File, form_fields};
use crate::tsp::TimeStampToken;

/// Form of the stored plan. A change that an older program would misread raises it.
const VERSION: u32 = 1;

/// What the caller decides about a document time stamp.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TimeStampOptions {
    /// The digest that is stamped; SHA-256 by default.
    pub digest_algorithm: DigestAlgorithm,
    /// Bytes for the token; [`TIME_STAMP_RESERVE_BYTES`] by default. When it turns out to be longer, prepare
    /// again with more.
    pub reserve: usize,
}

impl Default for TimeStampOptions {
    fn default() -> Self {
        Self { digest_algorithm: DigestAlgorithm::Sha256, reserve: TIME_STAMP_RESERVE_BYTES }
    }
}

/// A prepared document time stamp: pinned until the token arrives.
///
/// **Shape**: JSON `{ version, original_length, original_digest, appended, slot: { start, end }, imprint }`;
/// `appended` in standard base64; `slot` counts bytes of `appended`. Reading refuses another version and a
/// slot that is not empty.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct TimeStampPlan {
    original_length: u64,
    original_digest: Digest,
    appended: Vec<u8>,
    slot: Slot,
    imprint: Digest,
}

/// Builds the revision with an empty place for the token. Allowed after any certification.
///
/// The result depends on the arguments only. Allocates the revision, whatever the size of `pdf`.
///
/// # Errors
/// `not_a_pdf`, `pdf_damaged`, `pdf_encrypted`, `pdf_unsupported`.
pub fn prepare_time_stamp<'a>(
    pdf: impl Into<File<'a>>,
    options: &TimeStampOptions,
) -> Result<TimeStampPlan, PadesError> {
    let document = Document::open(pdf)?;
    let mut draft = Draft::new(&document, b"DocTimeStamp")?;
    check_form(&document, &draft.catalog)?;
    let name = new_name(&form_fields(&document)?, None)?;
    let signature = draft.update.allocate();
    let body = SignatureBody::new(&time_stamp_entries(), options.reserve);
    let widget = Widget::invisible(&document, &draft.catalog)?;
    add_field(&mut draft, &name, widget, signature)?;
    add_extension(&mut draft)?;
    let sealed = draft.seal(signature, &body, options.digest_algorithm)?;
    Ok(TimeStampPlan {
        original_length: sealed.original_length,
        original_digest: sealed.original_digest,
        appended: sealed.appended,
        slot: sealed.slot,
        imprint: sealed.signed_digest,
    })
}

impl TimeStampPlan {
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

    /// What the authority stamps: the digest of everything but the token.
    #[must_use]
    pub const fn imprint(&self) -> &Digest {
        &self.imprint
    }

    /// Puts the token in (RFC 3161 TimeStampToken, DER): the stamped file is the original followed by these
    /// bytes.
    ///
    /// # Errors
    /// `time_stamp_invalid` when it cannot be read, stamps something else, or does not verify with the
    /// certificate that it carries; `contents_slot_too_small`.
    pub fn embed(&self, token: &[u8]) -> Result<Vec<u8>, PadesError> {
        let read = TimeStampToken::from_der(token)?;
        if read.imprint() != Some(&self.imprint) {
            return Err(PadesError::OtherTimeStamp);
        }
        read.verify(&[])?;
        fill(&self.appended, self.slot, token)
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
    imprint: Digest,
}

impl From<TimeStampPlan> for Stored {
    fn from(plan: TimeStampPlan) -> Self {
        Self {
            version: VERSION,
            original_length: plan.original_length,
            original_digest: plan.original_digest,
            appended: Base64::encode_string(&plan.appended),
            slot: plan.slot,
            imprint: plan.imprint,
        }
    }
}

impl TryFrom<Stored> for TimeStampPlan {
    type Error = &'static str;

    fn try_from(stored: Stored) -> Result<Self, Self::Error> {
        if stored.version != VERSION {
            return Err("a plan of another version");
        }
        let appended = Base64::decode_vec(&stored.appended).map_err(|_| "appended is not base64")?;
        empty_slot(&appended, stored.slot)?;
        let Stored { original_length, original_digest, slot, imprint, .. } = stored;
        Ok(Self { original_length, original_digest, appended, slot, imprint })
    }
}
