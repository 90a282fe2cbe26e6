//! The validity watch: what ends is announced in time, step by step (`rubrica_core::validity`), and what was revoked is stopped.
//!
//! Every sentinel looks. A step is announced by writing its row, so it is announced once, whoever is first; the event and the
//! notices are written in the same transaction. A clock that jumps is not believed for a while (`crate::steady`): what was
//! announced cannot be taken back.

mod announce;
mod endpoints;
mod inventory;
pub(crate) mod notices;
mod revocation;
mod seen;
mod text;

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch::Receiver;
use tokio::task::JoinHandle;

use crate::app::App;
use crate::roles::Roles;
use crate::steady::Steadiness;

pub(crate) use inventory::Inventory;
pub(crate) use notices::Notices;

const EVERY: Duration = Duration::from_secs(1);

/// Starts what these roles watch, until `stopped` changes.
pub(crate) fn start(app: &Arc<App>, roles: Roles, stopped: &Receiver<bool>) -> Vec<JoinHandle<()>> {
    let mut tasks = Vec::new();
    if roles.sentinel {
        tasks.push(tokio::spawn(watch(Arc::clone(app), stopped.clone())));
        tasks.push(tokio::spawn(notices::run(Arc::clone(app), stopped.clone())));
        tasks.push(tokio::spawn(endpoints::run(Arc::clone(app), stopped.clone())));
        if app.fetcher.is_some() {
            tasks.push(tokio::spawn(revocation::run(Arc::clone(app), stopped.clone())));
        }
    }
    if roles.engine && app.time_stamps.is_some() {
        tasks.push(tokio::spawn(seen::run(Arc::clone(app), stopped.clone())));
    }
    tasks
}

async fn watch(app: Arc<App>, mut stopped: Receiver<bool>) {
    let (mut steadiness, mut last) = (Steadiness::default(), None::<Instant>);
    loop {
        if steadiness.check(app.clock.now(), Instant::now())
            && last.is_none_or(|last| last.elapsed() >= app.config.watch.every())
        {
            last = Some(Instant::now());
            if let Err(error) = announce::round(&app).await {
                tracing::error!(%error, "not everything that ends was announced; trying again");
            }
        }
        tokio::select! {
            _ = stopped.changed() => return,
            () = tokio::time::sleep(EVERY) => {}
        }
    }
}
