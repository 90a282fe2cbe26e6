//! A batch that a command works on, alone or beside servers and other commands on the same database: whoever claims a run of
//! items by its lease signs it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::app::App;
use crate::data_folder::DataFolder;
use crate::engine::drive;
use crate::engine::worker::{self, Command, Seen};
use crate::ids::BatchId;
use crate::store::tasks::{Claimed, Queue, Work};
use crate::store::{self, StoreError};

/// Runs of items under way at the same time, as in a server.
const MOST_RUNS: usize = 4;
/// Between two looks at the queue.
const POLL: Duration = Duration::from_millis(100);
/// Before a run whose work panicked is tried again.
const AFTER_PANIC: Duration = Duration::from_secs(5);

/// Works until the batch has ended, or until `stopped` is true and what was begun is done.
pub(crate) async fn work(
    app: &Arc<App>,
    folder: &DataFolder,
    command: &Command,
    queue: &Queue,
    mut stopped: watch::Receiver<bool>,
) -> Result<(), StoreError> {
    let lease = Duration::from_millis(app.config.engine.lease_ms);
    let (mut seen, mut looked) = (Seen::default(), None::<Instant>);
    let mut under_way = JoinSet::new();
    loop {
        if looked.is_none_or(|looked| looked.elapsed() >= lease / 5) {
            worker::look_beside(app, &command.id, &mut seen, || folder.is_served()).await?;
            looked = Some(Instant::now());
        }
        app.engine.strays.free(app).await;
        let stopping = *stopped.borrow_and_update();
        while !stopping && under_way.len() < MOST_RUNS {
            let Some(claimed) = claim(app, command, queue).await? else { break };
            begin(app, &mut under_way, claimed);
        }
        if under_way.is_empty() && (stopping || has_ended(app, queue).await?) {
            return Ok(());
        }
        tokio::select! {
            Some(_) = under_way.join_next(), if !under_way.is_empty() => {}
            // A sender that has gone is a command that has ended: nothing to hurry for.
            Ok(()) = stopped.changed() => {}
            () = tokio::time::sleep(POLL) => {}
        }
    }
}

async fn claim(app: &App, command: &Command, queue: &Queue) -> Result<Option<Claimed>, StoreError> {
    let (queue, worker, now) = (queue.clone(), command.id.clone(), app.clock.now());
    // Nothing is written when nothing waits.
    if !app.store.read(move |connection| store::tasks::queues(connection, now)).await?.contains(&queue) {
        return Ok(None);
    }
    let claim =
        move |connection: &store::Connection| store::tasks::claim(connection, &queue, &worker, 1, now);
    Ok(app.store.write(claim).await?.pop())
}

/// Works on a run; one that panics is given back, or its lease would last as long as this process.
fn begin(app: &Arc<App>, under_way: &mut JoinSet<()>, claimed: Claimed) {
    let Work::Items { batch_id, first, last } = claimed.work else {
        unreachable!("the line of a batch has nothing but runs of its items")
    };
    let (app, lease, attempts) = (Arc::clone(app), claimed.lease, claimed.attempts);
    under_way.spawn(async move {
        let (worker, held) = (Arc::clone(&app), lease.clone());
        let work = async move { super::work(&worker, held, (batch_id, first, last), attempts).await };
        if tokio::spawn(work).await.is_err() {
            tracing::error!(task.id = lease.task, "the work on a task ended unexpectedly; it is tried again");
            drive::give_back(&app, &lease, AFTER_PANIC).await;
        }
    });
}

async fn has_ended(app: &App, queue: &Queue) -> Result<bool, StoreError> {
    let Some(id): Option<BatchId> = queue.batch_id.clone() else { return Ok(true) };
    let row = app.store.read(move |connection| store::batches::load(connection, &id)).await?;
    Ok(row.is_none_or(|row| row.ended_at.is_some()))
}
