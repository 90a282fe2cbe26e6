//! Keys behind PKCS#11, used through token agents: this process never calls a module for a signature.
//!
//! Several agents share the work and take it from one queue, so that one of them may hang, crash or restart while the
//! others go on. A caller hears within its deadline, whatever a module does.

mod agents;
pub(crate) mod module;
pub(crate) mod provision;
pub(crate) mod public_key;
pub(crate) mod return_code;

use std::collections::BTreeMap;
use std::time::Duration;

use rubrica_core::ErrorCode;
use tokio::sync::watch;

use crate::config::{self, Config};
use crate::failure::Failure;
use crate::ports::{
    Availability, DigestToSign, KeyStore, KeyWork, PortFuture, SigningKeyError, SigningKeys, TokenStatus,
};
use crate::secret::Secret;
use crate::token_agent::protocol::{AgentSettings, LogSettings};

use agents::Agents;
pub(crate) use module::find_module;

/// Longest PIN and longest label.
const LONGEST_TEXT: usize = 1024;

/// What the adapter has to know.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// What each agent is told.
    pub(crate) agent: AgentSettings,
    pub(crate) pin: Secret,
    /// Environment of the module.
    pub(crate) environment: BTreeMap<String, String>,
    /// Processes that use the token at the same time.
    pub(crate) agents: usize,
    pub(crate) call_timeout: Duration,
    /// Between two signatures with the key for health checks.
    pub(crate) canary_interval: Duration,
}

impl Settings {
    /// Reads the PIN and finds the module.
    pub(crate) fn from_config(config: &Config) -> Result<Self, Failure> {
        let token = &config.token;
        let pin = read_pin(token)?;
        for (name, text) in [
            ("the PIN", pin.expose()),
            ("token.label", &token.label),
            ("token.serial", &token.serial),
            ("token.canary_label", &token.canary_label),
        ] {
            if text.len() > LONGEST_TEXT {
                return Err(Failure::of(
                    ErrorCode::ConfigInvalid,
                    format!("{name} is longer than {LONGEST_TEXT} bytes"),
                ));
            }
        }
        Ok(Self {
            agent: AgentSettings {
                module: find_module(&token.module)?,
                label: token.label.clone(),
                serial: token.serial.clone(),
                canary_label: token.canary_label.clone(),
                sessions: u16::try_from(token.sessions).unwrap_or(u16::MAX),
                log: LogSettings::from(&config.log),
            },
            pin,
            environment: token.environment.clone(),
            agents: token.agents,
            call_timeout: token.call_timeout(),
            canary_interval: Duration::from_secs(token.canary_seconds),
        })
    }

    /// For a command that signs once.
    #[must_use]
    pub(crate) fn with_one_agent(mut self) -> Self {
        self.agents = 1;
        self
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
    agents: Agents,
}

impl Pkcs11Keys {
    /// Starts the agents and waits until one signs or says why it cannot.
    ///
    /// A token that does not answer is no reason not to start: it is tried again while the server runs.
    ///
    /// # Errors
    /// `pkcs11_module_missing`, `token_pin_rejected`, `token_pin_locked`.
    pub(crate) fn open(settings: Settings) -> Result<Self, Failure> {
        let timeout = settings.call_timeout;
        let agents = Agents::start(settings)?;
        match agents.first_outcome(timeout)? {
            Ok(()) => {}
            Err(error) if error.is_about_the_pin() => return Err(failure(&error)),
            Err(error) => tracing::error!(%error, "the token is not ready; it is tried again"),
        }
        Ok(Self { agents })
    }
}

impl SigningKeys for Pkcs11Keys {
    fn sign_digests<'a>(
        &'a self,
        work: &'a [DigestToSign],
    ) -> PortFuture<'a, Vec<Result<Vec<u8>, SigningKeyError>>> {
        Box::pin(self.agents.sign(work))
    }

    fn check(&self) -> PortFuture<'_, Result<(), SigningKeyError>> {
        Box::pin(self.agents.check())
    }

    fn status(&self) -> TokenStatus {
        self.agents.status()
    }

    fn status_changes(&self) -> watch::Receiver<Availability> {
        self.agents.status_changes()
    }
}

impl KeyStore for Pkcs11Keys {
    fn change(&self, work: KeyWork) -> PortFuture<'_, Result<Vec<u8>, SigningKeyError>> {
        Box::pin(self.agents.change(work))
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
        SigningKeyError::AgentFailed(_) => (
            ErrorCode::TokenAgentFailed,
            "Try again; if it persists, ask the vendor of the PKCS#11 module with the log",
        ),
        SigningKeyError::PinRejected => (
            ErrorCode::TokenPinRejected,
            "Correct the PIN file before the next start: every wrong try brings the lock nearer",
        ),
        SigningKeyError::PinFinalTry => (
            ErrorCode::TokenPinRejected,
            "Log in once with the right PIN and the vendor's tool, which gives the tries back, then start again",
        ),
        SigningKeyError::PinLocked => {
            (ErrorCode::TokenPinLocked, "Have the security officer unlock the token")
        }
    };
    Failure::new(code, error.to_string(), remedy)
}
