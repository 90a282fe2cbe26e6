//! What lies outside the process and has more than one form.

pub(crate) mod cloud;
pub(crate) mod composer;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::Instant;

use bytes::Bytes;
use rubrica_core::Timestamp;
use rubrica_core::icp_brasil::Identifier;
use rubrica_core::wire::{Custody, KeyView};
use tempfile::NamedTempFile;
use tokio::sync::watch;

use crate::lookup::SignerHash;
use crate::secret::{Secret, SecretBytes};

/// A future behind a port.
pub(crate) type PortFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Where large objects lie, by their SHA-256.
pub(crate) trait LargeObjects: Send + Sync + fmt::Debug {
    /// Keeps a file under its digest; it is durable when this resolves. Keeping the same again changes nothing.
    fn keep(&self, file: NamedTempFile, sha256: [u8; 32]) -> PortFuture<'_, Result<(), LargeObjectError>>;

    /// Opens an object for reading. Nobody has checked yet that it has this digest.
    fn open(&self, sha256: [u8; 32]) -> PortFuture<'_, Result<Box<dyn ObjectPieces>, LargeObjectError>>;

    /// Whether an object could be kept now.
    fn check(&self) -> PortFuture<'_, Result<(), LargeObjectError>>;
}

/// The bytes of an object, one piece after the other.
pub(crate) trait ObjectPieces: Send {
    /// The next piece, never empty; `None` at the end.
    fn next(&mut self) -> PortFuture<'_, Result<Option<Bytes>, LargeObjectError>>;
}

/// Why a large object could not be kept or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum LargeObjectError {
    /// There is no such object.
    #[error("there is no such object")]
    Missing,
    /// It cannot be reached, is full or refuses. It may work later.
    #[error("{0}")]
    Unavailable(String),
}

/// The clock.
pub(crate) trait Clock: Send + Sync + fmt::Debug {
    /// The time now.
    fn now(&self) -> Timestamp;
}

/// Brings notices to people.
///
/// E-mail is the one way so far; short messages would be another.
pub(crate) trait Notifier: Send + Sync + fmt::Debug {
    /// Hands a message over. `Ok`: whoever carries it on has it.
    fn send<'a>(&'a self, message: &'a Message) -> PortFuture<'a, Result<(), NotifyError>>;
}

/// A message to one person.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    /// The same at every attempt: a receiver that knows it already may drop it.
    pub(crate) id: String,
    /// Address of the recipient.
    pub(crate) to: Secret,
    pub(crate) subject: String,
    pub(crate) text: String,
    pub(crate) html: String,
}

/// A message was not taken. The texts may hold the address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotifyError {
    /// It never will be.
    #[error("{text}")]
    Refused {
        /// Reply code.
        status: Option<u16>,
        text: String,
    },
    /// It may be later, or once the operator has acted.
    #[error("{text}")]
    Unavailable {
        /// Reply code.
        status: Option<u16>,
        text: String,
    },
}

/// A place that may hold a person's key.
pub(crate) trait CustodySource: Send + Sync + fmt::Debug {
    /// Where the keys are that it knows of: `hsm` or `lacuna`.
    fn custody(&self) -> Custody;

    /// Its name in logs, each source its own.
    fn name(&self) -> &str;

    /// Whether this tenant uses it.
    fn serves(&self, tenant: &str) -> bool;

    /// Whether it asks others, who know the person by the number itself.
    fn needs_identifier(&self) -> bool;

    /// Looks for usable keys. Whoever asks gives up after its own time: the future may be dropped at any point.
    fn look<'a>(&'a self, question: &'a CustodyQuestion)
    -> PortFuture<'a, Result<Found, CustodySourceError>>;
}

/// Whose key is looked for.
#[derive(Debug, Clone)]
pub(crate) struct CustodyQuestion {
    pub(crate) tenant: String,
    pub(crate) signer: SignerHash,
    /// The number itself, when a source of the tenant needs it and it is known.
    pub(crate) identifier: Option<Identifier>,
}

/// What a source knows.
#[derive(Debug, Clone)]
pub(crate) enum Found {
    /// There is no usable key.
    Nothing,
    /// This one, in our custody.
    Key(Box<KeyView>),
    /// Certificates at cloud services.
    Services {
        /// Names of the services that have one.
        holding: Vec<String>,
        /// Whether a further service could not tell.
        in_doubt: bool,
    },
}

impl Found {
    /// Whether there may be more than was found.
    pub(crate) const fn is_in_doubt(&self) -> bool {
        matches!(self, Self::Services { in_doubt: true, .. })
    }
}

/// A source could not tell: neither yes nor no. For the log, so without personal data.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct CustodySourceError(pub(crate) String);

/// Private keys that sign and never leave where they are.
pub(crate) trait SigningKeys: Send + Sync + fmt::Debug {
    /// Signs SHA-256 digests, at most [`MOST_DIGESTS`] at once, and gives an answer for each in the same order.
    ///
    /// **Shape** of a value: for RSA the PKCS#1 v1.5 value with `DigestInfo`, as long as the modulus; for elliptic
    /// curves `r ‖ s` or DER, as the device gives it. A value is what the device gave: the caller verifies it.
    ///
    /// A digest may be signed twice when a device fails in the middle; only one value comes back.
    fn sign_digests<'a>(
        &'a self,
        work: &'a [DigestToSign],
    ) -> PortFuture<'a, Vec<Result<Vec<u8>, SigningKeyError>>>;

    /// Makes and verifies a real signature: a dead token still opens sessions and finds keys.
    fn check(&self) -> PortFuture<'_, Result<(), SigningKeyError>>;

    /// What is known at the moment. Never waits for the device.
    fn status(&self) -> TokenStatus;

    /// Tells when keys become available and when they cease to be.
    fn status_changes(&self) -> watch::Receiver<Availability>;
}

