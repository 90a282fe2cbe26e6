//! Ends prepared signatures that nobody completed, and forgets origins of sessions long gone.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::app::App;
use crate::steady::Steadiness;
use crate::store;

const EVERY: Duration = Duration::from_secs(1);
/// Ended in one transaction; the rest follows in the next round.
const AT_ONCE: i64 = 256;
/// Rounds between two clearings of origins.
const CLEAR_EVERY: u32 = 600;

/// Works until `stopped` changes.
pub(super) async fn watch(app: Arc<App>, mut stopped: tokio::sync::watch::Receiver<bool>) {
    let (mut round, mut steadiness) = (0_u32, Steadiness::default());
    loop {
        tokio::select! {
            _ = stopped.changed() => return,
            () = tokio::time::sleep(EVERY) => {}
        }
        if !steadiness.check(app.clock.now(), Instant::now()) {
            continue;
        }
        if let Err(error) = expire(&app).await {
            tracing::error!(%error, "prepared signatures could not be ended; trying again");
        }
        if let Err(error) = expire_authorizations(&app).await {
            tracing::error!(%error, "permissions at cloud services could not be ended; trying again");
        }
        round = (round + 1) % CLEAR_EVERY;
        if round == 0 {
            let now = app.clock.now();
            if let Err(error) =
                app.store.write(move |connection| store::sessions::forget_origins(connection, now)).await
            {
                tracing::warn!(%error, "origins of old sessions could not be cleared");
            }
            if let Err(error) =
                app.store.write(move |connection| store::sessions::forget_identifiers(connection, now)).await
            {
                tracing::warn!(%error, "numbers of the signers of old sessions could not be cleared");
            }
            if let Err(error) = forget_answers(&app).await {
                tracing::warn!(%error, "old answers to repeated requests could not be cleared");
            }
        }
    }
}

/// Removes answers that are not given again any more, in portions that hold nobody up.
async fn forget_answers(app: &App) -> Result<(), store::StoreError> {
    const PORTION: i64 = 1000;
    let now = app.clock.now();
    loop {
        let forgotten =
            app.store.write(move |connection| store::idempotency::forget(connection, now, PORTION)).await?;
        if forgotten < PORTION.unsigned_abs() {
            return Ok(());
        }
    }
}

/// Ends permissions at cloud services, whose secrets are dropped with them.
async fn expire_authorizations(app: &App) -> Result<(), store::StoreError> {
    let now = app.clock.now();
    if app.store.read(move |connection| store::authorizations::any_due(connection, now)).await? {
        app.store.write(move |connection| store::authorizations::expire(connection, now)).await?;
    }
    Ok(())
}

/// Ends what is due. Nothing is written when nothing is.
pub(super) async fn expire(app: &App) -> Result<(), store::StoreError> {
    let now = app.clock.now();
    if !app.store.read(move |connection| store::signatures::any_due(connection, now)).await? {
        return Ok(());
    }
    let ended =
        app.store.write(move |connection| store::signatures::expire(connection, now, AT_ONCE)).await?;
    for row in ended {
        tracing::info!(signature.id = %row.id, "signature expired");
        app.engine.waiters.wake(&row.id);
    }
    Ok(())
}
