//! Writes frames.

use super::bytes::Writer;
use super::{AgentSettings, Ending, LONGEST_TEXT, LONGEST_VALUE, PinFlags, Ready, Vitals, change, kind};
use crate::config::{LogFormat, LogLevel};
use crate::ports::{KeyAlgorithm, KeyReference, KeyWork, MOST_DIGESTS, SigningKeyError};
use crate::secret::Secret;

/// Appends the settings.
pub(crate) fn put_settings(out: &mut Vec<u8>, settings: &AgentSettings) {
    use std::os::unix::ffi::OsStrExt;
    let mut frame = Writer::frame(out, kind::SETTINGS);
    frame.short(settings.module.as_os_str().as_bytes());
    frame.short(settings.label.as_bytes());
    frame.short(settings.serial.as_bytes());
    frame.short(settings.canary_label.as_bytes());
    frame.u16(settings.sessions);
    frame.u8(match settings.log.format {
        LogFormat::Pretty => 0,
        LogFormat::Json => 1,
    });
    frame.u8(match settings.log.level {
        LogLevel::Error => 0,
        LogLevel::Warn => 1,
        LogLevel::Info => 2,
        LogLevel::Debug => 3,
    });
}

/// Appends the PIN, or that there is none to be had.
pub(crate) fn put_pin(out: &mut Vec<u8>, pin: Option<&Secret>) {
    let mut frame = Writer::frame(out, kind::PIN);
    frame.u8(u8::from(pin.is_some()));
    if let Some(pin) = pin {
        frame.short(pin.expose().as_bytes());
    }
}

/// Appends digests to sign: at most [`MOST_DIGESTS`], with key ids of at most [`super::LONGEST_KEY_ID`].
pub(crate) fn put_sign<'a>(
    out: &mut Vec<u8>,
    keys: &[&'a KeyReference],
    items: impl ExactSizeIterator<Item = (u32, u16, &'a [u8; 32])>,
) {
    debug_assert!(items.len() <= MOST_DIGESTS && keys.len() <= items.len(), "a frame of at most 256 digests");
    let mut frame = Writer::frame(out, kind::SIGN);
    frame.count(keys.len());
    for key in keys {
        frame.u8(algorithm_tag(key.algorithm));
        frame.short(&key.id);
    }
    frame.count(items.len());
    for (id, key, sha256) in items {
        frame.u32(id);
        frame.u16(key);
        frame.bytes(sha256);
    }
}

/// Appends a digest for a health check.
pub(crate) fn put_canary(out: &mut Vec<u8>, id: u32, sha256: &[u8; 32]) {
    let mut frame = Writer::frame(out, kind::CANARY);
    frame.u32(id);
    frame.bytes(sha256);
}

/// Appends a change of a key. Its members are within their limits.
pub(crate) fn put_change(out: &mut Vec<u8>, id: u32, work: &KeyWork) {
    let mut frame = Writer::frame(out, kind::CHANGE);
    frame.u32(id);
    match work {
        KeyWork::Generate { key, label } => {
            frame.u8(change::GENERATE);
            frame.u8(algorithm_tag(key.algorithm));
            frame.short(&key.id);
            frame.short(label.as_bytes());
        }
        KeyWork::Import { key, label, pkcs8 } => {
            frame.u8(change::IMPORT);
            frame.u8(algorithm_tag(key.algorithm));
            frame.short(&key.id);
            frame.short(label.as_bytes());
            frame.short(pkcs8.expose());
        }
        KeyWork::StoreCertificate { key_id, label, certificate } => {
            frame.u8(change::STORE_CERTIFICATE);
            frame.short(key_id);
            frame.short(label.as_bytes());
            frame.short(certificate);
        }
        KeyWork::Destroy { key_id } => {
            frame.u8(change::DESTROY);
            frame.short(key_id);
        }
    }
}

/// Appends the wish to log in.
pub(crate) fn put_pin_wanted(out: &mut Vec<u8>, flags: PinFlags) {
    let mut frame = Writer::frame(out, kind::PIN_WANTED);
    frame.u8(u8::from(flags.count_low) | u8::from(flags.final_try) << 1 | u8::from(flags.locked) << 2);
}

/// Appends what became of a login.
pub(crate) fn put_pin_tried(out: &mut Vec<u8>, result: &Result<(), SigningKeyError>) {
    let mut frame = Writer::frame(out, kind::PIN_TRIED);
    match result {
        Ok(()) => frame.u8(0),
        Err(error) => put_error(&mut frame, error),
    }
}

/// Appends what was found after a login.
pub(crate) fn put_ready(out: &mut Vec<u8>, ready: &Ready) {
    let mut frame = Writer::frame(out, kind::READY);
    frame.u32(ready.keys);
    match &ready.canary {
        None => frame.u8(0),
        Some(canary) => {
            frame.u8(algorithm_tag(canary.algorithm));
            frame.short(&canary.public_key);
        }
    }
}

/// Appends why the agent ends.
pub(crate) fn put_ending(out: &mut Vec<u8>, ending: &Ending) {
    let mut frame = Writer::frame(out, kind::ENDING);
    match ending {
        Ending::Module(text) => {
            frame.u8(0);
            frame.short(cut(text));
        }
        Ending::Token(error) => put_error(&mut frame, error),
    }
}

/// A frame of answers that grows; it is complete when dropped.
pub(crate) struct AnswerFrame<'a> {
    frame: Writer<'a>,
    count_at: usize,
    count: u16,
}

impl<'a> AnswerFrame<'a> {
    pub(crate) fn begin(out: &'a mut Vec<u8>, vitals: Vitals) -> Self {
        let mut frame = Writer::frame(out, kind::ANSWERS);
        frame.u16(vitals.sessions);
        frame.u32(vitals.epoch);
        frame.u32(vitals.retries);
        let count_at = frame.position();
        frame.u16(0);
        Self { frame, count_at, count: 0 }
    }

    pub(crate) fn push(&mut self, id: u32, result: Result<&[u8], &SigningKeyError>) {
        self.count += 1;
        self.frame.u32(id);
        match result {
            Ok(value) if value.len() <= LONGEST_VALUE => {
                self.frame.u8(0);
                self.frame.short(value);
            }
            Ok(_) => put_error(
                &mut self.frame,
                &SigningKeyError::KeyUnusable("its values are longer than any known key's".to_owned()),
            ),
            Err(error) => put_error(&mut self.frame, error),
        }
    }
}

impl Drop for AnswerFrame<'_> {
    fn drop(&mut self) {
        self.frame.set_u16(self.count_at, self.count);
    }
}

const fn algorithm_tag(algorithm: KeyAlgorithm) -> u8 {
    match algorithm {
        KeyAlgorithm::Rsa => 1,
        KeyAlgorithm::Ec => 2,
    }
}

/// Tags from 1: 0 says that there is no error.
fn put_error(frame: &mut Writer<'_>, error: &SigningKeyError) {
    let (tag, text) = match error {
        SigningKeyError::KeyMissing => (1, ""),
        SigningKeyError::KeyUnusable(text) => (2, text.as_str()),
        SigningKeyError::Unavailable(text) => (3, text.as_str()),
        SigningKeyError::AgentFailed(text) => (4, text.as_str()),
        SigningKeyError::PinRejected => (5, ""),
        SigningKeyError::PinLocked => (6, ""),
        SigningKeyError::PinFinalTry => (7, ""),
    };
    frame.u8(tag);
    frame.short(cut(text));
}

fn cut(text: &str) -> &[u8] {
    &text.as_bytes()[..text.floor_char_boundary(LONGEST_TEXT)]
}
