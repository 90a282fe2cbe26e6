//! What the server and a token agent say to each other.
//!
//! ```text
//! frame = length:u32 kind:u8 body      length counts kind and body; numbers are big-endian
//! text  = length:u16 bytes
//! ```
//!
//! The agent holds foreign code, so what it sends is input like any other: every length is checked before it is used, and
//! a frame with anything left over is refused. The server ends an agent that breaks the protocol.

mod bytes;
#[cfg(test)]
mod tests;

use std::path::PathBuf;

use crate::config::{Log, LogFormat, LogLevel};
use crate::ports::{KeyAlgorithm, KeyReference, MOST_DIGESTS, SigningKeyError};
use crate::secret::Secret;
use bytes::{Reader, Writer};

/// Longest frame, without its length.
pub(crate) const LONGEST_FRAME: usize = 1 << 20;
/// Longest `CKA_ID`; vendors stay below 64.
pub(crate) const LONGEST_KEY_ID: usize = 1024;
/// Longest value: RSA-16384.
pub(crate) const LONGEST_VALUE: usize = 2048;
/// Longest text of an error; the rest is cut off.
const LONGEST_TEXT: usize = 1024;

/// A frame that cannot be what the other side meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct ProtocolError(pub(crate) &'static str);

/// From the server to the agent.
#[derive(Debug)]
pub(crate) enum ToAgent {
    /// The first frame, once.
    Settings(AgentSettings),
    /// The answer to [`ToServer::PinWanted`]: the PIN, for one login, or nothing when no login is allowed any more.
    Pin(Option<Secret>),
    /// Digests to sign.
    Sign(Vec<SignItem>),
    /// A digest to sign with the key for health checks.
    Canary {
        /// Comes back in the answer.
        id: u32,
        /// The digest.
        sha256: [u8; 32],
    },
}

/// What an agent has to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AgentSettings {
    pub(crate) module: PathBuf,
    pub(crate) label: String,
    /// Empty when the label is enough.
    pub(crate) serial: String,
    pub(crate) canary_label: String,
    /// Most sessions for signing.
    pub(crate) sessions: u16,
    pub(crate) log: LogSettings,
}

/// How the agent logs, on the standard error that it shares with the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LogSettings {
    pub(crate) format: LogFormat,
    pub(crate) level: LogLevel,
}

impl From<&Log> for LogSettings {
    fn from(log: &Log) -> Self {
        Self { format: log.format, level: log.level }
    }
}

/// One digest and its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SignItem {
    /// Comes back in the answer.
    pub(crate) id: u32,
    /// Shared by the digests of one frame.
    pub(crate) key: std::sync::Arc<KeyReference>,
    pub(crate) sha256: [u8; 32],
}

/// From the agent to the server.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum ToServer<'a> {
    /// The agent needs to log in, and does nothing before it hears [`ToAgent::Pin`].
    PinWanted(PinFlags),
    /// What became of the login.
    PinTried(Result<(), SigningKeyError>),
    /// Logged in; also after each later login.
    Ready(Ready),
    /// Values and failures.
    Answers(Answers<'a>),
    /// The last frame: why the agent ends.
    Ending(Ending),
}

/// What the token says about tries of its PIN.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct PinFlags {
    /// `CKF_USER_PIN_COUNT_LOW`: somebody was wrong since the last login.
    pub(crate) count_low: bool,
    /// `CKF_USER_PIN_FINAL_TRY`: a wrong PIN would lock the token.
    pub(crate) final_try: bool,
    /// `CKF_USER_PIN_LOCKED`.
    pub(crate) locked: bool,
}

/// What the agent found on the token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ready {
    /// Private keys that may be used.
    pub(crate) keys: u32,
    /// Key for health checks.
    pub(crate) canary: Option<CanaryKey>,
}

/// The public half of the key for health checks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CanaryKey {
    pub(crate) algorithm: KeyAlgorithm,
    /// `subjectPublicKey` of its `SubjectPublicKeyInfo`, without the unused-bits octet.
    pub(crate) public_key: Vec<u8>,
}

/// Why an agent ends by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Ending {
    /// The module cannot be loaded.
    Module(String),
    /// The token cannot be used from here.
    Token(SigningKeyError),
}

