//! The signature dictionary. Two places in it are filled in later and must be found again, so its end is
//! written by hand.

use super::plan::Slot;
use super::{Options, PadesError};
use crate::Timestamp;
use crate::pdf::{Dictionary, Object, write_text_string};

/// Digits of one number in ByteRange: as many as a row of a cross-reference table has.
const BYTE_RANGE_DIGITS: usize = 10;
/// The longest text in a signature dictionary, in characters.
const MAX_TEXT_CHARACTERS: usize = 1000;

/// A signature dictionary with an empty Contents string.
#[derive(Debug)]
pub(super) struct SignatureBody {
    pub(super) bytes: Vec<u8>,
    /// Where the last three numbers of ByteRange stand in `bytes`.
    byte_range_at: usize,
    /// The Contents string with its delimiters in `bytes`.
    slot: Slot,
}

impl SignatureBody {
    /// Puts ByteRange, Contents and the end behind the other entries.
    pub(super) fn new(entries: &Dictionary, slot_bytes: usize) -> Self {
        let mut bytes = Vec::with_capacity(2 * slot_bytes + 512);
        entries.write(&mut bytes);
        bytes.truncate(bytes.len() - b">>".len());
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

    /// Fills in ByteRange where the dictionary now stands, `at` bytes into `appended`. Gives the slot there.
    pub(super) fn place(&self, appended: &mut [u8], at: usize, original_length: u64) -> Slot {
        let slot = Slot { start: at + self.slot.start, end: at + self.slot.end };
        let [_, first, second, rest] = slot.byte_range(original_length, appended.len());
        let text = format!("{first:<10} {second:<10} {rest:<10}");
        appended[at + self.byte_range_at..][..text.len()].copy_from_slice(text.as_bytes());
        slot
    }
}

/// Entries of a signature made by a person or a company (EN 319 142-1 §6.3, DOC-ICP-15.03).
///
/// # Errors
/// `invalid_request` for a text that is too long.
pub(super) fn signature_entries(
    options: &Options,
    references: Option<Object>,
) -> Result<Dictionary, PadesError> {
    let mut entries = Dictionary::new()
        .with(b"Type", Object::name(b"Sig"))
        .with(b"Filter", Object::name(options.sub_filter.filter()))
        .with(b"SubFilter", Object::name(options.sub_filter.name()))
        .with(b"M", Object::String(date(options.signing_time).into_bytes()));
    let texts = [
        (&b"Name"[..], &options.name),
        (b"Location", &options.location),
        (b"ContactInfo", &options.contact),
        (b"Reason", &options.reason),
    ];
    for (key, text) in texts {
        let Some(text) = text else { continue };
        if text.chars().count() > MAX_TEXT_CHARACTERS {
            return Err(PadesError::TextTooLong { limit: MAX_TEXT_CHARACTERS });
        }
        entries.set(key, Object::String(write_text_string(text)));
    }
    if let Some(references) = references {
        entries.set(b"Reference", references);
    }
    Ok(entries)
}

/// Entries of a document time stamp (EN 319 142-1 §5.4.3): the token says when and who.
pub(super) fn time_stamp_entries() -> Dictionary {
    Dictionary::new()
        .with(b"Type", Object::name(b"DocTimeStamp"))
        .with(b"Filter", Object::name(b"Adobe.PPKLite"))
        .with(b"SubFilter", Object::name(b"ETSI.RFC3161"))
}

/// A date of ISO 32000-2 §7.9.4, in UTC and whole seconds: `D:YYYYMMDDHHmmSSZ`.
pub(super) fn date(time: Timestamp) -> String {
    let t = time.to_date_time();
    format!(
        "D:{:04}{:02}{:02}{:02}{:02}{:02}Z",
        t.year(),
        t.month(),
        t.day(),
        t.hour(),
        t.minutes(),
        t.seconds()
    )
}
