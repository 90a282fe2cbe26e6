//! Calls to one provider: not too many at once, not too fast, not while it fails or asked to be left alone, and again only
//! as often as its budget allows.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rubrica_core::ErrorCode;
use tokio::sync::{Semaphore, watch};
use zeroize::Zeroizing;

use super::budget::Budget;
use crate::breaker::Breaker;
use crate::config;
use crate::failure::Failure;
use crate::fetch::{Provider, ProviderCall, ProviderFailure};
use crate::random;

/// Longest time that a provider may ask to be left alone.
const LONGEST_REST: Duration = Duration::from_mins(5);
/// Longest pause before a call is made again; the pause is random, so that calls that failed together do not come together.
const LONGEST_PAUSE_MS: u64 = 256;

/// Whether a provider answers, as far as this process knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Health {
    /// It was not asked yet.
    Unknown,
    Answers,
    /// It failed so often that it is left alone.
    Away,
}

/// The way to one provider.
#[derive(Debug)]
pub(crate) struct Gate {
    provider: Provider,
    turns: Arc<Semaphore>,
    /// Shortest time from the begin of a call to the next.
    interval: Duration,
    /// When the next call may begin.
    next: Mutex<Option<Instant>>,
    /// Until when the provider asked to be left alone.
    rests_until: Mutex<Option<Instant>>,
    breaker: Breaker,
    budget: Budget,
    health: watch::Sender<Health>,
}

type Answer = Result<Zeroizing<Vec<u8>>, ProviderFailure>;

impl Gate {
    /// # Errors
    /// `config_invalid`.
    pub(crate) fn new(config: &config::CloudService, fetch: &config::Fetch) -> Result<Arc<Self>, Failure> {
        let timeout = Duration::from_millis(config.timeout_ms);
        let provider = Provider::new(&config.url, timeout, fetch).map_err(|error| {
            Failure::of(ErrorCode::ConfigInvalid, format!("{}: {}", config.name, error.what()))
        })?;
        let interval = match config.calls_per_second {
            0 => Duration::ZERO,
            calls => Duration::from_secs(1) / calls,
        };
        Ok(Arc::new(Self {
            provider,
            turns: Arc::new(Semaphore::new(config.calls_at_once)),
            interval,
            next: Mutex::default(),
            rests_until: Mutex::default(),
            breaker: Breaker::default(),
            budget: Budget::default(),
            health: watch::Sender::new(Health::Unknown),
        }))
    }

    /// The URL of a path, for a browser.
    pub(super) fn url(&self, path: &str) -> String {
        self.provider.url(path)
    }

    /// Tells when the provider goes away and when it is back.
    pub(crate) fn health(&self) -> watch::Receiver<Health> {
        self.health.subscribe()
    }

    /// One call that is never repeated.
    pub(super) async fn call(self: &Arc<Self>, call: ProviderCall) -> Answer {
        self.budget.add();
        self.once(call).await
    }

    /// A call that changes nothing: it is made once more when nothing came, the provider does not rest and the budget allows it.
    pub(super) async fn read(self: &Arc<Self>, call: ProviderCall) -> Answer {
        let answered = self.call(call.clone()).await;
        let is_worth_it = match &answered {
            Err(ProviderFailure::NotSent(_) | ProviderFailure::Lost(_)) => true,
            Err(ProviderFailure::Status { status, retry_after: None, .. }) => matches!(status, 502..=504),
            _ => false,
        };
        if !is_worth_it || !self.budget.take() {
            return answered;
        }
        let [random] = random::bytes::<1>();
        tokio::time::sleep(Duration::from_millis(u64::from(random) * LONGEST_PAUSE_MS / 256)).await;
        self.once(call).await
    }

    async fn once(self: &Arc<Self>, call: ProviderCall) -> Answer {
        self.check_rest(Instant::now())?;
        let busy = ProviderFailure::Resting { what: "too many calls wait for it", rest: Duration::ZERO };
        let turn = tokio::time::timeout(self.provider.timeout(), Arc::clone(&self.turns).acquire_owned());
        let turn = turn.await.map_err(|_| busy.clone())?.expect("the semaphore is never closed");
        let pause = self.reserve(Instant::now()).ok_or(busy)?;
        tokio::time::sleep(pause).await;
        // It may have asked for a rest while this call waited.
        self.check_rest(Instant::now())?;
        let gate = Arc::clone(self);
        // Whoever asked may be gone before the answer; what the answer tells of the provider counts nevertheless.
        let called = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            gate.guarded(&call)
        });
        called.await.unwrap_or_else(|_| Err(ProviderFailure::Lost("the call ended unexpectedly".to_owned())))
    }

    fn guarded(&self, call: &ProviderCall) -> Answer {
        let now = Instant::now();
        let Some(turn) = self.breaker.turn(now) else {
            let rest = self.breaker.rest(now);
            return Err(ProviderFailure::Resting { what: "it failed too often and is left alone", rest });
        };
        let answered = self.provider.call(call);
        let now = Instant::now();
        if let Err(ProviderFailure::Status { retry_after: Some(rest), .. }) = &answered {
            let until = now + (*rest).min(LONGEST_REST);
            *self.rests_until.lock().unwrap_or_else(PoisonError::into_inner) = Some(until);
        }
        match &answered {
            // Who says when to come back, or that a request is wrong, does its work.
            Ok(_)
            | Err(
                ProviderFailure::Status { retry_after: Some(_), .. }
                | ProviderFailure::Status { status: ..500, .. }
                | ProviderFailure::Resting { .. },
            ) => {
                turn.succeeded();
                self.see(Health::Answers);
            }
            Err(ProviderFailure::NotSent(_) | ProviderFailure::Lost(_) | ProviderFailure::Status { .. }) => {
                if turn.failed(now) {
                    self.see(Health::Away);
                }
            }
        }
        answered
    }

    fn see(&self, health: Health) {
        self.health.send_if_modified(|known| std::mem::replace(known, health) != health);
    }

    fn check_rest(&self, now: Instant) -> Result<(), ProviderFailure> {
        let until = *self.rests_until.lock().unwrap_or_else(PoisonError::into_inner);
        match until {
            Some(until) if now < until => Err(ProviderFailure::Resting {
                what: "it asked to be left alone for a while",
                rest: until.saturating_duration_since(now),
            }),
            _ => Ok(()),
        }
    }

    /// How long to wait for the next begin; nothing is reserved when that would be longer than a call may take.
    fn reserve(&self, now: Instant) -> Option<Duration> {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let begin = next.map_or(now, |next| next.max(now));
        let pause = begin.saturating_duration_since(now);
        if pause > self.provider.timeout() {
            return None;
        }
        *next = Some(begin + self.interval);
        Some(pause)
    }
}
