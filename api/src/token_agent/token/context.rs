//! An initialised library with a login, the handles of its keys and one session per worker.

use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError, RwLock};

use cryptoki::context::Pkcs11;
use cryptoki::error::{Error, RvError};
use cryptoki::session::{Session, SessionState, UserType};
use cryptoki::slot::Slot;
use cryptoki::types::AuthPin;

use super::Seen;
use super::change;
use super::keys::{self, Keys, TokenKey};
use crate::adapters::pkcs11::module;
use crate::adapters::pkcs11::return_code::{Problem, Remedy, classify};
use crate::ports::{KeyReference, KeyWork};
use crate::token_agent::link::Link;
use crate::token_agent::protocol::{AgentSettings, PinFlags};

/// One connection to the token, from initialise to finalise.
#[derive(Debug)]
pub(super) struct Context {
    /// How often the library was initialised: handles are good within one epoch only.
    pub(super) epoch: u32,
    login: AtomicU32,
    library: Pkcs11,
    slot: Slot,
    /// Holds the login: it belongs to the process and ends with its last session.
    anchor: Mutex<Session>,
    sessions: Vec<Mutex<Option<Session>>>,
    /// Sessions that the token gave us, once it refused one; else the largest number.
    limit: AtomicUsize,
    keys: RwLock<Keys>,
}

impl Context {
    pub(super) fn open(library: &Pkcs11, settings: &AgentSettings, epoch: u32) -> Result<Self, Problem> {
        let slot = module::find_slot(library, &settings.label, &settings.serial)?;
        let anchor = library.open_ro_session(slot).map_err(classify)?;
        Ok(Self {
            epoch,
            login: AtomicU32::new(0),
            library: library.clone(),
            slot,
            anchor: Mutex::new(anchor),
            sessions: (0..settings.sessions).map(|_| Mutex::new(None)).collect(),
            limit: AtomicUsize::new(usize::MAX),
            keys: RwLock::default(),
        })
    }

    pub(super) fn seen(&self) -> Seen {
        Seen { epoch: self.epoch, login: self.login.load(Ordering::Acquire) }
    }

    /// Logs in, unless the process is, and lists the keys.
    pub(super) fn log_in_and_list(&self, settings: &AgentSettings, link: &Link) -> Result<(), Problem> {
        let anchor = self.anchor.lock().unwrap_or_else(PoisonError::into_inner);
        if !is_logged_in(&anchor) {
            self.log_in(&anchor, link)?;
        }
        let keys = keys::list(&anchor, &settings.canary_label)?;
        if keys.is_empty() {
            // A token that lost its back end finds nothing and reports no error.
            return Err(Problem::device("the token shows no keys"));
        }
        tracing::info!(
            agent.pid = std::process::id(),
            token.label = settings.label,
            keys = keys.len(),
            "logged in to the token"
        );
        link.tell_ready(&keys.ready());
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = keys;
        self.login.fetch_add(1, Ordering::Release);
        Ok(())
    }

