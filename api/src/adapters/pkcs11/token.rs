//! One token: login, handles, sessions, and what happens when it fails.
//!
//! Sessions live here and not in their threads, so that recovery can close every one of them before it finalises the
//! library: a handle that outlives a finalise may name somebody else's session afterwards.

use std::sync::{Mutex, PoisonError, RwLock, TryLockError};
use std::time::{Duration, Instant};

use cryptoki::context::Pkcs11;
use cryptoki::mechanism::Mechanism;

use super::Settings;
use super::error::{Problem, classify};
use super::module;
use crate::failure::Failure;
use crate::ports::{KeyAlgorithm, KeyReference, SigningKeyError};

mod context;

use context::Context;

/// `DigestInfo` of a SHA-256 digest, up to the digest (RFC 8017 §9.2).
const SHA256_DIGEST_INFO: [u8; 19] = [
    0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00,
    0x04, 0x20,
];

const FIRST_BACK_OFF: Duration = Duration::from_millis(250);
const LONGEST_BACK_OFF: Duration = Duration::from_secs(30);
/// How long recovery waits for calls that are under way.
const DRAIN_TIME: Duration = Duration::from_secs(5);

/// The token, usable from every worker.
#[derive(Debug)]
pub(super) struct Token {
    settings: Settings,
    library: Pkcs11,
    /// `None` while the token is down.
    context: RwLock<Option<Context>>,
    recovery: Mutex<Recovery>,
}

/// What recovery knows; held by one worker at a time.
#[derive(Debug)]
struct Recovery {
    /// Grows with each initialise, so that workers that saw the same failure recover once.
    epoch: u64,
    back_off: Duration,
    not_before: Option<Instant>,
    /// The PIN was refused: nothing is tried any more.
    stopped: Option<SigningKeyError>,
    last_error: String,
}

impl Token {
    pub(super) fn load(settings: Settings) -> Result<Self, Failure> {
        let library = module::load(&settings.module)?;
        Ok(Self {
            settings,
            library,
            context: RwLock::new(None),
            recovery: Mutex::new(Recovery {
                epoch: 0,
                back_off: FIRST_BACK_OFF,
                not_before: None,
                stopped: None,
                last_error: "not connected yet".to_owned(),
            }),
        })
    }

    /// Connects for the first time.
    pub(super) fn connect(&self) -> Result<(), SigningKeyError> {
        self.recover(0)
    }

    /// Signs a digest in the session of `worker`.
    pub(super) fn sign(
        &self,
        worker: usize,
        key: &KeyReference,
        sha256: &[u8; 32],
    ) -> Result<Vec<u8>, SigningKeyError> {
        self.with_context(|context| {
            let handle = context.handle(&key.id)?;
            context.with_session(worker, |session| {
                match key.algorithm {
                    KeyAlgorithm::Rsa => session.sign(
                        &Mechanism::RsaPkcs,
                        handle,
                        &[SHA256_DIGEST_INFO.as_slice(), sha256].concat(),
                    ),
                    KeyAlgorithm::Ec => session.sign(&Mechanism::Ecdsa, handle, sha256),
                }
                .map_err(classify)
            })
        })
    }

    /// Signs a random challenge with the canary key and verifies it.
    pub(super) fn canary(&self, worker: usize) -> Result<(), SigningKeyError> {
        self.with_context(|context| context.check_canary(worker))
    }

    /// Runs one call, and once more when its failure can be repaired.
    fn with_context<T>(&self, call: impl Fn(&Context) -> Result<T, Problem>) -> Result<T, SigningKeyError> {
        let mut repaired = false;
        loop {
            let (epoch, result) = {
                let context = self.context.read().unwrap_or_else(PoisonError::into_inner);
                match context.as_ref() {
                    Some(context) => (context.epoch, call(context)),
                    None => (0, Err(Problem::Device("the token is down".to_owned()))),
                }
            };
            let problem = match result {
                Ok(value) => return Ok(value),
                Err(problem) => problem,
            };
            match &problem {
                Problem::Key(text) if text == context::MISSING => return Err(SigningKeyError::KeyMissing),
                Problem::Key(_) => return Err(problem.into_port_error()),
                Problem::PinRejected | Problem::PinLocked => {
                    let error = problem.into_port_error();
                    self.stop(&error);
                    return Err(error);
                }
                Problem::Session(_) | Problem::Login(_) | Problem::Device(_) if repaired => {
                    // The repair did not help: the device itself is in doubt. The next call starts from there.
                    if epoch != 0 {
                        self.recover(epoch)?;
                    }
                    return Err(problem.into_port_error());
                }
                // The session was thrown away by the call; another one is opened by the next.
                Problem::Session(_) => {}
                Problem::Login(_) => self.log_in_again()?,
                Problem::Device(_) => self.recover(epoch)?,
            }
            tracing::warn!(problem = ?problem, "token call failed; trying once more");
            repaired = true;
        }
    }

