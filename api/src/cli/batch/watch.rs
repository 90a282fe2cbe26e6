//! A run from its batch to its last result: signing, writing and telling side by side, until the end or Ctrl-C.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rubrica_core::wire::{Batch, BatchState};
use tokio::sync::watch;

use super::plan::{Place, Plan};
use super::progress::{Phase, Progress};
use super::results::Results;
use super::{NotSigned, of_store};
use crate::adapters::pkcs11;
use crate::app::App;
use crate::data_folder::DataFolder;
use crate::engine::batch::{Context, beside};
use crate::engine::worker::Command;
use crate::failure::Failure;
use crate::http::server::stop_signal;
use crate::store::batches::{self, BatchRow};
use crate::store::tasks::{self, Queue};

/// Between two looks at the batch.
const PAUSE: Duration = Duration::from_millis(150);

/// How a run ends when nothing fails.
#[derive(Debug)]
pub(super) enum Ended {
    /// Every item has ended.
    Done {
        /// As the API shows it.
        batch: Box<Batch>,
        /// Items without artefact.
        not_signed: Vec<NotSigned>,
    },
    /// By Ctrl-C or a signal; what was begun is done.
    Interrupted {
        /// Items with a result.
        released: u64,
        /// Items of the batch.
        total: u64,
    },
}

/// Works on the batch and writes its results.
pub(super) async fn run(
    app: &Arc<App>,
    folder: &DataFolder,
    place: &Place,
    plan: &Plan,
    progress: &Progress,
) -> Result<Ended, Failure> {
    let id = plan.batch_id()?;
    let context = Context::load(app, &id).await.map_err(|error| of_store(&error))?;
    if let Some(last) = place.last_worker() {
        // What it held is free at once, and not only when its lease is over.
        let leave = move |connection: &crate::store::Connection| tasks::leave(connection, &last);
        app.store.write(leave).await.map_err(|error| of_store(&error))?;
    }
    let command = Command::join(app).await.map_err(|error| of_store(&error))?;
    place.keep_worker(&command.id)?;
    let queue = Queue { tenant: context.row.tenant.clone(), batch_id: Some(id) };
    let (stop, stopped) = watch::channel(false);
    let results = Results::new(app, Arc::clone(&context), place, plan);
    let ended = tokio::try_join!(
        async {
            beside::work(app, folder, &command, &queue, stopped.clone())
                .await
                .map_err(|error| of_store(&error))
        },
        look_on(app, results, progress, &stop),
    );
    progress.end();
    command.leave(app).await.map_err(|error| of_store(&error))?;
    ended.map(|((), ended)| ended)
}

/// Writes results as they come, and says so. Ends with the batch, or soon after a signal.
async fn look_on(
    app: &Arc<App>,
    mut results: Results<'_>,
    progress: &Progress,
    stop: &watch::Sender<bool>,
) -> Result<Ended, Failure> {
    let id = results.batch_id();
    let mut patience = Patience::new(app);
    let mut interrupted = false;
    let mut begun = false;
    let signal = stop_signal();
    tokio::pin!(signal);
    loop {
        let find = id.clone();
        let row = app.store.read(move |connection| batches::load(connection, &find)).await;
        let row = row.map_err(|error| of_store(&error))?.ok_or_else(|| {
            Failure::of(rubrica_core::ErrorCode::Internal, "the batch has gone from the database")
        })?;
        if !begun {
            progress.begin(Phase::Signing, row.total, row.released + row.failed + row.cancelled);
            begun = true;
        }
        results.write(|item| progress.line(&describe(item))).await?;
        progress.at(results.count());
        progress.note(note(&row));
        if row.ended_at.is_some() && results.count() == row.total {
            results.write_listing().await?;
            let counts = app.store.read({
                let row = row.clone();
                move |connection| batches::counts(connection, &row)
            });
            let batch = Box::new(row.to_wire(counts.await.map_err(|error| of_store(&error))?));
            return Ok(Ended::Done { batch, not_signed: results.not_signed });
        }
        if interrupted {
            return Ok(Ended::Interrupted { released: row.released, total: row.total });
        }
        patience.check(app, &row)?;
        tokio::select! {
            () = tokio::time::sleep(PAUSE) => {}
            () = &mut signal, if !interrupted => {
                interrupted = true;
                stop.send_replace(true);
                progress.note("stopping");
                // Whoever asks twice is not kept waiting.
                tokio::spawn(async {
                    stop_signal().await;
                    std::process::exit(130);
                });
            }
        }
    }
}

fn describe(item: &NotSigned) -> String {
    match &item.problem {
        Some(problem) => format!("failed[{}]: {}: {}", problem.code, item.reference, problem.detail),
        None => format!("failed: {}", item.reference),
    }
}

const fn note(row: &BatchRow) -> &'static str {
    match row.state {
        BatchState::Paused => "(paused over the API)",
        BatchState::Cancelled => "(cancelled over the API)",
        BatchState::Queued
        | BatchState::Running
        | BatchState::Completed
        | BatchState::CompletedWithErrors => "",
    }
}

/// How long a token may give nothing. A server waits for its operator; a command has one in front of it.
#[derive(Debug)]
struct Patience {
    length: Duration,
    last: (u64, Instant),
}

impl Patience {
    fn new(app: &App) -> Self {
        let length = Duration::from_millis(app.config.signatures.token_patience_ms);
        Self { length, last: (0, Instant::now()) }
    }

    fn check(&mut self, app: &App, row: &BatchRow) -> Result<(), Failure> {
        let ended = row.released + row.failed + row.cancelled;
        if ended != self.last.0 {
            self.last = (ended, Instant::now());
        }
        let Some(keys) = &app.keys else { return Ok(()) };
        match keys.status().ready() {
            Ok(()) => Ok(()),
            // A refused PIN is refused until the next start.
            Err(error) if error.is_about_the_pin() || self.last.1.elapsed() > self.length => {
                Err(pkcs11::failure(&error))
            }
            Err(_) => Ok(()),
        }
    }
}
