//! The timer of orders: ends those whose deadline passed and sends reminders.
//!
//! Every sentinel runs one. What is due is claimed in the database by the change itself, under the lock of its order, so it
//! happens once, whoever is first; and it is due by the time kept with it, so what nobody did in time is done late. A clock
//! that jumps is not believed for a while (`crate::steady`): nothing that it says is due is done until then.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch::Receiver;

use crate::app::App;
use crate::steady::Steadiness;
use crate::store::{self, StoreError};

const EVERY: Duration = Duration::from_secs(1);
/// Orders that are looked for at a time.
const AT_ONCE: u32 = 200;

/// Works until `stopped` changes.
pub(crate) async fn watch(app: Arc<App>, mut stopped: Receiver<bool>) {
    let mut steadiness = Steadiness::default();
    loop {
        tokio::select! {
            _ = stopped.changed() => return,
            () = tokio::time::sleep(EVERY) => {}
        }
        if !steadiness.check(app.clock.now(), Instant::now()) {
            continue;
        }
        if let Err(error) = round(&app).await {
            tracing::error!(%error, "deadlines of orders could not be kept; trying again");
        }
    }
}

/// Lets time pass for every order to which it does something now, each in a transaction of its own. Nothing is written when
/// there is none.
async fn round(app: &App) -> Result<(), StoreError> {
    let now = app.clock.now();
    let due = app.store.read(move |connection| store::orders::due(connection, now, AT_ONCE)).await?;
    for id in due {
        tracing::debug!(order.id = %id, "time does something to an order");
        let pass = move |connection: &store::Connection| {
            store::orders::pass_time(connection, &id, now)?.emit(connection)
        };
        let ended = app.store.write(pass).await?;
        ended.iter().for_each(|id| app.engine.waiters.wake(id));
    }
    Ok(())
}
