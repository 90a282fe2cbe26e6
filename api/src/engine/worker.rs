//! This process as a worker: its beat, and the watch over the beats of others.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use crate::app::App;
use crate::ids::WorkerId;
use crate::store::{self, StoreError};

/// Name of workers that are commands beside a server: a server that starts does not take them for its own past.
const COMMAND: &str = "command";

/// Under which name this process works; `None` while it does not.
#[derive(Debug, Default)]
pub(crate) struct Identity(RwLock<Option<WorkerId>>);

impl Identity {
    /// The name, for tasks that this process shall hold from the start.
    pub(crate) fn id(&self) -> Option<WorkerId> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, id: Option<WorkerId>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = id;
    }
}

/// Takes a name and registers it.
pub(super) async fn join(app: &App) -> Result<(), StoreError> {
    join_as(app, name()).await
}

async fn join_as(app: &App, name: String) -> Result<(), StoreError> {
    let (id, now) = (WorkerId::generate(), app.clock.now());
    let registered = id.clone();
    app.store.write(move |connection| store::tasks::register(connection, &registered, &name, now)).await?;
    app.engine.identity.set(Some(id));
    Ok(())
}

/// Gives up the name; tasks that are still held are free for others.
pub(super) async fn leave(app: &App) {
    let Some(id) = app.engine.identity.id() else { return };
    app.engine.identity.set(None);
    let left = app.store.write(move |connection| store::tasks::leave(connection, &id)).await;
    if let Err(error) = left {
        tracing::warn!(%error, "this worker could not sign off; others take its tasks after the lease time");
    }
}

/// A worker for the time of one command, beside whatever else works on the database.
#[derive(Debug)]
pub(crate) struct Command {
    pub(crate) id: WorkerId,
    beating: tokio::task::JoinHandle<()>,
}

impl Command {
    /// Registers it and beats for it.
    pub(crate) async fn join(app: &Arc<App>) -> Result<Self, StoreError> {
        let (id, now) = (WorkerId::generate(), app.clock.now());
        let registered = id.clone();
        app.store
            .write(move |connection| store::tasks::register(connection, &registered, COMMAND, now))
            .await?;
        let (app, beating) = (Arc::clone(app), id.clone());
        let pause = Duration::from_millis(app.config.engine.lease_ms) / 5;
        let beating = tokio::spawn(async move {
            loop {
                tokio::time::sleep(pause).await;
                let id = beating.clone();
                let write = move |connection: &store::Connection| match store::tasks::beat(connection, &id) {
                    // Others took it for dead. What it held is void, as its leases count; what it claims from now on is not.
                    Err(StoreError::LeaseLost) => store::tasks::register(connection, &id, COMMAND, now),
                    other => other,
                };
                if let Err(error) = app.store.write(write).await {
                    tracing::warn!(%error, "the beat of this command could not be written");
                }
            }
        });
        Ok(Self { id, beating })
    }

    /// Signs off.
    pub(crate) async fn leave(self, app: &App) -> Result<(), StoreError> {
        self.beating.abort();
        app.store.write(move |connection| store::tasks::leave(connection, &self.id)).await
    }
}

/// A database of our own was used by nobody else since the last run: its workers are gone, but for commands that may run.
pub(super) async fn bury_the_last_run(app: &App) -> Result<(), StoreError> {
    if app.store.is_shared() {
        return Ok(());
    }
    let freed = app
        .store
        .write(|connection| {
            let mut freed = store::tasks::free_strays(connection)?;
            for (worker, (name, beat)) in store::tasks::beats(connection)? {
                if name != COMMAND {
                    freed += store::tasks::bury(connection, &worker, beat)?;
                }
            }
            Ok(freed)
        })
        .await?;
    if freed > 0 {
        tracing::info!(tasks = freed, "taking up the tasks of the last run");
    }
    Ok(())
}

/// Name of this process for people.
fn name() -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    format!("{} {}", host.trim(), std::process::id())
}

/// Beats, and takes for dead who does not, until `stopped` changes.
pub(super) async fn watch(app: Arc<App>, mut stopped: tokio::sync::watch::Receiver<bool>) {
    let lease = Duration::from_millis(app.config.engine.lease_ms);
    let mut seen = Seen::default();
    loop {
        tokio::select! {
            _ = stopped.changed() => return,
            () = tokio::time::sleep(lease / 5) => {}
        }
        match beat(&app).await {
            Ok(()) => {}
            Err(StoreError::LeaseLost) => rejoin(&app).await,
            Err(error) => tracing::warn!(%error, "the beat of this worker could not be written"),
        }
        if let Err(error) = look(&app, &mut seen, lease).await {
            tracing::warn!(%error, "the beats of other workers could not be read");
        }
    }
}

