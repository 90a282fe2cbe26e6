//! Tells the log of events when a cloud service goes away, and when it is back.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::watch::Receiver;

use crate::adapters::cloud::Health;
use crate::app::App;
use crate::store;

/// Before what could not be told is tried again.
const AGAIN: Duration = Duration::from_secs(1);

/// Works until `stopped` changes.
pub(super) async fn watch(app: Arc<App>, mut stopped: Receiver<bool>) {
    let services = app.cloud.gates().map(|(name, gate)| follow(&app, name, gate.health()));
    tokio::select! {
        _ = stopped.changed() => {}
        _ = join_all(services) => {}
    }
}

async fn follow(app: &App, name: &str, mut health: Receiver<Health>) {
    while health.changed().await.is_ok() {
        loop {
            let is_away = match *health.borrow_and_update() {
                Health::Unknown => break,
                Health::Answers => false,
                Health::Away => true,
            };
            let (service, now) = (name.to_owned(), app.clock.now());
            let told = app
                .store
                .write(move |connection| store::cloud_services::tell(connection, &service, is_away, now));
            let Err(error) = told.await else { break };
            tracing::error!(%error, service = name, "whether a cloud service answers could not be told; trying again");
            tokio::time::sleep(AGAIN).await;
        }
    }
}