/// Private keys that are also made and destroyed where they are.
///
/// Whoever calls chooses the `CKA_ID` and has written it down before: after a crash, what may be on the token is known
/// without looking there. Making a key under an identifier replaces whatever has it, so a call may be repeated.
pub(crate) trait KeyStore: SigningKeys {
    /// Makes, imports, completes or destroys a key.
    ///
    /// **Shape** of the answer: for [`KeyWork::Generate`] the DER of the `SubjectPublicKeyInfo`, else empty.
    ///
    /// An error says nothing about whether something was done: destroy the key, or do the same again.
    fn change(&self, work: KeyWork) -> PortFuture<'_, Result<Vec<u8>, SigningKeyError>>;
}

/// What is to happen to a key.
#[derive(Debug)]
pub(crate) enum KeyWork {
    /// A new pair that can sign and can never leave: RSA-2048 or P-256.
    Generate { key: KeyReference, label: String },
    /// A private key from outside, which cannot leave again.
    Import {
        key: KeyReference,
        label: String,
        /// `PrivateKeyInfo` (RFC 5208 §5).
        pkcs8: SecretBytes,
    },
    /// Its certificate, beside it.
    StoreCertificate {
        key_id: Vec<u8>,
        label: String,
        /// DER.
        certificate: Vec<u8>,
    },
    /// All that has this identifier. That there is nothing is fine.
    Destroy { key_id: Vec<u8> },
}

/// Digests of one call.
pub(crate) const MOST_DIGESTS: usize = 256;

/// One digest and the key to sign it with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DigestToSign {
    pub(crate) key: KeyReference,
    /// SHA-256 of what is signed.
    pub(crate) sha256: [u8; 32],
}

/// Whether anything can be signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Availability {
    /// Not known yet.
    Starting,
    /// At least one agent signs.
    Available,
    /// None does, and why.
    Unavailable(SigningKeyError),
}

/// The state of a token and of the processes that use it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TokenStatus {
    pub(crate) agents: Vec<AgentStatus>,
    /// The PIN was refused: nothing logs in any more until the next start.
    pub(crate) latched: Option<SigningKeyError>,
    /// Values that were handed out.
    pub(crate) signatures: u64,
    /// Digests that were given to another agent, and calls that were repeated within one.
    pub(crate) retries: u64,
    /// Digests that may have been signed without anybody getting the value.
    pub(crate) orphans: u64,
}

/// One process that uses the token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AgentStatus {
    pub(crate) pid: Option<u32>,
    pub(crate) state: AgentState,
    /// When a signature of its key for health checks was last verified.
    pub(crate) last_canary: Option<Instant>,
    /// Processes after the first.
    pub(crate) restarts: u64,
    /// Sessions that sign at the moment.
    pub(crate) sessions: u16,
    /// Why it cannot sign, or why it would not pass a health check.
    pub(crate) problem: Option<SigningKeyError>,
}

/// What a process that uses the token is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AgentState {
    /// It starts, for the first time or after a failure.
    Starting,
    /// It signs.
    Up,
    /// It failed more than once and is started again after a pause.
    Down,
    /// It is not started again: the PIN was refused.
    Stopped,
}

impl TokenStatus {
    /// Whether a health check would pass: an agent is up, and its last canary signature verified.
    ///
    /// # Errors
    /// Why not.
    pub(crate) fn ready(&self) -> Result<(), SigningKeyError> {
        let up = |agent: &AgentStatus| agent.state == AgentState::Up && agent.problem.is_none();
        if self.agents.iter().any(up) {
            return Ok(());
        }
        let problem =
            self.latched.clone().or_else(|| self.agents.iter().find_map(|agent| agent.problem.clone()));
        Err(problem.unwrap_or_else(|| SigningKeyError::Unavailable("not connected yet".to_owned())))
    }
}

/// Where a private key is found.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct KeyReference {
    /// `CKA_ID` on a token.
    pub(crate) id: Vec<u8>,
    /// Which mechanism signs.
    pub(crate) algorithm: KeyAlgorithm,
}

/// Kind of private key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum KeyAlgorithm {
    /// RSA with PKCS#1 v1.5.
    Rsa,
    /// ECDSA on a NIST curve.
    Ec,
}

/// Why a key did not sign, by what the caller can do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum SigningKeyError {
    /// The key is not there.
    #[error("the key is not on the token")]
    KeyMissing,
    /// The key cannot do this; trying again does not help.
    #[error("the key refused: {0}")]
    KeyUnusable(String),
    /// Nothing answers at the moment; trying again may help.
    #[error("the token does not answer: {0}")]
    Unavailable(String),
    /// The process that holds the token's module ended, or was ended at its deadline; trying again may help.
    #[error("the token's process ended: {0}")]
    AgentFailed(String),
    /// The PIN is wrong or has expired. It is not tried again, or the token would lock.
    #[error("the token refused the PIN")]
    PinRejected,
    /// The PIN is locked.
    #[error("the PIN of the token is locked")]
    PinLocked,
    /// One try is left before the PIN locks. It is not ours to take.
    #[error("the token has one try of the PIN left, which is not used")]
    PinFinalTry,
}

impl SigningKeyError {
    /// Whether the same call may succeed later without anybody acting.
    pub(crate) const fn is_transient(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::AgentFailed(_))
    }

    /// Whether no login may follow before somebody has acted.
    pub(crate) const fn is_about_the_pin(&self) -> bool {
        matches!(self, Self::PinRejected | Self::PinLocked | Self::PinFinalTry)
    }
}
