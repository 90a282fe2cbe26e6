//! What the agents of one token share, and what the server sees of it.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Notify, oneshot, watch};

use super::super::Settings;
use super::batch::{Batch, Value};
use super::login::Login;
use crate::ports::{
    AgentState, AgentStatus, Availability, KeyReference, KeyWork, SigningKeyError, TokenStatus,
};
use crate::token_agent::protocol::LONGEST_KEY_ID;

/// Digests that wait for an agent; above it the caller is told at once.
const QUEUE_LENGTH: usize = 4096;
/// Agents that a digest is given to before its caller is told that they fail.
const MOST_TRIES: u8 = 2;

pub(super) type Check = oneshot::Sender<Result<(), SigningKeyError>>;

/// A change of a key, and who waits for it. It is given to one agent only: what became of it there nobody knows.
#[derive(Debug)]
pub(super) struct Change {
    pub(super) work: KeyWork,
    pub(super) reply: oneshot::Sender<Value>,
}

/// One digest of a call.
#[derive(Debug, Clone)]
pub(super) struct Item {
    batch: Arc<Batch>,
    index: usize,
    /// Agents that had it and failed.
    tries: u8,
    since: Instant,
}

impl Item {
    pub(super) fn digest(&self) -> (&KeyReference, &[u8; 32]) {
        self.batch.digest(self.index)
    }

    fn answer(&self, value: Value) -> bool {
        self.batch.answer(self.index, value)
    }
}

/// Shared by the tasks of the agents and the callers.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) settings: Settings,
    state: Mutex<State>,
    /// For the one that waits for the first outcome.
    changed: Condvar,
    /// Work came.
    pub(super) work: Notify,
    /// The agent that holds it may log in.
    pub(super) login: Arc<tokio::sync::Mutex<Login>>,
    stopping: watch::Sender<bool>,
    availability: watch::Sender<Availability>,
    signatures: AtomicU64,
    retries: AtomicU64,
    orphans: AtomicU64,
}

#[derive(Debug)]
struct State {
    queue: VecDeque<Item>,
    checks: VecDeque<Check>,
    changes: VecDeque<Change>,
    agents: Vec<AgentStatus>,
    /// Whether one has been up or has failed.
    had_outcome: bool,
    /// Whether somebody waits for that, or has been told of a refused PIN, and will tell of it.
    opening: bool,
    module_problem: Option<String>,
    latched: Option<SigningKeyError>,
    stopping: bool,
}