    /// One try, and only with the server's leave, which knows what became of earlier ones.
    fn log_in(&self, anchor: &Session, link: &Link) -> Result<(), Problem> {
        // A token that does not describe itself is asked all the same: its answer to the PIN is what counts.
        let flags = self.library.get_token_info(self.slot).map_or_else(
            |_| PinFlags::default(),
            |info| PinFlags {
                count_low: info.user_pin_count_low(),
                final_try: info.user_pin_final_try(),
                locked: info.user_pin_locked(),
            },
        );
        let pin = AuthPin::from(link.ask_for_pin(flags)?.expose().to_owned());
        let result = match anchor.login(UserType::User, Some(&pin)) {
            Ok(()) | Err(Error::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => Ok(()),
            Err(error) => Err(classify(error)),
        };
        link.tell_login(&result.clone().map_err(Problem::into_token_error));
        result
    }

    pub(super) fn key(&self, id: &[u8]) -> Result<TokenKey, Problem> {
        if let Some(key) = self.keys.read().unwrap_or_else(PoisonError::into_inner).find(id) {
            return Ok(key);
        }
        // Another agent may have made it since this one listed them.
        let found = {
            let anchor = self.anchor.lock().unwrap_or_else(PoisonError::into_inner);
            keys::look_for(&anchor, id)?
        };
        let key = found.ok_or(Problem::KeyMissing)?;
        self.keys.write().unwrap_or_else(PoisonError::into_inner).add(id, key);
        Ok(key)
    }

    /// Changes a key, in a session of its own that may write. The login is the one of all sessions.
    pub(super) fn change(&self, work: &KeyWork) -> Result<Vec<u8>, Problem> {
        let (KeyWork::Generate { key: KeyReference { id, .. }, .. }
        | KeyWork::Import { key: KeyReference { id, .. }, .. }
        | KeyWork::StoreCertificate { key_id: id, .. }
        | KeyWork::Destroy { key_id: id }) = work;
        let session = self.library.open_rw_session(self.slot).map_err(classify)?;
        let result = change::perform(&session, work);
        // Whatever became of it, the handle is looked for anew.
        self.keys.write().unwrap_or_else(PoisonError::into_inner).forget(id);
        result
    }

    pub(super) fn canary_key(&self) -> Option<TokenKey> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).canary()
    }

    /// Lends the session of `worker`, which is thrown away after any failure that may have harmed it.
    pub(super) fn with_session<T>(
        &self,
        worker: usize,
        call: impl FnOnce(&Session) -> Result<T, Problem>,
    ) -> Result<T, Problem> {
        let mut place = self.sessions[worker].lock().unwrap_or_else(PoisonError::into_inner);
        let session = match place.take() {
            Some(session) => session,
            None => match self.library.open_ro_session(self.slot) {
                Ok(session) => session,
                Err(Error::Pkcs11(RvError::SessionCount, _)) => return self.with_anchor(worker, call),
                Err(error) => return Err(classify(error)),
            },
        };
        let result = call(&session);
        if matches!(result, Ok(_) | Err(Problem::Mend(Remedy::Retry, _))) {
            *place = Some(session);
        }
        result
    }

    /// The token gives no further session: the one that holds the login signs as well, one call at a time.
    fn with_anchor<T>(
        &self,
        worker: usize,
        call: impl FnOnce(&Session) -> Result<T, Problem>,
    ) -> Result<T, Problem> {
        if self.limit.fetch_min(worker, Ordering::Relaxed) > worker {
            tracing::warn!(
                agent.pid = std::process::id(),
                sessions = worker + 1,
                "the token opens no more sessions"
            );
        }
        let anchor = self.anchor.lock().unwrap_or_else(PoisonError::into_inner);
        call(&anchor).map_err(|problem| match problem {
            // It cannot be replaced without losing the login.
            Problem::Mend(Remedy::Reopen, text) => Problem::Mend(Remedy::Reinitialise, text),
            problem @ (Problem::Mend(..)
            | Problem::KeyMissing
            | Problem::Permanent(_)
            | Problem::Operator(_)) => problem,
        })
    }

    /// Workers that have a session of their own, when the token refused one to the next.
    pub(super) fn session_limit(&self) -> Option<usize> {
        Some(self.limit.load(Ordering::Relaxed)).filter(|limit| *limit != usize::MAX)
    }

    pub(super) fn close_session(&self, worker: usize) {
        if let Some(place) = self.sessions.get(worker) {
            drop(place.lock().unwrap_or_else(PoisonError::into_inner).take());
        }
    }

    /// Closes every session; failures do not matter, the library is finalised next.
    pub(super) fn close(self) {
        for session in self.sessions {
            drop(session);
        }
        drop(self.anchor);
    }
}

fn is_logged_in(session: &Session) -> bool {
    session
        .get_session_info()
        .is_ok_and(|info| matches!(info.session_state(), SessionState::RoUser | SessionState::RwUser))
}
