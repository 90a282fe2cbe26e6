//! The digests of one call, on their way.

use std::sync::{Mutex, PoisonError};

use tokio::sync::oneshot;

use crate::ports::{DigestToSign, KeyReference, SigningKeyError};

pub(super) type Value = Result<Vec<u8>, SigningKeyError>;

/// One call. Its answer goes out when the last digest has one.
#[derive(Debug)]
pub(super) struct Batch {
    keys: Vec<KeyReference>,
    digests: Vec<(u16, [u8; 32])>,
    values: Mutex<Values>,
}

#[derive(Debug)]
struct Values {
    values: Vec<Option<Value>>,
    missing: usize,
    done: Option<oneshot::Sender<Vec<Value>>>,
}

impl Batch {
    pub(super) fn of(work: &[DigestToSign]) -> (Self, oneshot::Receiver<Vec<Value>>) {
        let (done, answer) = oneshot::channel();
        let mut keys: Vec<KeyReference> = Vec::new();
        let digests = work
            .iter()
            .map(|digest| {
                // Mostly one key signs a whole batch.
                let place = keys.iter().rposition(|key| *key == digest.key).unwrap_or_else(|| {
                    keys.push(digest.key.clone());
                    keys.len() - 1
                });
                (u16::try_from(place).expect("a call has at most 256 digests"), digest.sha256)
            })
            .collect::<Vec<_>>();
        let values = Values {
            values: (0..digests.len()).map(|_| None).collect(),
            missing: digests.len(),
            done: Some(done),
        };
        (Self { keys, digests, values: Mutex::new(values) }, answer)
    }

    pub(super) fn len(&self) -> usize {
        self.digests.len()
    }

    pub(super) fn digest(&self, index: usize) -> (&KeyReference, &[u8; 32]) {
        let (key, sha256) = &self.digests[index];
        (&self.keys[usize::from(*key)], sha256)
    }

    /// Nobody waits for the values any more.
    pub(super) fn is_abandoned(&self) -> bool {
        let values = self.values.lock().unwrap_or_else(PoisonError::into_inner);
        values.done.as_ref().is_none_or(oneshot::Sender::is_closed)
    }

    /// Keeps the answer for one digest. `false` when nobody waits for it.
    pub(super) fn answer(&self, index: usize, value: Value) -> bool {
        let mut values = self.values.lock().unwrap_or_else(PoisonError::into_inner);
        if values.values[index].replace(value).is_none() {
            values.missing -= 1;
        }
        let waited_for = values.done.as_ref().is_some_and(|done| !done.is_closed());
        if values.missing == 0
            && let Some(done) = values.done.take()
        {
            let all = std::mem::take(&mut values.values);
            // The caller may have gone just now.
            let _ = done.send(all.into_iter().flatten().collect());
        }
        waited_for
    }
}
