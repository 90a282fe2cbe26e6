//! Leases that could not be given back because the database did not answer. This worker goes on beating, so nobody else
//! would ever take their tasks.

use std::sync::{Mutex, PoisonError};

use crate::app::App;
use crate::store::tasks::Lease;
use crate::store::{self, StoreError};

/// The leases.
#[derive(Debug, Default)]
pub(super) struct Strays(Mutex<Vec<Lease>>);

impl Strays {
    /// Remembers one.
    pub(super) fn keep(&self, lease: Lease) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(lease);
    }

    /// Gives back what can be given back.
    pub(super) async fn free(&self, app: &App) {
        loop {
            let next = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let Some(lease) = next else { return };
            let (held, now) = (lease.clone(), app.clock.now());
            let given =
                app.store.write(move |connection| store::tasks::give_back(connection, &held, now)).await;
            match given {
                Ok(()) | Err(StoreError::LeaseLost) => {}
                Err(_) => return self.keep(lease),
            }
        }
    }
}