    fn log_in_again(&self) -> Result<(), SigningKeyError> {
        let epoch = {
            let context = self.context.read().unwrap_or_else(PoisonError::into_inner);
            let Some(context) = context.as_ref() else { return Ok(()) };
            match context.log_in_and_list(&self.settings) {
                Ok(()) => return Ok(()),
                Err(Problem::PinRejected) => Err(SigningKeyError::PinRejected),
                Err(Problem::PinLocked) => Err(SigningKeyError::PinLocked),
                Err(_) => Ok(context.epoch),
            }
        };
        match epoch {
            Ok(epoch) => self.recover(epoch),
            Err(error) => {
                self.stop(&error);
                Err(error)
            }
        }
    }

    /// Finalises, initialises, logs in and makes a test signature, unless another worker did since `seen_epoch`.
    fn recover(&self, seen_epoch: u64) -> Result<(), SigningKeyError> {
        let mut recovery = self.recovery.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(error) = &recovery.stopped {
            return Err(error.clone());
        }
        let up = self.context.read().unwrap_or_else(PoisonError::into_inner).is_some();
        if up && recovery.epoch != seen_epoch {
            return Ok(());
        }
        if recovery.not_before.is_some_and(|not_before| Instant::now() < not_before) {
            return Err(SigningKeyError::Unavailable(recovery.last_error.clone()));
        }
        let epoch = recovery.epoch + 1;
        match self.reconnect(epoch) {
            Ok(()) => {
                *recovery = Recovery {
                    epoch,
                    back_off: FIRST_BACK_OFF,
                    not_before: None,
                    stopped: None,
                    last_error: String::new(),
                };
                Ok(())
            }
            Err(problem) => {
                let error = problem.into_port_error();
                let retry_in_ms = u64::try_from(recovery.back_off.as_millis()).unwrap_or(u64::MAX);
                tracing::warn!(%error, retry_in_ms, "cannot connect to the token");
                recovery.not_before = Some(Instant::now() + recovery.back_off);
                recovery.back_off = (recovery.back_off * 2).min(LONGEST_BACK_OFF);
                recovery.last_error = if let SigningKeyError::Unavailable(text) = &error {
                    text.clone()
                } else {
                    error.to_string()
                };
                if matches!(error, SigningKeyError::PinRejected | SigningKeyError::PinLocked) {
                    recovery.stopped = Some(error.clone());
                }
                Err(error)
            }
        }
    }

    fn reconnect(&self, epoch: u64) -> Result<(), Problem> {
        let mut place = self.drained()?;
        if let Some(old) = place.take() {
            old.close();
            if let Err(error) = self.library.clone().finalize() {
                tracing::warn!(%error, "the PKCS#11 library did not finalise cleanly");
            }
        }
        module::initialize(&self.library).map_err(classify)?;
        let connected = Context::connect(&self.library, &self.settings, epoch).and_then(|context| {
            context.check_after_connect()?;
            Ok(context)
        });
        match connected {
            Ok(context) => {
                *place = Some(context);
                Ok(())
            }
            Err(problem) => {
                // Else the next try would only hear that the library is initialised already.
                let _ = self.library.clone().finalize();
                Err(problem)
            }
        }
    }

    /// The context for writing, once no call is under way; gives up when a call hangs in the module.
    fn drained(&self) -> Result<std::sync::RwLockWriteGuard<'_, Option<Context>>, Problem> {
        let deadline = Instant::now() + DRAIN_TIME;
        loop {
            match self.context.try_write() {
                Ok(guard) => return Ok(guard),
                Err(TryLockError::Poisoned(poisoned)) => return Ok(poisoned.into_inner()),
                Err(TryLockError::WouldBlock) if Instant::now() < deadline => {
                    std::thread::sleep(Duration::from_millis(5));
                }
                Err(TryLockError::WouldBlock) => {
                    return Err(Problem::Device("a call hangs in the PKCS#11 module".to_owned()));
                }
            }
        }
    }

    fn stop(&self, error: &SigningKeyError) {
        tracing::error!(%error, "the token is not used any more until the next start");
        self.recovery.lock().unwrap_or_else(PoisonError::into_inner).stopped = Some(error.clone());
    }
}

impl Drop for Token {
    fn drop(&mut self) {
        if let Some(context) = self.context.get_mut().unwrap_or_else(PoisonError::into_inner).take() {
            context.close();
            let _ = self.library.clone().finalize();
        }
    }
}
