//! The relay: brings committed events into the public log, seals the tree of receipts and sends to webhooks.
//!
//! Every process with the role `relay` runs one; on a shared database the lock of one row makes a single one active at a time, and the next round of
//! any other takes over at once when it is gone. It is woken by commits of its own process and looks for those of others a
//! few times a second.

mod audit;
mod sealer;
mod signer;
mod webhooks;

use std::sync::Arc;
use std::time::Duration;

use rubrica_core::ErrorCode;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior};

use crate::app::App;
use crate::failure::Failure;
use crate::roles::Roles;
use crate::store::{self, StoreError};

pub(crate) use audit::{AuditReport, audit};
pub(crate) use signer::LogSigner;
pub(crate) use webhooks::{Schedule, Webhooks, test as test_webhook};

/// Pause after a failure of the database.
const PAUSE: Duration = Duration::from_secs(1);

/// The public log as handlers see it.
#[derive(Debug)]
pub(crate) struct Log {
    pub(crate) signer: LogSigner,
    /// Events in the log, as far as this instance knows.
    head: watch::Sender<u64>,
}

impl Log {
    pub(crate) fn new(signer: LogSigner) -> Self {
        Self { signer, head: watch::Sender::new(0) }
    }

    /// Follows the number of events in the log.
    pub(crate) fn head(&self) -> watch::Receiver<u64> {
        self.head.subscribe()
    }
}

/// A running relay.
#[derive(Debug)]
pub(crate) struct Running {
    tasks: Vec<JoinHandle<()>>,
    stop: watch::Sender<bool>,
}

impl Running {
    /// Ends after the round that is under way. What waits in the outbox is moved after the next start.
    pub(crate) async fn stop(self, grace: Duration) {
        self.stop.send_replace(true);
        for task in self.tasks {
            if tokio::time::timeout(grace, task).await.is_err() {
                tracing::warn!("the relay did not come to rest in time");
            }
        }
    }
}

/// Starts relay and the sending to webhooks, and as a sentinel the sealer. Elsewhere the log is only followed.
///
/// # Errors
/// `config_invalid` when the checkpoints of this database are signed with another key than this data folder's.
pub(crate) async fn run(app: &Arc<App>, roles: Roles) -> Result<Running, Failure> {
    let key = app.log.signer.public().to_string();
    let ours = key.clone();
    let known = app.store.write(move |connection| store::log::claim_key(connection, &key)).await;
    let known = known.map_err(|error| {
        Failure::of(ErrorCode::DatabaseUnavailable, format!("the log of events cannot be read: {error}"))
    })?;
    if known != ours {
        return Err(Failure::new(
            ErrorCode::ConfigInvalid,
            "the log of this database is signed with the key of another data folder",
            "Copy the folder `secrets` of the instance that used the database first into this data folder",
        ));
    }
    let (stop, stopped) = watch::channel(false);
    let work = if roles.relay { Work::Relay } else { Work::Follow };
    let mut tasks = Vec::new();
    if roles.relay || roles.edge {
        tasks.push(tokio::spawn(watch_log(Arc::clone(app), work, stopped.clone())));
    }
    if roles.relay {
        tasks.push(tokio::spawn(webhooks::run(Arc::clone(app), stopped.clone())));
    }
    if roles.sentinel {
        tasks.push(tokio::spawn(seal(Arc::clone(app), stopped)));
    }
    Ok(Running { tasks, stop })
}

/// What a process does about the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Work {
    /// Moves what waits in the outbox.
    Relay,
    /// Looks how far others have come, for those who read it here.
    Follow,
}

async fn watch_log(app: Arc<App>, work: Work, mut stopped: watch::Receiver<bool>) {
    let poll = Duration::from_millis(app.config.events.poll_ms);
    let mut failing = false;
    while !*stopped.borrow() {
        let pause = match round(&app, work).await {
            Ok(more) => {
                failing = false;
                if more {
                    continue;
                }
                poll
            }
            Err(error) => {
                if !std::mem::replace(&mut failing, true) {
                    tracing::error!(%error, "the log of events does not move here at the moment");
                }
                PAUSE
            }
        };
        tokio::select! {
            () = app.store.emitted(), if !failing => {}
            () = tokio::time::sleep(pause) => {}
            _ = stopped.changed() => {}
        }
    }
}

/// Looks, and moves what waits; whether more is waiting.
async fn round(app: &App, work: Work) -> Result<bool, StoreError> {
    let standing = app.store.read(store::log::standing).await?;
    let (mut events, mut more) = (standing.events, false);
    if work == Work::Relay && standing.waiting {
        let now = app.clock.now();
        let moved = app.store.write(move |connection| store::events::relay(connection, now)).await?;
        (events, more) = (moved.events, moved.more);
    }
    app.log.head.send_if_modified(|head| std::mem::replace(head, events.max(*head)) < events);
    Ok(more)
}

async fn seal(app: Arc<App>, mut stopped: watch::Receiver<bool>) {
    let mut ticks =
        tokio::time::interval_at(Instant::now(), Duration::from_millis(app.config.events.seal_ms));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut failing = false;
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            _ = stopped.changed() => return,
        }
        match sealer::seal(&app.store, &app.log.signer, app.clock.now()).await {
            Ok(()) => failing = false,
            Err(error) => {
                if !std::mem::replace(&mut failing, true) {
                    tracing::error!(%error, "receipts are not sealed");
                }
            }
        }
    }
}
