//! The sequential check, performed: sources are asked in order, each within its time, and left alone while one fails.
//!
//! What our own database knows is read each time, so a key that was stored or suspended anywhere counts at once. What
//! others say is remembered for a short while.

mod hsm;
mod lacuna;
mod remembered;

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use rubrica_core::custody::{Asked, Decision, Reply, Rules, Wanted, decide, next_source};
use rubrica_core::wire::{Custody, CustodyDoubt, KeyView};

use crate::breaker::Breaker;
use crate::lookup::SignerHash;
use crate::ports::{CustodyQuestion, CustodySource, Found};
use remembered::Remembered;

pub(crate) use hsm::HsmKeys;
pub(crate) use lacuna::CloudKeysSource;

/// Everything that can be asked where a key is.
#[derive(Debug)]
pub(crate) struct CustodyCheck {
    sources: Vec<Guarded>,
    remembered: Remembered,
}

/// A source with what is known of how it does.
#[derive(Debug)]
struct Guarded {
    source: Arc<dyn CustodySource>,
    breaker: Breaker,
}

/// What a check has found.
#[derive(Debug)]
pub(crate) struct Checked {
    pub(crate) decision: Decision,
    /// The key, when the custody is `hsm`.
    pub(crate) key: Option<KeyView>,
    /// Services with a certificate, when the custody is `lacuna`.
    pub(crate) services: Vec<String>,
}

impl CustodyCheck {
    /// A check of these sources. Several of one custody are asked at the same time.
    pub(crate) fn new(sources: Vec<Arc<dyn CustodySource>>) -> Self {
        let guarded = |source| Guarded { source, breaker: Breaker::default() };
        Self { sources: sources.into_iter().map(guarded).collect(), remembered: Remembered::default() }
    }

    /// The custodies that this tenant has a source for.
    pub(crate) fn custodies(&self, tenant: &str) -> Vec<Custody> {
        let mut custodies: Vec<_> = self.of(tenant).map(|one| one.source.custody()).collect();
        custodies.dedup();
        custodies
    }

    /// Whether a source of this tenant needs the number itself and not only its hash.
    pub(crate) fn needs_identifier(&self, tenant: &str) -> bool {
        self.of(tenant).any(|one| one.source.needs_identifier())
    }

    /// Asks until a key is found or nobody is left.
    pub(crate) async fn check(
        &self,
        rules: &Rules,
        remember: Duration,
        wanted: &Wanted,
        question: &CustodyQuestion,
    ) -> Checked {
        let (mut asked, mut key, mut services) = (Vec::new(), None, Vec::new());
        while let Some(custody) = next_source(rules, wanted, &asked) {
            let limit = Duration::from_millis(rules.limit_ms(custody).unwrap_or_default());
            let begun = Instant::now();
            let of_custody = self.of(&question.tenant).filter(|one| one.source.custody() == custody);
            let answers = join_all(of_custody.map(|one| self.ask(one, limit, remember, question))).await;
            // Cut to the limit: what was not waited for did not take longer.
            let elapsed = begun.elapsed().min(limit);
            let reply = merge(answers, &mut key, &mut services);
            asked.push(Asked { source: custody, reply, duration_ms: milliseconds(elapsed) });
        }
        let decision = decide(rules, wanted, &asked);
        Checked { decision, key, services }
    }

    /// Forgets what others said of this signer: something was done that changes it.
    pub(crate) fn forget(&self, tenant: &str, signer: &SignerHash) {
        self.remembered.forget(tenant, signer);
    }

    fn of<'a>(&'a self, tenant: &'a str) -> impl Iterator<Item = &'a Guarded> {
        self.sources.iter().filter(move |one| one.source.serves(tenant))
    }

    async fn ask(
        &self,
        one: &Guarded,
        limit: Duration,
        remember: Duration,
        question: &CustodyQuestion,
    ) -> Result<Found, CustodyDoubt> {
        // Ours is read each time: it costs next to nothing and is never behind.
        let remember = if one.source.custody() == Custody::Hsm { Duration::ZERO } else { remember };
        let name = one.source.name();
        if let Some(found) = self.remembered.find(name, question, remember) {
            return Ok(found);
        }
        let Some(turn) = one.breaker.turn(Instant::now()) else { return Err(CustodyDoubt::Resting) };
        let since = self.remembered.generation();
        let answer = tokio::time::timeout(limit, one.source.look(question)).await;
        let doubt = match answer {
            Ok(Ok(found)) => {
                turn.succeeded();
                if !remember.is_zero() && !found.is_in_doubt() {
                    self.remembered.keep(name, question, &found, since);
                }
                return Ok(found);
            }
            Ok(Err(error)) => {
                tracing::warn!(custody.source = name, %error, "a source could not tell where a key is");
                CustodyDoubt::Failed
            }
            Err(_) => {
                tracing::warn!(custody.source = name, limit_ms = milliseconds(limit), "a source is slow");
                CustodyDoubt::Slow
            }
        };
        if turn.failed(Instant::now()) {
            tracing::error!(custody.source = name, "a source failed too often; it is left alone for a while");
        }
        Err(doubt)
    }
}

/// One answer out of those of all sources of a custody. A key anywhere is a key; *no* needs all of them.
fn merge(
    answers: Vec<Result<Found, CustodyDoubt>>,
    key: &mut Option<KeyView>,
    services: &mut Vec<String>,
) -> Reply {
    let (mut doubt, mut holds) = (None, false);
    for answer in answers {
        if answer.as_ref().is_ok_and(Found::is_in_doubt) {
            doubt = doubt.or(Some(CustodyDoubt::Failed));
        }
        match answer {
            Err(why) => doubt = doubt.or(Some(why)),
            Ok(Found::Nothing) => {}
            Ok(Found::Key(found)) => {
                holds = true;
                *key = Some(*found);
            }
            Ok(Found::Services { holding, .. }) => {
                holds |= !holding.is_empty();
                services.extend(holding);
            }
        }
    }
    match (holds, doubt) {
        (true, _) => Reply::Yes,
        (false, Some(doubt)) => Reply::Unknown(doubt),
        (false, None) => Reply::No,
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
