//! One token: login, handles, sessions, and what is done when a call fails.
//!
//! Sessions live here and not in their threads, so that recovery can close every one of them before it finalises the
//! library: a handle that outlives a finalise may name somebody else's session afterwards.

mod change;
mod context;
mod keys;

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockWriteGuard, TryLockError};
use std::time::{Duration, Instant};

use cryptoki::context::Pkcs11;
use cryptoki::mechanism::Mechanism;
use cryptoki::session::Session;

use super::link::Link;
use super::protocol::AgentSettings;
use crate::adapters::pkcs11::module;
use crate::adapters::pkcs11::return_code::{Problem, Remedy, classify};
use crate::ports::{KeyAlgorithm, KeyReference, KeyWork, SigningKeyError};
use context::Context;
use keys::TokenKey;

/// `DigestInfo` of a SHA-256 digest, up to the digest (RFC 8017 §9.2).
const SHA256_DIGEST_INFO: [u8; 19] = [
    0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00,
    0x04, 0x20,
];

/// Changes of keys have no session of a worker.
const NO_WORKER: usize = usize::MAX;

/// How long recovery waits for calls that are under way.
const DRAIN_TIME: Duration = Duration::from_secs(2);

/// Why there is no value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Failed {
    /// For this digest.
    Digest(SigningKeyError),
    /// For this and all that follow: another process has to try.
    Agent(SigningKeyError),
}

/// The token, usable from every worker.
#[derive(Debug)]
pub(super) struct Token {
    settings: AgentSettings,
    library: Pkcs11,
    link: Arc<Link>,
    /// `None` before the first connection and after the end.
    context: RwLock<Option<Context>>,
    /// One worker mends at a time.
    mending: Mutex<()>,
    retries: AtomicU32,
}

/// Which login of which initialisation a failure was seen in, so that workers that saw the same one mend it once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Seen {
    epoch: u32,
    login: u32,
}

impl Token {
    /// Loads the module. Nothing of it runs yet but what runs when a library is loaded.
    pub(super) fn load(settings: AgentSettings, link: Arc<Link>) -> Result<Self, String> {
        let library = Pkcs11::new(&settings.module).map_err(|error| {
            format!("{} is not a PKCS#11 module that can be loaded: {error}", settings.module.display())
        })?;
        Ok(Self {
            settings,
            library,
            link,
            context: RwLock::new(None),
            mending: Mutex::new(()),
            retries: AtomicU32::new(0),
        })
    }

    /// Initialises the library, logs in and lists the keys.
    pub(super) fn connect(&self) -> Result<(), Problem> {
        let mut place = self.drained()?;
        self.connect_at(&mut place, 1)
    }

    /// Most sessions that may sign.
    pub(super) fn most_sessions(&self) -> usize {
        usize::from(self.settings.sessions)
    }

    /// How often the library was initialised, and how often a call was repeated.
    pub(super) fn vitals(&self) -> (u32, u32) {
        let context = self.context.read().unwrap_or_else(PoisonError::into_inner);
        (context.as_ref().map_or(0, |context| context.epoch), self.retries.load(Ordering::Relaxed))
    }

    /// Signs a digest in the session of `worker`.
    pub(super) fn sign(
        &self,
        worker: usize,
        key: &KeyReference,
        sha256: &[u8; 32],
    ) -> Result<Vec<u8>, Failed> {
        self.with_context(worker, |context| {
            let found = context.key(&key.id)?;
            if found.algorithm != key.algorithm {
                return Err(Problem::Permanent("it is of another kind than registered".to_owned()));
            }
            context.with_session(worker, |session| sign(session, &found, sha256))
        })
    }

    /// Signs a digest with the key for health checks.
    pub(super) fn sign_canary(&self, worker: usize, sha256: &[u8; 32]) -> Result<Vec<u8>, Failed> {
        self.with_context(worker, |context| {
            let found = context.canary_key().ok_or(Problem::KeyMissing)?;
            context.with_session(worker, |session| sign(session, &found, sha256))
        })
    }

    /// Makes, imports, completes or destroys a key.
    pub(super) fn change(&self, work: &KeyWork) -> Result<Vec<u8>, Failed> {
        self.with_context(NO_WORKER, |context| context.change(work))
    }

    /// Whether the token refused to open as many sessions as we asked for; then how many there are.
    pub(super) fn session_limit(&self) -> Option<usize> {
        let context = self.context.read().unwrap_or_else(PoisonError::into_inner);
        context.as_ref().and_then(Context::session_limit)
    }

