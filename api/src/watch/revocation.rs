//! Whether the certificates of our keys were revoked is asked again every day; a revoked key is suspended.
//!
//! Unknown is not revoked: when no authority answers, the key stays in use and the question is asked again soon.

use std::sync::Arc;
use std::time::Duration;

use rubrica_core::wire::{Custody, NoticeKind, WatchedKind};
use rubrica_core::x509::Certificate;
use tokio::sync::watch::Receiver;

use super::inventory::masked_holder;
use super::notices::Fact;
use crate::app::App;
use crate::engine::raise::{Means, RevocationAnswer, ask_revocation};
use crate::store::revocations::{Answer, ToCheck};
use crate::store::validity::Ending;
use crate::store::{self, StoreError};

const EVERY: Duration = Duration::from_secs(2);
/// Keys that are asked about one after the other before the clock is read again.
const AT_ONCE: i64 = 16;
/// Whoever asks for longer is taken for dead.
const LEASE: Duration = Duration::from_mins(10);
/// Longest pause after nobody could tell.
const AGAIN: Duration = Duration::from_hours(1);

/// Asks until `stopped` changes.
pub(super) async fn run(app: Arc<App>, mut stopped: Receiver<bool>) {
    let mut failing = false;
    loop {
        let more = match round(&app, &stopped).await {
            Ok(more) => {
                failing = false;
                more
            }
            Err(error) => {
                if !std::mem::replace(&mut failing, true) {
                    tracing::error!(%error, "revocation is not asked at the moment");
                }
                false
            }
        };
        tokio::select! {
            _ = stopped.changed() => return,
            () = tokio::time::sleep(if more { Duration::ZERO } else { EVERY }) => {}
        }
    }
}

/// Asks about keys that are due; whether more may be.
async fn round(app: &Arc<App>, stopped: &Receiver<bool>) -> Result<bool, StoreError> {
    let now = app.clock.now();
    if !app.store.read(move |connection| store::revocations::any_due(connection, now)).await? {
        return Ok(false);
    }
    let claim = move |connection: &_| store::revocations::claim(connection, now, now.plus(LEASE), AT_ONCE);
    let claimed = app.store.write(claim).await?;
    let more = !claimed.is_empty();
    for key in claimed {
        // What is left comes due again when the lease is over.
        if *stopped.borrow() {
            return Ok(false);
        }
        check(app, key).await?;
    }
    Ok(more)
}

async fn check(app: &Arc<App>, key: ToCheck) -> Result<(), StoreError> {
    let (asking, der) = (Arc::clone(app), key.certificate.clone());
    let asked = tokio::task::spawn_blocking(move || {
        let certificate = Certificate::from_der(&der).ok()?;
        Some((ask_revocation(&Means::of(&asking), &certificate), certificate))
    });
    let (answer, certificate) = match asked.await {
        Ok(Some((answer, certificate))) => (answer, Some(certificate)),
        Ok(None) => (RevocationAnswer::Unknown("its certificate cannot be read".to_owned()), None),
        Err(error) => (RevocationAnswer::Unknown(error.to_string()), None),
    };
    let now = app.clock.now();
    let usual = app.config.watch.revocation();
    let (answer, pause) = match answer {
        RevocationAnswer::Good => (Answer::Good, usual),
        RevocationAnswer::Revoked => (Answer::Revoked, usual),
        RevocationAnswer::Unknown(why) => {
            tracing::warn!(key.id = %key.id, why, "whether a key's certificate was revoked is not known");
            (Answer::Unknown, usual.min(AGAIN))
        }
    };
    let notices = match &certificate {
        Some(certificate) if answer == Answer::Revoked => {
            let ending = Ending {
                kind: WatchedKind::Key,
                tenant: Some(key.tenant.clone()),
                subject: key.id.to_string(),
                not_after: certificate.not_after(),
            };
            let fact = Fact { notice: NoticeKind::Revoked, custody: Some(Custody::Hsm), step: None };
            app.notices.about(app, &ending, &masked_holder(certificate), fact, Some(certificate))
        }
        _ => Vec::new(),
    };
    let (id, again) = (key.id.clone(), now.plus(pause));
    let write = move |connection: &store::Connection| {
        let suspended = store::revocations::finish(connection, &id, answer, again, now)?;
        if suspended {
            notices.iter().try_for_each(|notice| store::notices::insert(connection, notice, now))?;
        }
        Ok(suspended)
    };
    if app.store.write(write).await? {
        tracing::error!(key.id = %key.id, "the certificate of a key was revoked; the key is suspended");
    }
    Ok(())
}
