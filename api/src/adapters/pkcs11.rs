//! Keys behind PKCS#11.
//!
//! One context per process, one thread and one session per worker, fed by a bounded queue; PKCS#11 calls block, so no
//! async thread ever makes one. A caller waits no longer than its deadline, whatever the module does.

mod error;
mod module;
mod pool;
pub(crate) mod provision;
mod public_key;
mod token;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rubrica_core::ErrorCode;

use crate::config;
use crate::failure::Failure;
use crate::ports::{KeyReference, PortFuture, SigningKeyError, SigningKeys};
use crate::secret::Secret;

pub(crate) use module::find_module;
use pool::{Pool, Work};
use token::Token;

/// What the adapter has to know.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) module: PathBuf,
    pub(crate) label: String,
    /// Empty when the label is enough.
    pub(crate) serial: String,
    pub(crate) pin: Secret,
    pub(crate) sessions: usize,
    pub(crate) call_timeout: Duration,
    pub(crate) canary_label: String,
}

impl Settings {
    /// Reads the PIN and finds the module.
    pub(crate) fn from_config(token: &config::Token) -> Result<Self, Failure> {
        Ok(Self {
            module: find_module(&token.module)?,
            label: token.label.clone(),
            serial: token.serial.clone(),
            pin: read_pin(token)?,
            sessions: token.sessions,
            call_timeout: token.call_timeout(),
            canary_label: token.canary_label.clone(),
        })
    }
}

fn read_pin(token: &config::Token) -> Result<Secret, Failure> {
    if let Ok(pin) = std::env::var("RUBRICA_TOKEN_PIN") {
        return Ok(Secret::new(pin));
    }
    if token.pin_file.as_os_str().is_empty() {
        return Err(Failure::new(
            ErrorCode::ConfigInvalid,
            "the token has no PIN",
            "Set token.pin_file or RUBRICA_TOKEN_PIN",
        ));
    }
    Secret::from_file(&token.pin_file)
}

/// The keys of one token.
#[derive(Debug)]
pub(crate) struct Pkcs11Keys {
    pool: Pool,
    call_timeout: Duration,
}

impl Pkcs11Keys {
    /// Loads the module, finds the token, logs in and lists its keys.
    ///
    /// A token that does not answer is no reason not to start: it is tried again with each call.
    ///
    /// # Errors
    /// `pkcs11_module_missing`, `token_pin_rejected`, `token_pin_locked`.
    pub(crate) fn open(settings: Settings) -> Result<Self, Failure> {
        let call_timeout = settings.call_timeout;
        let sessions = settings.sessions;
        let token = Arc::new(Token::load(settings)?);
        match token.connect() {
            Ok(()) => {}
            Err(error @ (SigningKeyError::PinRejected | SigningKeyError::PinLocked)) => {
                return Err(failure(&error));
            }
            Err(error) => tracing::error!(%error, "the token is not ready; every call tries again"),
        }
        Ok(Self { pool: Pool::start(token, sessions), call_timeout })
    }

    async fn run(&self, work: Work) -> Result<Vec<u8>, SigningKeyError> {
        let answer = self.pool.submit(work)?;
        match tokio::time::timeout(self.call_timeout, answer).await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => Err(SigningKeyError::Unavailable("the worker of the token has ended".to_owned())),
            Err(_) => Err(SigningKeyError::Unavailable(format!(
                "no answer in {} ms",
                self.call_timeout.as_millis()
            ))),
        }
    }
}

impl SigningKeys for Pkcs11Keys {
    fn sign_digest<'a>(
        &'a self,
        key: &'a KeyReference,
        sha256: &'a [u8; 32],
    ) -> PortFuture<'a, Result<Vec<u8>, SigningKeyError>> {
        Box::pin(self.run(Work::Sign { key: key.clone(), sha256: *sha256 }))
    }

    fn check(&self) -> PortFuture<'_, Result<(), SigningKeyError>> {
        Box::pin(async { self.run(Work::Canary).await.map(drop) })
    }
}

/// The failure of a command for an error of the token.
pub(crate) fn failure(error: &SigningKeyError) -> Failure {
    let (code, remedy) = match error {
        SigningKeyError::KeyMissing => {
            (ErrorCode::KeyNotFound, "See `rubrica keys list` and the token's label")
        }
        SigningKeyError::KeyUnusable(_) => {
            (ErrorCode::KeyUnsupported, "Use an RSA or P-256 key made for signing")
        }
        SigningKeyError::Unavailable(_) => {
            (ErrorCode::TokenUnavailable, "Check the token with `rubrica doctor` and try again")
        }
        SigningKeyError::PinRejected => (
            ErrorCode::TokenPinRejected,
            "Correct the PIN file before the next start: every wrong try brings the lock nearer",
        ),
        SigningKeyError::PinLocked => {
            (ErrorCode::TokenPinLocked, "Have the security officer unlock the token")
        }
    };
    Failure::new(code, error.to_string(), remedy)
}
