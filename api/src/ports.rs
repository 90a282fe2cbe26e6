//! What lies outside the process and has more than one form.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use rubrica_core::Timestamp;

/// A future behind a port.
pub(crate) type PortFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The clock.
pub(crate) trait Clock: Send + Sync + fmt::Debug {
    /// The time now.
    fn now(&self) -> Timestamp;
}

/// Private keys that sign and never leave where they are.
pub(crate) trait SigningKeys: Send + Sync + fmt::Debug {
    /// Signs a SHA-256 digest.
    ///
    /// **Shape** of the answer: for RSA the PKCS#1 v1.5 value with `DigestInfo`, as long as the modulus; for elliptic
    /// curves `r ‖ s` or DER, as the device gives it.
    fn sign_digest<'a>(
        &'a self,
        key: &'a KeyReference,
        sha256: &'a [u8; 32],
    ) -> PortFuture<'a, Result<Vec<u8>, SigningKeyError>>;

    /// Makes and verifies a real signature: a dead token still opens sessions and finds keys.
    fn check(&self) -> PortFuture<'_, Result<(), SigningKeyError>>;
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
    /// The PIN is wrong or has expired. It is not tried again, or the token would lock.
    #[error("the token refused the PIN")]
    PinRejected,
    /// The PIN is locked.
    #[error("the PIN of the token is locked")]
    PinLocked,
}

impl SigningKeyError {
    /// Whether the same call may succeed later without anybody acting.
    pub(crate) const fn is_transient(&self) -> bool {
        matches!(self, Self::Unavailable(_))
    }
}
