//! Destroys what ended enrolments left on the token, and ends those that nobody ends.
//!
//! The table is believed, not the token: nothing is destroyed that no enrolment of this instance wrote down as its own before
//! it was made. Any number of processes may do this at once, for destroying what is not there is fine.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rubrica_core::{ErrorCode, Timestamp};
use tokio::sync::watch::Receiver;

use crate::app::App;
use crate::ports::KeyWork;
use crate::steady::Steadiness;
use crate::store::{self, StoreError};

const EVERY: Duration = Duration::from_secs(5);
/// Longest time from the begin of an enrolment to the answer of the token.
const MAKING_LASTS: Duration = Duration::from_mins(10);
const AT_ONCE: u32 = 64;

/// Works until `stopped` changes.
pub(crate) async fn watch(app: Arc<App>, mut stopped: Receiver<bool>) {
    if app.keys.is_none() {
        return;
    }
    let mut steadiness = Steadiness::default();
    loop {
        round(&app).await;
        tokio::select! {
            _ = stopped.changed() => return,
            () = tokio::time::sleep(EVERY) => {}
        }
        let now = app.clock.now();
        if steadiness.check(now, Instant::now())
            && let Err(error) = end_overdue(&app, before(now, MAKING_LASTS)).await
        {
            tracing::error!(%error, "enrolments could not be ended in time; trying again");
        }
    }
}

/// Ends what the last run left, before this one answers anybody. On a shared database somebody else may be making it.
pub(crate) async fn end_the_last_run(app: &App) -> Result<(), StoreError> {
    if app.keys.is_none() || app.store.is_shared() {
        return Ok(());
    }
    end_overdue(app, app.clock.now()).await
}

/// Clears the token of what ended. What does not succeed is tried again in the next round.
pub(super) async fn round(app: &App) {
    if let Err(error) = clear(app).await {
        tracing::error!(%error, "the token could not be cleared of ended enrolments; trying again");
    }
}

async fn clear(app: &App) -> Result<(), StoreError> {
    let Some(keys) = &app.keys else { return Ok(()) };
    for row in app.store.read(|connection| store::enrolments::unclean(connection, AT_ONCE)).await? {
        if let Err(error) = keys.change(KeyWork::Destroy { key_id: row.reference.id.clone() }).await {
            tracing::warn!(enrolment.id = %row.id, %error, "the key of an ended enrolment is not destroyed yet");
            return Ok(());
        }
        let id = row.id.clone();
        app.store.write(move |connection| store::enrolments::note_clean(connection, &id)).await?;
        tracing::info!(enrolment.id = %row.id, "the token has nothing of an ended enrolment any more");
    }
    Ok(())
}

fn before(now: Timestamp, duration: Duration) -> Timestamp {
    let ms = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    Timestamp::from_unix_ms(now.unix_ms().saturating_sub(ms)).unwrap_or(now)
}

async fn end_overdue(app: &App, begun_before: Timestamp) -> Result<(), StoreError> {
    let now = app.clock.now();
    let overdue =
        app.store.read(move |connection| store::enrolments::overdue(connection, now, begun_before, AT_ONCE));
    for row in overdue.await? {
        let code = if row.expires_at <= now { ErrorCode::EnrolmentExpired } else { ErrorCode::Internal };
        tracing::warn!(enrolment.id = %row.id, %code, "an enrolment was not brought to its end");
        app.store.write(move |connection| store::enrolments::fail(connection, &row.id, code, now)).await?;
    }
    Ok(())
}