async fn beat(app: &App) -> Result<(), StoreError> {
    // Nobody looks at the beat of a server whose database is its own: its disk may sleep.
    if !app.store.is_shared() {
        return Ok(());
    }
    match app.engine.identity.id() {
        Some(id) => app.store.write(move |connection| store::tasks::beat(connection, &id)).await,
        None => Err(StoreError::LeaseLost),
    }
}

async fn rejoin(app: &App) {
    tracing::warn!("others took this worker for dead; it goes on under a new name");
    if let Err(error) = join(app).await {
        tracing::error!(%error, "this worker could not be registered again; it tries again");
    }
}

async fn look(app: &App, seen: &mut Seen, lease: Duration) -> Result<(), StoreError> {
    let beats = app.store.read(store::tasks::beats).await?;
    let own = app.engine.identity.id();
    let others = beats.into_iter().filter(|(id, _)| Some(id) != own.as_ref());
    let dead = seen.update(others.map(|(id, (_, beat))| (id, beat)).collect(), Instant::now(), lease);
    if dead.is_empty() && !app.store.is_shared() {
        return Ok(());
    }
    let freed = app
        .store
        .write(move |connection| {
            let mut freed = store::tasks::free_strays(connection)?;
            for (worker, beat) in &dead {
                freed += store::tasks::bury(connection, worker, *beat)?;
            }
            Ok(freed)
        })
        .await?;
    if freed > 0 {
        tracing::warn!(tasks = freed, "taking over the tasks of a worker that does not beat any more");
        app.engine.wake();
    }
    Ok(())
}

/// As [`look`], for a command. On a database of its own a server does not beat: there its workers are taken for dead when
/// `is_served` says that no server runs.
pub(super) async fn look_beside(
    app: &App,
    own: &WorkerId,
    seen: &mut Seen,
    is_served: impl Fn() -> bool,
) -> Result<(), StoreError> {
    let beats = app.store.read(store::tasks::beats).await?;
    let others = beats.into_iter().filter(|(id, _)| id != own);
    let (beating, silent): (Vec<_>, Vec<_>) =
        others.partition(|(_, (name, _))| app.store.is_shared() || name == COMMAND);
    let beats = beating.into_iter().map(|(id, (_, beat))| (id, beat)).collect();
    let lease = Duration::from_millis(app.config.engine.lease_ms);
    let mut dead = seen.update(beats, Instant::now(), lease);
    if !silent.is_empty() && !is_served() {
        dead.extend(silent.into_iter().map(|(id, (_, beat))| (id, beat)));
    }
    if dead.is_empty() {
        return Ok(());
    }
    let free = move |connection: &store::Connection| {
        for (worker, beat) in &dead {
            store::tasks::bury(connection, worker, *beat)?;
        }
        store::tasks::free_strays(connection)
    };
    app.store.write(free).await.map(drop)
}

/// When the count of each other worker, or of whatever else counts while it lives, was last seen to move, on our own clock.
#[derive(Debug)]
pub(super) struct Seen<K = WorkerId>(HashMap<K, (i64, Instant)>);

impl<K> Default for Seen<K> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<K: Clone + Eq + Hash> Seen<K> {
    /// Notes what was read now; gives those whose beat has stood still for `lease`.
    pub(super) fn update(&mut self, beats: HashMap<K, i64>, now: Instant, lease: Duration) -> Vec<(K, i64)> {
        self.0.retain(|worker, _| beats.contains_key(worker));
        let mut dead = Vec::new();
        for (worker, beat) in beats {
            let last = self.0.entry(worker.clone()).or_insert((beat, now));
            if last.0 != beat {
                *last = (beat, now);
            } else if now.duration_since(last.1) >= lease {
                dead.push((worker, beat));
            }
        }
        dead
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_who_stands_still_for_the_whole_lease_is_dead() {
        let (a, b) = (WorkerId::generate(), WorkerId::generate());
        let mut seen = Seen::default();
        let lease = Duration::from_secs(10);
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let beats = |x, y| HashMap::from([(a.clone(), x), (b.clone(), y)]);
        assert_eq!(seen.update(beats(1, 1), at(0), lease), []);
        assert_eq!(seen.update(beats(2, 1), at(5), lease), []);
        assert_eq!(seen.update(beats(3, 1), at(9), lease), []);
        assert_eq!(seen.update(beats(4, 1), at(10), lease), [(b.clone(), 1)]);
        // Whoever beats again lives.
        assert_eq!(seen.update(beats(4, 2), at(11), lease), []);
        // A worker seen for the first time is not judged by its past.
        let new = WorkerId::generate();
        assert_eq!(seen.update(HashMap::from([(new.clone(), 7)]), at(100), lease), []);
        assert_eq!(seen.update(HashMap::from([(new.clone(), 7)]), at(110), lease), [(new, 7)]);
    }
}