impl Shared {
    pub(super) fn new(settings: Settings) -> Self {
        let agent = AgentStatus {
            pid: None,
            state: AgentState::Starting,
            last_canary: None,
            restarts: 0,
            sessions: 0,
            problem: None,
        };
        let state = State {
            queue: VecDeque::new(),
            checks: VecDeque::new(),
            changes: VecDeque::new(),
            agents: vec![agent; settings.agents],
            had_outcome: false,
            opening: true,
            module_problem: None,
            latched: None,
            stopping: false,
        };
        Self {
            settings,
            state: Mutex::new(state),
            changed: Condvar::new(),
            work: Notify::new(),
            login: Arc::default(),
            stopping: watch::Sender::new(false),
            availability: watch::Sender::new(Availability::Starting),
            signatures: AtomicU64::new(0),
            retries: AtomicU64::new(0),
            orphans: AtomicU64::new(0),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Queues the digests of a call, unless nobody could sign them soon.
    pub(super) fn submit(&self, batch: Batch) -> Result<(), SigningKeyError> {
        let mut state = self.state();
        state.check_hope()?;
        if state.queue.len() + batch.len() > QUEUE_LENGTH {
            return Err(SigningKeyError::Unavailable("too many digests wait for the token".to_owned()));
        }
        let (batch, since) = (Arc::new(batch), Instant::now());
        for index in 0..batch.len() {
            let item = Item { batch: Arc::clone(&batch), index, tries: 0, since };
            if item.digest().0.id.len() > LONGEST_KEY_ID {
                item.answer(Err(SigningKeyError::KeyUnusable("its CKA_ID is too long".to_owned())));
            } else {
                state.queue.push_back(item);
            }
        }
        drop(state);
        self.work.notify_one();
        Ok(())
    }

    /// Asks for a signature with the key for health checks.
    pub(super) fn submit_check(&self, reply: Check) -> Result<(), SigningKeyError> {
        let mut state = self.state();
        state.check_hope()?;
        state.checks.push_back(reply);
        drop(state);
        self.work.notify_one();
        Ok(())
    }

    /// Asks for a change of a key.
    pub(super) fn submit_change(&self, change: Change) -> Result<(), SigningKeyError> {
        let mut state = self.state();
        state.check_hope()?;
        state.changes.push_back(change);
        drop(state);
        self.work.notify_one();
        Ok(())
    }

    /// Takes the next change for which somebody waits.
    pub(super) fn take_change(&self) -> Option<Change> {
        let mut state = self.state();
        loop {
            let change = state.changes.pop_front()?;
            if !change.reply.is_closed() {
                return Some(change);
            }
        }
    }

    /// Takes checks that wait.
    pub(super) fn take_checks(&self) -> Vec<Check> {
        self.state().checks.drain(..).collect()
    }

    /// Takes this agent's share of what waits, at most `most`.
    pub(super) fn take(&self, most: usize, taken: &mut Vec<Item>) {
        let mut state = self.state();
        let up = state.agents.iter().filter(|agent| agent.state == AgentState::Up).count();
        let share = state.queue.len().div_ceil(up.max(1)).min(most);
        while taken.len() < share {
            let Some(item) = state.queue.pop_front() else { break };
            if !item.batch.is_abandoned() {
                taken.push(item);
            }
        }
        let more = !state.queue.is_empty();
        drop(state);
        if more {
            self.work.notify_one();
        }
    }

    /// Hands an answer to the caller.
    pub(super) fn answer(&self, item: &Item, value: Value) {
        let signed = value.is_ok();
        let waited_for = item.answer(value);
        if signed {
            let counter = if waited_for { &self.signatures } else { &self.orphans };
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The agent that had these digests is gone. Signing the same digest again is harmless; once.
    pub(super) fn take_back(&self, items: Vec<Item>, error: &SigningKeyError) {
        let count = items.len();
        self.orphans.fetch_add(count as u64, Ordering::Relaxed);
        let (again, given_up): (Vec<_>, Vec<_>) = items
            .into_iter()
            .map(|item| Item { tries: item.tries + 1, since: Instant::now(), ..item })
            .partition(|item| item.tries < MOST_TRIES);
        self.retries.fetch_add(again.len() as u64, Ordering::Relaxed);
        let mut state = self.state();
        for item in again.into_iter().rev() {
            state.queue.push_front(item);
        }
        drop(state);
        for item in given_up {
            item.answer(Err(error.clone()));
        }
        if count > 0 {
            tracing::warn!(digests = count, "digests of a token agent that is gone go to another one");
        }
        self.work.notify_one();
    }

    /// Counts calls that an agent repeated by itself.
    pub(super) fn count_retries(&self, retries: u32) {
        self.retries.fetch_add(u64::from(retries), Ordering::Relaxed);
    }

    /// Refuses what has waited too long.
    pub(super) fn expire(&self, now: Instant, timeout: Duration) {
        let mut state = self.state();
        let mut late = Vec::new();
        state.queue.retain(|item| {
            let in_time = now.saturating_duration_since(item.since) < timeout;
            if !in_time {
                late.push(item.clone());
            }
            in_time
        });
        drop(state);
        let text = format!("no agent took it in {} ms", timeout.as_millis());
        for item in late {
            item.answer(Err(SigningKeyError::Unavailable(text.clone())));
        }
    }

    /// Answers everything that waits with this.
    pub(super) fn give_up_all(&self, error: &SigningKeyError) {
        let (items, checks, changes) = {
            let mut state = self.state();
            let State { queue, checks, changes, .. } = &mut *state;
            (std::mem::take(queue), std::mem::take(checks), std::mem::take(changes))
        };
        for change in changes {
            // Whoever asked has gone.
            let _ = change.reply.send(Err(error.clone()));
        }
        for item in items {
            item.answer(Err(error.clone()));
        }
        for check in checks {
            // Whoever asked has gone.
            let _ = check.send(Err(error.clone()));
        }
    }

    /// Changes what is known of one agent.
    pub(super) fn update(&self, index: usize, change: impl FnOnce(&mut AgentStatus)) {
        change(&mut self.state().agents[index]);
    }

    /// Moves an agent to another state, and tells the world when that changes anything for it.
    pub(super) fn set_state(&self, index: usize, to: AgentState, problem: Option<SigningKeyError>) {
        let mut state = self.state();
        let agent = &mut state.agents[index];
        agent.state = to;
        if to != AgentState::Up {
            agent.pid = None;
            agent.sessions = 0;
        }
        if problem.is_some() || to == AgentState::Up {
            agent.problem = problem;
        }
        if to != AgentState::Starting {
            state.had_outcome = true;
        }
        let hope = state.check_hope();
        let is_up = state.agents.iter().any(|agent| agent.state == AgentState::Up);
        let availability = match &hope {
            Err(error) => Some(Availability::Unavailable(error.clone())),
            Ok(()) if is_up => Some(Availability::Available),
            Ok(()) => None,
        };
        let is_told = state.opening && hope.as_ref().is_err_and(SigningKeyError::is_about_the_pin);
        drop(state);
        self.changed.notify_all();
        if let Err(error) = &hope {
            self.give_up_all(error);
        } else {
            self.work.notify_one();
        }
        if let Some(availability) = availability.filter(|_| !is_told) {
            self.announce(availability);
        }
    }

    fn announce(&self, availability: Availability) {
        let is_new = self.availability.send_if_modified(|known| {
            let is_new = std::mem::discriminant(known) != std::mem::discriminant(&availability);
            known.clone_from(&availability);
            is_new
        });
        // That nothing signs any more while the server stops is no news.
        if !is_new || *self.stopping.borrow() {
            return;
        }
        let TokenStatus { agents, signatures, retries, orphans, .. } = self.status();
        let restarts: u64 = agents.iter().map(|agent| agent.restarts).sum();
        match availability {
            Availability::Available => {
                tracing::info!(signatures, retries, orphans, restarts, "token.available");
            }
            Availability::Unavailable(error) => {
                tracing::error!(%error, signatures, retries, orphans, restarts, "token.unavailable");
            }
            Availability::Starting => {}
        }
    }

    /// The PIN was refused: no agent logs in any more.
    pub(super) fn latch(&self, error: &SigningKeyError) {
        let mut state = self.state();
        if state.latched.is_none() {
            if !state.opening {
                tracing::error!(%error, "no agent logs in to the token any more until the next start");
            }
            state.latched = Some(error.clone());
        }
    }

    pub(super) fn latched(&self) -> Option<SigningKeyError> {
        self.state().latched.clone()
    }

    /// The module cannot be loaded.
    pub(super) fn note_module_problem(&self, text: String) {
        self.state().module_problem = Some(text);
    }

    /// Waits for the first agent that is up or failed. `Err` when the module cannot be loaded.
    pub(super) fn first_outcome(&self, timeout: Duration) -> Result<Result<(), SigningKeyError>, String> {
        let state = self.state();
        let (mut state, _) = self
            .changed
            .wait_timeout_while(state, timeout, |state| !state.had_outcome)
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(text) = &state.module_problem {
            return Err(text.clone());
        }
        if state.agents.iter().any(|agent| agent.state == AgentState::Up) {
            state.opening = false;
            return Ok(Ok(()));
        }
        let problem = || state.agents.iter().find_map(|agent| agent.problem.clone());
        let error = state.latched.clone().or_else(problem);
        // Whoever is told of a refused PIN gives up: the agents have nothing to add, however late they hear of it.
        state.opening = error.as_ref().is_some_and(SigningKeyError::is_about_the_pin);
        Ok(Err(error.unwrap_or_else(|| {
            SigningKeyError::Unavailable(format!("no agent was ready in {} ms", timeout.as_millis()))
        })))
    }

    pub(super) fn status(&self) -> TokenStatus {
        let state = self.state();
        TokenStatus {
            agents: state.agents.clone(),
            latched: state.latched.clone(),
            signatures: self.signatures.load(Ordering::Relaxed),
            retries: self.retries.load(Ordering::Relaxed),
            orphans: self.orphans.load(Ordering::Relaxed),
        }
    }

    pub(super) fn status_changes(&self) -> watch::Receiver<Availability> {
        self.availability.subscribe()
    }

    pub(super) fn stop(&self) {
        self.state().stopping = true;
        self.stopping.send_replace(true);
    }

    /// Resolves when the agents have to end.
    pub(super) async fn stopped(&self) {
        // The sender lives as long as we do.
        let _ = self.stopping.subscribe().wait_for(|stopping| *stopping).await;
    }
}

impl State {
    /// Whether an agent signs or will soon; else why not.
    fn check_hope(&self) -> Result<(), SigningKeyError> {
        if self.stopping {
            return Err(super::gone());
        }
        if self.agents.iter().any(|agent| matches!(agent.state, AgentState::Up | AgentState::Starting)) {
            return Ok(());
        }
        let problem = || self.agents.iter().find_map(|agent| agent.problem.clone());
        let error = self.latched.clone().or_else(problem);
        Err(error.unwrap_or_else(|| SigningKeyError::Unavailable("no agent is up".to_owned())))
    }
}
