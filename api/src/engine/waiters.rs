//! Requests that wait for a signature to end.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::ids::SignatureId;

/// Who waits for which signature. The cost of an end does not depend on how many wait for others.
#[derive(Debug, Default)]
pub(crate) struct Waiters(Mutex<HashMap<SignatureId, Arc<Notify>>>);

/// One request's place; leaves the list when dropped.
#[derive(Debug)]
pub(crate) struct Waiter<'a> {
    waiters: &'a Waiters,
    id: SignatureId,
    notify: Arc<Notify>,
}

impl Waiters {
    /// Registers before the state is read, so that no end is missed in between.
    pub(crate) fn register(&self, id: &SignatureId) -> Waiter<'_> {
        let notify = Arc::clone(self.list().entry(id.clone()).or_default());
        Waiter { waiters: self, id: id.clone(), notify }
    }

    /// Wakes everybody who waits for this signature.
    pub(crate) fn wake(&self, id: &SignatureId) {
        if let Some(notify) = self.list().remove(id) {
            notify.notify_waiters();
        }
    }

    fn list(&self) -> MutexGuard<'_, HashMap<SignatureId, Arc<Notify>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiter<'_> {
    /// Resolves at the next [`Waiters::wake`]; create it before reading the state.
    pub(crate) fn woken(&self) -> tokio::sync::futures::Notified<'_> {
        self.notify.notified()
    }
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        let mut list = self.waiters.list();
        // Two references are left: the list's and ours.
        if list
            .get(&self.id)
            .is_some_and(|notify| Arc::ptr_eq(notify, &self.notify) && Arc::strong_count(notify) == 2)
        {
            list.remove(&self.id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_end_wakes_those_who_wait_for_it_and_leaves_no_trace() {
        let waiters = Waiters::default();
        let (ended, other) = (SignatureId::generate(), SignatureId::generate());
        let (first, second, third) =
            (waiters.register(&ended), waiters.register(&ended), waiters.register(&other));
        let (a, b) = (first.woken(), second.woken());
        waiters.wake(&ended);
        tokio::join!(a, b);
        drop((first, second));
        assert_eq!(waiters.list().len(), 1);
        drop(third);
        assert_eq!(waiters.list().len(), 0);
    }
}
