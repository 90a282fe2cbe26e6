//! A manifest on its way into the database, in portions that hold nobody up, and the removal of what stays behind when a
//! process dies on the way.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch::Receiver;

use super::ITEMS_PER_TASK;
use crate::app::App;
use crate::engine::worker::Seen;
use crate::ids::BatchId;
use crate::store::batches::items::{self, NewItem, Signer};
use crate::store::batches::{BatchRow, intake};
use crate::store::{Connection, StoreError, tasks};

/// Items of one transaction: about 25 ms of SQLite's one writer.
const PORTION: usize = 2000;

/// Takes a batch in, whole or not at all. `with_it` belongs to the transaction that makes a batch of it, and comes first there.
///
/// What an error leaves behind is removed by [`watch`]; until then nobody sees it.
///
/// # Errors
/// Those of the store and of `with_it`.
pub(crate) async fn take(
    app: &App,
    signer: Signer,
    batch: BatchRow,
    items: Vec<NewItem>,
    with_it: impl FnOnce(&Connection) -> Result<(), StoreError> + Send + 'static,
) -> Result<(), StoreError> {
    let batch = Arc::new(batch);
    let total = i64::try_from(items.len()).expect("a manifest has at most 100 000 lines");
    let mut items = items.into_iter();
    let mut first = 1;
    while items.len() > PORTION {
        let (batch, portion) = (Arc::clone(&batch), items.by_ref().take(PORTION).collect::<Vec<_>>());
        let write = move |connection: &Connection| {
            begin_or_go_on(connection, &batch, first)?;
            items::insert(connection, &batch, &signer, first, &portion)
        };
        app.store.write(write).await?;
        first += i64::try_from(PORTION).expect("a portion is small");
    }
    let rest: Vec<_> = items.collect();
    let write = move |connection: &Connection| {
        with_it(connection)?;
        begin_or_go_on(connection, &batch, first)?;
        items::insert(connection, &batch, &signer, first, &rest)?;
        tasks::add_batch(connection, &batch.tenant, &batch.id, total, ITEMS_PER_TASK)?;
        intake::end(connection, &batch)
    };
    app.store.write(write).await
}

fn begin_or_go_on(connection: &Connection, batch: &BatchRow, first: i64) -> Result<(), StoreError> {
    if first == 1 { intake::begin(connection, batch) } else { intake::go_on(connection, &batch.id) }
}

/// Removes what stays behind, until `stopped` changes: an intake that has not moved for the lease time, on a monotonic clock.
pub(in crate::engine) async fn watch(app: Arc<App>, mut stopped: Receiver<bool>) {
    let lease = Duration::from_millis(app.config.engine.lease_ms);
    let mut seen = Seen::default();
    loop {
        tokio::select! {
            _ = stopped.changed() => return,
            () = tokio::time::sleep(lease / 5) => {}
        }
        if let Err(error) = look(&app, &mut seen, lease).await {
            tracing::error!(%error, "what is left of a manifest could not be removed; trying again");
        }
    }
}

async fn look(app: &App, seen: &mut Seen<BatchId>, lease: Duration) -> Result<(), StoreError> {
    let unfinished: HashMap<_, _> = app.store.read(intake::unfinished).await?.into_iter().collect();
    for (id, count) in seen.update(unfinished, Instant::now(), lease) {
        if remove(app, &id, count).await? {
            tracing::warn!(batch.id = %id, "a manifest that was not taken in to its end was removed");
        }
    }
    Ok(())
}

/// Removes what is left of the same batch, which no living process takes in.
///
/// # Errors
/// Those of the store.
pub(crate) async fn begin_anew(app: &App, id: &BatchId) -> Result<(), StoreError> {
    let unfinished = app.store.read(intake::unfinished).await?;
    match unfinished.into_iter().find(|(unfinished, _)| unfinished == id) {
        Some((id, count)) => remove(app, &id, count).await.map(drop),
        None => Ok(()),
    }
}

/// Gives an intake up and removes it in portions; `false` when it went on since its count was read.
async fn remove(app: &App, id: &BatchId, count: i64) -> Result<bool, StoreError> {
    let given_up = id.clone();
    if !app.store.write(move |connection| intake::give_up(connection, &given_up, count)).await? {
        return Ok(false);
    }
    let most = i64::try_from(PORTION).expect("a portion is small");
    loop {
        let id = id.clone();
        if app.store.write(move |connection| intake::remove(connection, &id, most)).await? {
            return Ok(true);
        }
    }
}