/// How the agent is doing; comes with each frame of answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Vitals {
    /// Sessions in use for signing.
    pub(crate) sessions: u16,
    /// How often the library was initialised.
    pub(crate) epoch: u32,
    /// Calls that were repeated within the agent.
    pub(crate) retries: u32,
}

/// A frame of answers, read while it is walked through.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answers<'a> {
    pub(crate) vitals: Vitals,
    count: u16,
    rest: Reader<'a>,
}

/// One answer: the id of the request, and the value or why there is none.
pub(crate) type Answer<'a> = (u32, Result<&'a [u8], SigningKeyError>);

impl<'a> Answers<'a> {
    /// The next one; `None` after the last.
    ///
    /// # Errors
    /// When the frame is malformed from here on.
    pub(crate) fn next(&mut self) -> Result<Option<Answer<'a>>, ProtocolError> {
        let Some(count) = self.count.checked_sub(1) else {
            return if self.rest.is_empty() {
                Ok(None)
            } else {
                Err(ProtocolError("bytes after the answers"))
            };
        };
        self.count = count;
        let id = self.rest.u32()?;
        let result = match self.rest.u8()? {
            0 => Ok(self.rest.short(LONGEST_VALUE)?),
            tag => Err(read_error(&mut self.rest, tag)?),
        };
        Ok(Some((id, result)))
    }
}

mod kind {
    pub(super) const SETTINGS: u8 = 1;
    pub(super) const PIN: u8 = 2;
    pub(super) const SIGN: u8 = 3;
    pub(super) const CANARY: u8 = 4;
    pub(super) const PIN_WANTED: u8 = 16;
    pub(super) const PIN_TRIED: u8 = 17;
    pub(super) const READY: u8 = 18;
    pub(super) const ANSWERS: u8 = 19;
    pub(super) const ENDING: u8 = 20;
}

impl ToAgent {
    /// Reads a frame, without its length.
    ///
    /// # Errors
    /// When it is malformed.
    pub(crate) fn decode(frame: &[u8]) -> Result<Self, ProtocolError> {
        let mut reader = Reader::new(frame);
        let message = match reader.u8()? {
            kind::SETTINGS => Self::Settings(read_settings(&mut reader)?),
            kind::PIN => Self::Pin(match reader.u8()? {
                0 => None,
                1 => Some(Secret::new(reader.text(LONGEST_TEXT)?)),
                _ => return Err(ProtocolError("neither a PIN nor none")),
            }),
            kind::SIGN => Self::Sign(read_sign(&mut reader)?),
            kind::CANARY => Self::Canary { id: reader.u32()?, sha256: reader.array()? },
            _ => return Err(ProtocolError("unknown kind of frame")),
        };
        reader.end()?;
        Ok(message)
    }
}

impl<'a> ToServer<'a> {
    /// Reads a frame, without its length. Answers are checked while they are walked through.
    ///
    /// # Errors
    /// When it is malformed.
    pub(crate) fn decode(frame: &'a [u8]) -> Result<Self, ProtocolError> {
        let mut reader = Reader::new(frame);
        let message = match reader.u8()? {
            kind::PIN_WANTED => {
                let bits = reader.u8()?;
                if bits > 0b111 {
                    return Err(ProtocolError("unknown flags"));
                }
                let bit = |place: u8| bits & (1 << place) != 0;
                Self::PinWanted(PinFlags { count_low: bit(0), final_try: bit(1), locked: bit(2) })
            }
            kind::PIN_TRIED => Self::PinTried(match reader.u8()? {
                0 => Ok(()),
                tag => Err(read_error(&mut reader, tag)?),
            }),
            kind::READY => Self::Ready(Ready {
                keys: reader.u32()?,
                canary: match reader.u8()? {
                    0 => None,
                    tag => Some(CanaryKey {
                        algorithm: algorithm(tag)?,
                        public_key: reader.short(2 * LONGEST_VALUE)?.to_vec(),
                    }),
                },
            }),
            kind::ANSWERS => {
                let vitals = Vitals { sessions: reader.u16()?, epoch: reader.u32()?, retries: reader.u32()? };
                return Ok(Self::Answers(Answers { vitals, count: reader.u16()?, rest: reader }));
            }
            kind::ENDING => Self::Ending(match reader.u8()? {
                0 => Ending::Module(reader.text(LONGEST_TEXT)?),
                tag => Ending::Token(read_error(&mut reader, tag)?),
            }),
            _ => return Err(ProtocolError("unknown kind of frame")),
        };
        reader.end()?;
        Ok(message)
    }
}

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

