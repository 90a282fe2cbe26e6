//! What sources of others have said, for a short while. Lives in this process alone, so its time is also how long another
//! instance may be behind.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock};
use std::time::{Duration, Instant};

use crate::lookup::SignerHash;
use crate::ports::{CustodyQuestion, Found};

/// Answers kept at most; then all are forgotten and asked again as they come.
const MOST: usize = 10_000;

/// Tenant, signer and source.
type Key = (String, SignerHash, String);

/// Answers by whom they are about and who gave them.
#[derive(Debug, Default)]
pub(super) struct Remembered {
    answers: RwLock<HashMap<Key, (Instant, Found)>>,
    /// Counts what was forgotten: an answer from before is not kept after it.
    generation: AtomicU64,
}

impl Remembered {
    /// What the source said of this signer, no longer ago than `longest`.
    pub(super) fn find(&self, source: &str, question: &CustodyQuestion, longest: Duration) -> Option<Found> {
        let answers = self.answers.read().unwrap_or_else(PoisonError::into_inner);
        let (at, found) = answers.get(&key(source, question))?;
        (at.elapsed() < longest).then(|| found.clone())
    }

    /// To be taken before a source is asked, and given with its answer.
    pub(super) fn generation(&self) -> u64 {
        self.generation.load(Ordering::SeqCst)
    }

    /// Keeps an answer, unless something was forgotten since it was asked for.
    pub(super) fn keep(&self, source: &str, question: &CustodyQuestion, found: &Found, since: u64) {
        let mut answers = self.answers.write().unwrap_or_else(PoisonError::into_inner);
        if self.generation() != since {
            return;
        }
        if answers.len() >= MOST {
            answers.clear();
        }
        answers.insert(key(source, question), (Instant::now(), found.clone()));
    }

    /// Forgets what was said of a signer.
    pub(super) fn forget(&self, tenant: &str, signer: &SignerHash) {
        let mut answers = self.answers.write().unwrap_or_else(PoisonError::into_inner);
        self.generation.fetch_add(1, Ordering::SeqCst);
        answers.retain(|(of_tenant, of_signer, _), _| of_tenant != tenant || of_signer != signer);
    }
}

fn key(source: &str, question: &CustodyQuestion) -> Key {
    (question.tenant.clone(), question.signer, source.to_owned())
}
