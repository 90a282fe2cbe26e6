//! Reads frames.

use super::bytes::Reader;
use super::{
    AgentSettings, Answer, Answers, CanaryKey, Ending, LONGEST_CERTIFICATE, LONGEST_FRAME, LONGEST_KEY_ID,
    LONGEST_PKCS8, LONGEST_TEXT, LONGEST_VALUE, LogSettings, PinFlags, ProtocolError, Ready, SignItem,
    ToAgent, ToServer, Vitals, change, kind,
};
use crate::config::{LogFormat, LogLevel};
use crate::ports::{KeyAlgorithm, KeyReference, KeyWork, MOST_DIGESTS, SigningKeyError};
use crate::secret::{Secret, SecretBytes};

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
            kind::CHANGE => Self::Change { id: reader.u32()?, work: read_change(&mut reader)? },
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

fn read_change(reader: &mut Reader<'_>) -> Result<KeyWork, ProtocolError> {
    let key = |reader: &mut Reader<'_>| {
        let algorithm = algorithm(reader.u8()?)?;
        Ok(KeyReference { id: reader.short(LONGEST_KEY_ID)?.to_vec(), algorithm })
    };
    match reader.u8()? {
        change::GENERATE => Ok(KeyWork::Generate { key: key(reader)?, label: reader.text(LONGEST_TEXT)? }),
        change::IMPORT => Ok(KeyWork::Import {
            key: key(reader)?,
            label: reader.text(LONGEST_TEXT)?,
            pkcs8: SecretBytes::new(reader.short(LONGEST_PKCS8)?.to_vec()),
        }),
        change::STORE_CERTIFICATE => Ok(KeyWork::StoreCertificate {
            key_id: reader.short(LONGEST_KEY_ID)?.to_vec(),
            label: reader.text(LONGEST_TEXT)?,
            certificate: reader.short(LONGEST_CERTIFICATE)?.to_vec(),
        }),
        change::DESTROY => Ok(KeyWork::Destroy { key_id: reader.short(LONGEST_KEY_ID)?.to_vec() }),
        _ => Err(ProtocolError("unknown change of a key")),
    }
}

const fn algorithm(tag: u8) -> Result<KeyAlgorithm, ProtocolError> {
    match tag {
        1 => Ok(KeyAlgorithm::Rsa),
        2 => Ok(KeyAlgorithm::Ec),
        _ => Err(ProtocolError("unknown kind of key")),
    }
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
