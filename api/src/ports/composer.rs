//! Who makes a signature around the value of a key, when our own code does not.

use std::fmt;

use rubrica_core::ErrorCode;
use rubrica_core::wire::{SignatureFormat, SignaturePolicy};
use rubrica_core::x509::Certificate;
use serde::{Deserialize, Serialize};

use super::PortFuture;
use crate::input::Input;

/// A program or service that makes the signature: it says which digest the key has to sign, and puts the value in.
///
/// It never has the key. What it gives is believed by nobody: the caller reads and validates it from zero.
pub(crate) trait Composer: Send + Sync + fmt::Debug {
    fn name(&self) -> ComposerName;

    /// First step. May be done again: what it gave before is then forgotten.
    fn begin<'a>(&'a self, work: &'a Composition<'a>) -> PortFuture<'a, Result<Begun, ComposerError>>;

    /// Second step: the CMS, or the whole PDF. May be done again with the same state and value.
    fn complete<'a>(&'a self, work: &'a Completion<'a>) -> PortFuture<'a, Result<Vec<u8>, ComposerError>>;
}

/// Those that there are beside our own code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ComposerName {
    /// PKI Express of Lacuna, a program on this machine.
    PkiExpress,
}

impl fmt::Display for ComposerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PkiExpress => "PKI Express",
        })
    }
}

/// What is to be made.
#[derive(Debug)]
pub(crate) struct Composition<'a> {
    /// An invisible signature in a PDF, or a detached CMS; level b.
    pub(crate) format: SignatureFormat,
    /// None or AD-RB.
    pub(crate) policy: SignaturePolicy,
    pub(crate) document: &'a Input,
    /// Its key is RSA, and the value will be PKCS#1 v1.5 over SHA-256.
    pub(crate) signer: &'a Certificate,
}

/// The first step is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Begun {
    /// SHA-256 of what the key is to sign.
    pub(crate) sha256: [u8; 32],
    /// Whatever the second step needs. It means nothing to us.
    pub(crate) state: Vec<u8>,
}

/// The value is there.
#[derive(Debug)]
pub(crate) struct Completion<'a> {
    pub(crate) format: SignatureFormat,
    pub(crate) document: &'a Input,
    pub(crate) state: &'a [u8],
    /// It verifies: see [`Composition::signer`].
    pub(crate) value: &'a [u8],
}

/// Why there is no signature, by what the caller can do. The texts hold nothing that the other side wrote.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ComposerError {
    /// It does not run or does not answer; the same may work later, perhaps after its operator acted.
    #[error("{0}")]
    Unavailable(String),
    /// It does not make this signature.
    #[error("{0}")]
    Refused(String),
    /// It gave something else than its contract says.
    #[error("{0}")]
    Contract(String),
}

impl ComposerError {
    pub(crate) const fn code(&self) -> ErrorCode {
        match self {
            Self::Unavailable(_) => ErrorCode::ComposerUnavailable,
            Self::Refused(_) => ErrorCode::ComposerRefused,
            Self::Contract(_) => ErrorCode::ComposerAnswerInvalid,
        }
    }
}
