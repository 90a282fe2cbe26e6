//! Certificates of the time-stamping authority, as the engine sees them in its stamps, are kept for the watch.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rubrica_core::wire::WatchedKind;
use tokio::sync::watch::Receiver;

use crate::app::App;
use crate::store;
use crate::store::validity::SeenCertificate;

const EVERY: Duration = Duration::from_secs(2);
/// How exact it is known when a certificate was last in use.
const NOTED_EVERY: Duration = Duration::from_hours(6);

/// Keeps what was seen, until `stopped` changes.
pub(super) async fn run(app: Arc<App>, mut stopped: Receiver<bool>) {
    let mut noted: HashMap<String, Instant> = HashMap::new();
    loop {
        tokio::select! {
            _ = stopped.changed() => return,
            () = tokio::time::sleep(EVERY) => {}
        }
        let seen = app.time_stamps.as_ref().map(|authority| authority.take_seen()).unwrap_or_default();
        for certificate in seen {
            let subject = certificate.sha256().to_hex();
            if noted.get(&subject).is_some_and(|at| at.elapsed() < NOTED_EVERY) {
                continue;
            }
            let row = SeenCertificate {
                kind: WatchedKind::Tsa,
                tenant: None,
                subject: subject.clone(),
                custody: None,
                certificate: certificate.der().to_vec(),
                not_after: certificate.not_after(),
            };
            let now = app.clock.now();
            match app.store.write(move |connection| store::validity::saw(connection, &row, now)).await {
                Ok(()) => drop(noted.insert(subject, Instant::now())),
                // It is seen again with the next stamp.
                Err(error) => {
                    tracing::warn!(%error, "a certificate of the time-stamping authority was not kept");
                }
            }
        }
    }
}