    /// Runs a call. When it fails, does what the failure asks for and runs it again; each further failure calls for
    /// something stronger, and in the end for another process.
    fn with_context<T>(
        &self,
        worker: usize,
        call: impl Fn(&Context) -> Result<T, Problem>,
    ) -> Result<T, Failed> {
        let mut done = None;
        loop {
            let (seen, result) = {
                let context = self.context.read().unwrap_or_else(PoisonError::into_inner);
                match context.as_ref() {
                    Some(context) => (context.seen(), call(context)),
                    None => (Seen::default(), Err(Problem::device("the library is not initialised"))),
                }
            };
            let (remedy, text) = match result {
                Ok(value) => return Ok(value),
                Err(Problem::Mend(remedy, text)) => (remedy, text),
                Err(problem @ (Problem::KeyMissing | Problem::Permanent(_))) => {
                    return Err(Failed::Digest(problem.into_port_error()));
                }
                Err(Problem::Operator(error)) => return Err(Failed::Agent(error)),
            };
            let remedy = done.map_or(remedy, |done: Remedy| remedy.max(done.stronger()));
            tracing::warn!(
                agent.pid = std::process::id(),
                error = text,
                ?remedy,
                "a call of the token failed"
            );
            self.retries.fetch_add(1, Ordering::Relaxed);
            match remedy {
                Remedy::Retry => {}
                Remedy::Reopen => self.close_session(worker),
                Remedy::LogIn => self.log_in_again(seen)?,
                Remedy::Reinitialise => self.reinitialise(seen)?,
                Remedy::Respawn => return Err(Failed::Agent(SigningKeyError::Unavailable(text))),
            }
            done = Some(remedy);
        }
    }

    fn close_session(&self, worker: usize) {
        if let Some(context) = self.context.read().unwrap_or_else(PoisonError::into_inner).as_ref() {
            context.close_session(worker);
        }
    }

    /// Logs in and lists the keys, unless another worker did since.
    fn log_in_again(&self, seen: Seen) -> Result<(), Failed> {
        let _one = self.mending.lock().unwrap_or_else(PoisonError::into_inner);
        let context = self.context.read().unwrap_or_else(PoisonError::into_inner);
        let Some(context) = context.as_ref() else { return Ok(()) };
        if context.seen() != seen {
            return Ok(());
        }
        match context.log_in_and_list(&self.settings, &self.link) {
            Err(Problem::Operator(error)) => Err(Failed::Agent(error)),
            Err(Problem::Mend(Remedy::Respawn, text)) => {
                Err(Failed::Agent(SigningKeyError::Unavailable(text)))
            }
            // What else failed will fail again in the call, which then calls for something stronger.
            Ok(()) | Err(Problem::Mend(..) | Problem::KeyMissing | Problem::Permanent(_)) => Ok(()),
        }
    }

    /// Finalises, initialises and logs in, unless another worker did since.
    fn reinitialise(&self, seen: Seen) -> Result<(), Failed> {
        let _one = self.mending.lock().unwrap_or_else(PoisonError::into_inner);
        let epoch = self.context.read().unwrap_or_else(PoisonError::into_inner).as_ref().map(|it| it.epoch);
        if epoch.is_some_and(|epoch| epoch != seen.epoch) {
            return Ok(());
        }
        let mut place = self.drained().map_err(|problem| Failed::Agent(problem.into_token_error()))?;
        if let Some(old) = place.take() {
            old.close();
            if let Err(error) = self.library.clone().finalize() {
                tracing::warn!(%error, "the PKCS#11 library did not finalise cleanly");
            }
        }
        self.connect_at(&mut place, seen.epoch + 1)
            .map_err(|problem| Failed::Agent(problem.into_token_error()))
    }

    fn connect_at(&self, place: &mut Option<Context>, epoch: u32) -> Result<(), Problem> {
        module::initialize(&self.library).map_err(classify)?;
        let context = Context::open(&self.library, &self.settings, epoch)?;
        context.log_in_and_list(&self.settings, &self.link)?;
        *place = Some(context);
        Ok(())
    }

    /// The context for writing, once no call is under way; gives up when a call hangs in the module.
    fn drained(&self) -> Result<RwLockWriteGuard<'_, Option<Context>>, Problem> {
        let deadline = Instant::now() + DRAIN_TIME;
        loop {
            match self.context.try_write() {
                Ok(guard) => return Ok(guard),
                Err(TryLockError::Poisoned(poisoned)) => return Ok(poisoned.into_inner()),
                Err(TryLockError::WouldBlock) if Instant::now() < deadline => {
                    std::thread::sleep(Duration::from_millis(1));
                }
                Err(TryLockError::WouldBlock) => {
                    return Err(Problem::Mend(
                        Remedy::Respawn,
                        "a call hangs in the PKCS#11 module".to_owned(),
                    ));
                }
            }
        }
    }

    /// Logs out and finalises, when nothing hangs.
    pub(super) fn close(&self) {
        let Ok(mut place) = self.drained() else { return };
        if let Some(context) = place.take() {
            context.close();
            // The process ends now, and with it whatever is left.
            let _ = self.library.clone().finalize();
        }
    }
}

fn sign(session: &Session, key: &TokenKey, sha256: &[u8; 32]) -> Result<Vec<u8>, Problem> {
    match key.algorithm {
        KeyAlgorithm::Rsa => {
            let mut digest_info = [0; SHA256_DIGEST_INFO.len() + 32];
            digest_info[..SHA256_DIGEST_INFO.len()].copy_from_slice(&SHA256_DIGEST_INFO);
            digest_info[SHA256_DIGEST_INFO.len()..].copy_from_slice(sha256);
            session.sign(&Mechanism::RsaPkcs, key.handle, &digest_info)
        }
        KeyAlgorithm::Ec => session.sign(&Mechanism::Ecdsa, key.handle, sha256),
    }
    .map_err(classify)
}