/// Appends digests to sign: at most [`MOST_DIGESTS`], with key ids of at most [`LONGEST_KEY_ID`].
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

fn read_settings(reader: &mut Reader<'_>) -> Result<AgentSettings, ProtocolError> {
    use std::os::unix::ffi::OsStrExt;
    let module = std::ffi::OsStr::from_bytes(reader.short(4096)?).into();
    Ok(AgentSettings {
        module,
        label: reader.text(LONGEST_TEXT)?,
        serial: reader.text(LONGEST_TEXT)?,
        canary_label: reader.text(LONGEST_TEXT)?,
        sessions: reader.u16()?,
        log: LogSettings {
            format: match reader.u8()? {
                0 => LogFormat::Pretty,
                1 => LogFormat::Json,
                _ => return Err(ProtocolError("unknown log format")),
            },
            level: match reader.u8()? {
                0 => LogLevel::Error,
                1 => LogLevel::Warn,
                2 => LogLevel::Info,
                3 => LogLevel::Debug,
                _ => return Err(ProtocolError("unknown log level")),
            },
        },
    })
}

fn read_sign(reader: &mut Reader<'_>) -> Result<Vec<SignItem>, ProtocolError> {
    let count = reader.count(MOST_DIGESTS)?;
    let mut keys = Vec::with_capacity(count);
    for _ in 0..count {
        let algorithm = algorithm(reader.u8()?)?;
        let id = reader.short(LONGEST_KEY_ID)?.to_vec();
        keys.push(std::sync::Arc::new(KeyReference { id, algorithm }));
    }
    let count = reader.count(MOST_DIGESTS)?;
    let mut items = Vec::with_capacity(count);
    for _ in 0..count {
        let id = reader.u32()?;
        let key = keys.get(usize::from(reader.u16()?)).ok_or(ProtocolError("no such key in the frame"))?;
        items.push(SignItem { id, key: std::sync::Arc::clone(key), sha256: reader.array()? });
    }
    Ok(items)
}

const fn algorithm_tag(algorithm: KeyAlgorithm) -> u8 {
    match algorithm {
        KeyAlgorithm::Rsa => 1,
        KeyAlgorithm::Ec => 2,
    }
}

const fn algorithm(tag: u8) -> Result<KeyAlgorithm, ProtocolError> {
    match tag {
        1 => Ok(KeyAlgorithm::Rsa),
        2 => Ok(KeyAlgorithm::Ec),
        _ => Err(ProtocolError("unknown kind of key")),
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

fn read_error(reader: &mut Reader<'_>, tag: u8) -> Result<SigningKeyError, ProtocolError> {
    let text = reader.text(LONGEST_TEXT)?;
    match tag {
        1 => Ok(SigningKeyError::KeyMissing),
        2 => Ok(SigningKeyError::KeyUnusable(text)),
        3 => Ok(SigningKeyError::Unavailable(text)),
        4 => Ok(SigningKeyError::AgentFailed(text)),
        5 => Ok(SigningKeyError::PinRejected),
        6 => Ok(SigningKeyError::PinLocked),
        7 => Ok(SigningKeyError::PinFinalTry),
        _ => Err(ProtocolError("unknown error")),
    }
}

fn cut(text: &str) -> &[u8] {
    &text.as_bytes()[..text.floor_char_boundary(LONGEST_TEXT)]
}

/// The first frame of what was received so far, without its length, and the bytes it takes up; `None` until it is whole.
///
/// # Errors
/// When its length is out of bounds.
pub(crate) fn first_frame(received: &[u8]) -> Result<Option<(&[u8], usize)>, ProtocolError> {
    let Some((header, rest)) = received.split_first_chunk() else { return Ok(None) };
    let length = frame_length(*header)?;
    Ok(rest.get(..length).map(|frame| (frame, length + header.len())))
}

/// Length of the frame behind this header.
///
/// # Errors
/// When it is out of bounds.
pub(crate) fn frame_length(header: [u8; 4]) -> Result<usize, ProtocolError> {
    let length = usize::try_from(u32::from_be_bytes(header)).unwrap_or(usize::MAX);
    if (1..=LONGEST_FRAME).contains(&length) {
        Ok(length)
    } else {
        Err(ProtocolError("a frame of no length we know"))
    }
}
