//! Which requests with a key are running in this process: equal ones wait for each other.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::store::idempotency::RequestKey;

/// One lock per request under way. Instances do not see each other's: there the database decides.
#[derive(Debug, Default)]
pub(crate) struct Flights(Mutex<HashMap<RequestKey, Arc<tokio::sync::Mutex<()>>>>);

/// A place among equal requests; given up when dropped.
#[derive(Debug)]
pub(super) struct Flight<'a> {
    flights: &'a Flights,
    request: RequestKey,
    lock: Arc<tokio::sync::Mutex<()>>,
}

impl Flights {
    /// Joins the requests that are equal to this one.
    pub(super) fn join(&self, request: &RequestKey) -> Flight<'_> {
        let lock = Arc::clone(self.all().entry(request.clone()).or_default());
        Flight { flights: self, request: request.clone(), lock }
    }

    fn all(&self) -> MutexGuard<'_, HashMap<RequestKey, Arc<tokio::sync::Mutex<()>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Flight<'_> {
    /// Waits until no equal request is running.
    pub(super) async fn turn(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.lock.lock().await
    }
}

impl Drop for Flight<'_> {
    fn drop(&mut self) {
        let mut all = self.flights.all();
        // The map's and this one's: nobody else waits. Others can only join through the map, which is locked.
        if Arc::strong_count(&self.lock) == 2 {
            all.remove(&self.request);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn equal_requests_take_turns_and_leave_no_trace() {
        let request = |key: &str| RequestKey {
            principal: "client/north".to_owned(),
            route: "create_order",
            key: key.to_owned(),
        };
        let flights = Flights::default();
        let (first, second, other) =
            (flights.join(&request("a")), flights.join(&request("a")), flights.join(&request("b")));
        let turn = first.turn().await;
        let _beside = other.turn().await;
        let waiting = tokio::time::timeout(Duration::from_millis(20), second.turn()).await;
        assert!(waiting.is_err(), "the first is still running");
        drop(waiting);
        drop(turn);
        drop(first);
        drop(tokio::time::timeout(Duration::from_secs(5), second.turn()).await.unwrap());
        drop(second);
        assert_eq!(flights.all().len(), 1);
    }
}
