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
mod decode;
mod encode;
#[cfg(test)]
mod tests;

use std::path::PathBuf;

use crate::config::{Log, LogFormat, LogLevel};
use crate::ports::{KeyAlgorithm, KeyReference, KeyWork, SigningKeyError};
use crate::secret::Secret;
use bytes::Reader;

pub(crate) use decode::{first_frame, frame_length};
pub(crate) use encode::{
    AnswerFrame, put_canary, put_change, put_ending, put_pin, put_pin_tried, put_pin_wanted, put_ready,
    put_settings, put_sign,
};

/// Longest frame, without its length.
pub(crate) const LONGEST_FRAME: usize = 1 << 20;
/// Longest `CKA_ID`; vendors stay below 64.
pub(crate) const LONGEST_KEY_ID: usize = 1024;
/// Longest value: RSA-16384.
pub(crate) const LONGEST_VALUE: usize = 2048;
/// Longest private key of an import: RSA-8192 takes less than 5 KiB.
pub(crate) const LONGEST_PKCS8: usize = 8 * 1024;
/// Longest certificate that is kept on a token.
pub(crate) const LONGEST_CERTIFICATE: usize = 32 * 1024;
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
    /// A key to make, import, complete or destroy.
    Change {
        /// Comes back in the answer, whose value is that of [`crate::ports::KeyStore::change`].
        id: u32,
        /// What is to happen.
        work: KeyWork,
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

mod kind {
    pub(super) const SETTINGS: u8 = 1;
    pub(super) const PIN: u8 = 2;
    pub(super) const SIGN: u8 = 3;
    pub(super) const CANARY: u8 = 4;
    pub(super) const CHANGE: u8 = 5;
    pub(super) const PIN_WANTED: u8 = 16;
    pub(super) const PIN_TRIED: u8 = 17;
    pub(super) const READY: u8 = 18;
    pub(super) const ANSWERS: u8 = 19;
    pub(super) const ENDING: u8 = 20;
}

mod change {
    pub(super) const GENERATE: u8 = 1;
    pub(super) const IMPORT: u8 = 2;
    pub(super) const STORE_CERTIFICATE: u8 = 3;
    pub(super) const DESTROY: u8 = 4;
}
