//! The agents of one token: one queue, and a task for each agent that feeds its process and keeps it alive.
//!
//! All tasks run on one thread of their own, so that deadlines hold however busy the rest of the server is.

mod batch;
mod login;
mod pace;
mod process;
mod state;
mod talk;

use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rubrica_core::ErrorCode;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinSet;

use super::Settings;
use crate::failure::Failure;
use crate::ports::{
    AgentState, Availability, DigestToSign, KeyWork, MOST_DIGESTS, SigningKeyError, TokenStatus,
};
use crate::token_agent::protocol::{LONGEST_CERTIFICATE, LONGEST_KEY_ID, LONGEST_PKCS8};
use batch::Batch;
use state::{Change, Shared};
use talk::{CHANGE_DEADLINES, End, Talk};

/// A process that was up for this long did not fail in a row with the one before.
const STABLE: Duration = Duration::from_secs(10);

/// The agents. They end with the value.
#[derive(Debug)]
pub(super) struct Agents {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Agents {
    pub(super) fn start(settings: Settings) -> Result<Self, Failure> {
        let failure = |error: std::io::Error| {
            Failure::of(ErrorCode::Internal, format!("cannot start the threads of the token: {error}"))
        };
        let shared = Arc::new(Shared::new(settings));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failure)?;
        let ours = Arc::clone(&shared);
        let thread = thread::Builder::new()
            .name("token-agents".to_owned())
            .spawn(move || runtime.block_on(run(ours)))
            .map_err(failure)?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// Waits until one agent is up or has said why it is not, at most `timeout`.
    ///
    /// # Errors
    /// `pkcs11_module_missing` when the module cannot be loaded.
    pub(super) fn first_outcome(&self, timeout: Duration) -> Result<Result<(), SigningKeyError>, Failure> {
        self.shared.first_outcome(timeout).map_err(|text| {
            Failure::new(
                ErrorCode::Pkcs11ModuleMissing,
                text,
                "Set RUBRICA_PKCS11_MODULE to the module of your token",
            )
        })
    }

    /// Signs at most [`MOST_DIGESTS`] digests.
    pub(super) async fn sign(&self, work: &[DigestToSign]) -> Vec<Result<Vec<u8>, SigningKeyError>> {
        debug_assert!(work.len() <= MOST_DIGESTS, "a call has at most 256 digests");
        if work.is_empty() {
            return Vec::new();
        }
        let (batch, answer) = Batch::of(work);
        if let Err(error) = self.shared.submit(batch) {
            return vec![Err(error); work.len()];
        }
        answer.await.unwrap_or_else(|_| vec![Err(gone()); work.len()])
    }

    /// Makes and verifies a signature with the key for health checks.
    pub(super) async fn check(&self) -> Result<(), SigningKeyError> {
        let (reply, answer) = oneshot::channel();
        self.shared.submit_check(reply)?;
        match tokio::time::timeout(self.shared.settings.call_timeout * 2, answer).await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => Err(gone()),
            Err(_) => Err(SigningKeyError::Unavailable("no agent took the check".to_owned())),
        }
    }

    /// Makes, imports, completes or destroys a key.
    pub(super) async fn change(&self, work: KeyWork) -> Result<Vec<u8>, SigningKeyError> {
        check_lengths(&work)?;
        let (reply, answer) = oneshot::channel();
        self.shared.submit_change(Change { work, reply })?;
        let patience = self.shared.settings.call_timeout * (CHANGE_DEADLINES + 1);
        match tokio::time::timeout(patience, answer).await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => Err(gone()),
            Err(_) => Err(SigningKeyError::Unavailable("no agent took the change of a key".to_owned())),
        }
    }

    pub(super) fn status(&self) -> TokenStatus {
        self.shared.status()
    }

    pub(super) fn status_changes(&self) -> watch::Receiver<Availability> {
        self.shared.status_changes()
    }
}

impl Drop for Agents {
    fn drop(&mut self) {
        self.shared.stop();
        if let Some(thread) = self.thread.take() {
            // It panicked, which was told where it did.
            let _ = thread.join();
        }
    }
}

/// What a frame cannot carry is told before it is sent.
fn check_lengths(work: &KeyWork) -> Result<(), SigningKeyError> {
    let (id, label, rest, longest) = match work {
        KeyWork::Generate { key, label } => (&key.id, label.as_str(), 0, 0),
        KeyWork::Import { key, label, pkcs8 } => {
            (&key.id, label.as_str(), pkcs8.expose().len(), LONGEST_PKCS8)
        }
        KeyWork::StoreCertificate { key_id, label, certificate } => {
            (key_id, label.as_str(), certificate.len(), LONGEST_CERTIFICATE)
        }
        KeyWork::Destroy { key_id } => (key_id, "", 0, 0),
    };
    if id.is_empty() || id.len() > LONGEST_KEY_ID || label.len() > super::LONGEST_TEXT || rest > longest {
        return Err(SigningKeyError::KeyUnusable("a part of it is too long, or it has no CKA_ID".to_owned()));
    }
    Ok(())
}

fn gone() -> SigningKeyError {
    SigningKeyError::Unavailable("the server stops".to_owned())
}

async fn run(shared: Arc<Shared>) {
    let mut tasks = JoinSet::new();
    for index in 0..shared.settings.agents {
        tasks.spawn(keep(Arc::clone(&shared), index));
    }
    tasks.spawn(expire(Arc::clone(&shared)));
    while tasks.join_next().await.is_some() {}
    shared.give_up_all(&gone());
}

/// Keeps one agent alive until the end, or until the PIN is refused.
async fn keep(shared: Arc<Shared>, index: usize) {
    let mut failures = 0;
    loop {
        if shared.latched().is_some() {
            shared.set_state(index, AgentState::Stopped, None);
            shared.stopped().await;
            return;
        }
        let end = Talk::hold(&shared, index).await;
        let Some(End { error, up_since, pid }) = end else { return };
        let was_stable = up_since.is_some_and(|since| since.elapsed() > STABLE);
        failures = if was_stable { 1 } else { failures + 1 };
        // A first failure is mended so soon that it is worth waiting for.
        let state = if failures == 1 && up_since.is_some() { AgentState::Starting } else { AgentState::Down };
        let pause = pace::pause_after(failures);
        let retry_in_ms = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX);
        if up_since.is_some() {
            tracing::warn!(agent.number = index, agent.pid = pid, %error, retry_in_ms, "a token agent is gone");
        } else {
            tracing::warn!(agent.number = index, agent.pid = pid, %error, retry_in_ms, "cannot connect to the token");
        }
        shared.set_state(index, state, Some(error));
        tokio::select! {
            () = tokio::time::sleep(pause) => shared.update(index, |agent| agent.restarts += 1),
            () = shared.stopped() => return,
        }
    }
}

/// Refuses what no agent took in time.
async fn expire(shared: Arc<Shared>) {
    let timeout = shared.settings.call_timeout;
    let every = (timeout / 4).clamp(Duration::from_millis(25), Duration::from_secs(1));
    loop {
        tokio::select! {
            () = tokio::time::sleep(every) => shared.expire(Instant::now(), timeout),
            () = shared.stopped() => return,
        }
    }
}
