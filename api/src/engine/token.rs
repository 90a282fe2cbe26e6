//! Tells the log of events when the token goes away, and when it is back.
//!
//! An absence is told at once, a return when it has lasted a moment: a token that comes and goes is told as away. What is seen
//! while the database is away is told when it is back, each change with its own time.

mod views;

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch::Receiver;

use crate::app::App;
use crate::ports::Availability;
use crate::store::{self, StoreError};
use views::Views;

/// Whatever could not be told, and what others see, is looked at this often.
const LOOK: Duration = Duration::from_millis(500);

/// Works until `stopped` changes.
pub(super) async fn watch(app: Arc<App>, mut stopped: Receiver<bool>) {
    let Some(keys) = &app.keys else { return };
    let mut changes = keys.status_changes();
    let (mut views, mut failing) = (Views::default(), false);
    loop {
        let availability: Availability = changes.borrow_and_update().clone();
        views.see(&availability, Instant::now(), app.clock.now());
        match tell(&app, &mut views).await {
            Ok(()) => failing = false,
            // It goes on under a new name soon, and tells under that.
            Err(StoreError::LeaseLost) => {}
            Err(error) => {
                if !std::mem::replace(&mut failing, true) {
                    tracing::error!(%error, "changes of the token are not told at the moment; they wait");
                }
            }
        }
        tokio::select! {
            _ = stopped.changed() => return,
            Ok(()) = changes.changed() => {}
            () = tokio::time::sleep(LOOK) => {}
        }
    }
}

/// Tells what waits, then what is seen now when others do not know it.
async fn tell(app: &App, views: &mut Views) -> Result<(), StoreError> {
    let Some(worker) = app.engine.identity.id() else { return Ok(()) };
    let label = &app.config.token.label;
    while let Some(view) = views.next() {
        let (worker, label) = (worker.clone(), label.clone());
        app.store.write(move |connection| store::tokens::tell(connection, &worker, &label, view)).await?;
        views.told();
    }
    let Some(view) = views.now(app.clock.now()) else { return Ok(()) };
    let (reader, of) = (worker.clone(), label.clone());
    let untold = move |connection: &store::Connection| {
        store::tokens::is_untold(connection, &reader, &of, view.answer.is_ok())
    };
    if app.store.read(untold).await? {
        let label = label.clone();
        app.store.write(move |connection| store::tokens::tell(connection, &worker, &label, view)).await?;
    }
    Ok(())
}
